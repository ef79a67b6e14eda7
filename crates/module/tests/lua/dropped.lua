-- A loop that drops a snapshot a turn does not grow without bound, though the collector sees
-- nothing of the memory behind one.

local snapshot = require "snapshot"
local check = require "check"

heap = {}
for i = 1, 200000 do heap[i] = { i } end
check.collect()

local function turn() return snapshot.snapshot(heap, "heap") end
turn()
turn()
check.collect()
local start = host.rss()
if not start then return end

-- What one costs, in KiB.
local one = turn()
local cost = host.rss() - start
one:free()
one = nil
check.equal(cost > 4000, true, cost .. " KiB")

-- In generational mode, too.
for _, mode in ipairs(check.version >= 5.4 and { "incremental", "generational" } or { "as it is" }) do
  if check.version >= 5.4 then collectgarbage(mode) end
  local most = 0
  for _ = 1, 30 do
    turn()
    most = math.max(most, host.rss() - start)
  end
  if most > 12 * cost then error(("%s: grew by %d KiB, where one has %d"):format(mode, most, cost)) end
end

-- With the collector stopped nobody collects, and the program may still free what it wants to.
collectgarbage "stop"
local weak = setmetatable({}, { __mode = "v" })
for i = 1, 3 do
  local s = turn()
  weak[i] = s
  s:free()
end
check.equal(#weak, 3)
collectgarbage "restart"
