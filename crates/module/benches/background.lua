-- Measures how long a caller stands still; background.rs runs it, reads the lines that it prints, and answers by a line.
local megabytes, file = ...
megabytes = tonumber(megabytes)
local snapshot = require "snapshot"

kept = {}
while collectgarbage "count" < megabytes * 1024 do
  for i = 1, 1000 do kept[#kept + 1] = { i, name = "item " .. #kept } end
end
collectgarbage()
collectgarbage()
local rss = host.rss()

local function timed(f)
  local start = host.clock()
  local result = f()
  return host.clock() - start, result
end

-- Once beforehand: the first capture of a VM also finds out what VM that is.
timed(snapshot.snapshot)
collectgarbage()

local capture, collection = math.huge, math.huge
for _ = 1, 3 do
  local took, s = timed(snapshot.snapshot)
  s:free()
  capture = math.min(capture, took)
  collection = math.min(collection, (timed(collectgarbage)))
end

-- The first call, then later ones: copies have split huge pages by then. Each collection writes to all objects.
local first, later, after, written
for i = 1, 3 do
  local start = host.clock()
  local call, job = timed(function() return snapshot.background(file) end)
  local collected = timed(collectgarbage)
  job:wait()
  local whole = host.clock() - start
  if i == 1 then
    first, after, written = call, collected, whole
  else
    later = math.min(later or math.huge, call)
  end
end
print(rss * 1024, collection, capture, first, later, after, written)
io.stdout:flush()
-- Stands by to be read from outside.
io.read()
