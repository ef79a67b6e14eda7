-- Measures one heap shape in one VM; capture.rs runs it and reads the line that it prints.
local shape, objects, file, engine = ...
objects = tonumber(objects)
local snapshot = require "snapshot"

local build = {}

-- Records in one array.
function build.records()
  local t = {}
  for i = 1, objects do t[i] = {id = i, name = "n" .. i} end
  return t
end

-- Closures, each with a table of its own as upvalue.
function build.closures()
  local t = {}
  for i = 1, objects do
    local u = {}
    t[i] = function() return u end
  end
  return t
end

-- Tables under string keys, with two more inside each.
function build.named()
  local t = {}
  for i = 1, objects do t["key" .. i] = {a = {}, b = {}} end
  return t
end

-- Tables with four references each to any others.
function build.random()
  local t = {}
  for i = 1, objects do t[i] = {} end
  -- A generator of our own, so that every VM builds the same graph.
  local seed = 42
  local function random()
    seed = (seed * 16807) % 2147483647
    return seed % objects + 1
  end
  for i = 1, objects do
    local r = t[i]
    for k = 1, 4 do r[k] = t[random()] end
  end
  return t
end

-- One after the other.
function build.chain()
  local head
  for i = 1, objects do head = {next = head} end
  return head
end

local function best_of(times, f)
  local best = math.huge
  for _ = 1, times do
    local start = host.clock()
    f()
    best = math.min(best, host.clock() - start)
  end
  return best
end

local function take(engine) return snapshot.snapshot(nil, nil, {engine = engine}) end

heap = build[shape]()
collectgarbage()
collectgarbage()

-- Once beforehand: the first capture of a VM also finds out what VM that is.
take(engine):free()

local function take_first()
  host.reset_peak()
  local before = host.rss()
  local s = take(engine)
  return s, (host.peak_rss() - before) * 1024, (host.rss() - before) * 1024
end

local first, peak, kept = take_first()
local stats = snapshot.stats(first)
local collection = best_of(5, collectgarbage)
local capture = best_of(5, function() take(engine):free() end)

extra = {}
for i = 1, 1000 do extra[i] = {} end
-- Each time of a snapshot for which nothing was computed yet.
local change = math.huge
for _ = 1, 3 do
  local second = take(engine)
  local start = host.clock()
  local grown = snapshot.incr(first, second)
  change = math.min(change, host.clock() - start)
  assert(#grown >= 1001, "the difference has the new objects")
  second:free()
end

-- A fresh snapshot: the comparison has computed what the others print by.
local fresh = take(engine)
local rows = #fresh
host.reset_peak()
local before = host.rss()
local json = host.clock()
snapshot.to_jsonfile(fresh, file)
json = host.clock() - json
local json_peak = (host.peak_rss() - before) * 1024 / rows
local size = assert(io.open(file, "rb")):seek "end"
os.remove(file)

print(stats.objects.count, stats.references, collection, capture, peak, kept, change,
  size / json / 1e6, json_peak)
