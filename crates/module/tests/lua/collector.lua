-- The collector is left as it was, and Lua's heap as well.

local snapshot = require "snapshot"
local check = require "check"

if jit then jit.off() end

local s = snapshot.snapshot({ {} }, "s")
local t = snapshot.snapshot({ {}, {} }, "t")
s:save "kept.luasnap"

-- Everything that a program can call.
local CALLS = {
  whole = function() snapshot.snapshot() end,
  part = function() snapshot.snapshot({ {} }, "part") end,
  to_file = function() s:to_file "/dev/null" end,
  to_jsonfile = function() s:to_jsonfile "/dev/null" end,
  to_jsonfilefmt = function() s:to_jsonfilefmt "/dev/null" end,
  copy = function() s:copy() end,
  incr = function() s:incr(t) end,
  decr = function() s:decr(t) end,
  free = function() s:copy():free() end,
  tostring = function() tostring(s) end,
  length = function() return #s end,
  save = function() s:save "s.luasnap" end,
  load = function() snapshot.load "kept.luasnap" end,
  top = function() s:copy():top() end,
  growth = function() s:growth(s) end,
  path = function() s:path "s.[1]" end,
  retainers = function() s:retainers "s.[1]" end,
  check = function() snapshot.check(function() return {} end, { runs = 2 }) end,
  ["a leak"] = function()
    local kept = {}
    pcall(snapshot.check, function() kept[#kept + 1] = {} end, { runs = 2 })
  end,
  ["a check that fails"] = function() pcall(snapshot.check, error) end,
  ["an argument that is wrong"] = function() pcall(snapshot.copy, 5) end,
  ["a root that is wrong"] = function() pcall(snapshot.snapshot, 5, "five") end,
  ["no memory"] = function() host.pcall_failing_at(3, snapshot.snapshot) end,
  ["no memory for the userdata"] = function() host.pcall_failing_at(1, snapshot.copy, s) end,
}

local runs = check.collector_runs

for name, call in pairs(CALLS) do
  collectgarbage "restart"
  check.collect()
  call()
  check.equal(runs(), true, "it runs after " .. name)
  collectgarbage "stop"
  check.equal(runs(), false, "it is stopped before " .. name)
  call()
  check.equal(runs(), false, "it is stopped after " .. name)
  call()
  call()
  check.equal(runs(), false, "it is stopped after " .. name)
  if check.version >= 5.2 then check.equal(collectgarbage "isrunning", false) end
  collectgarbage "restart"
  check.equal(runs(), true, "it runs again after " .. name)
end

-- Modes and their numbers.
if check.version >= 5.4 then
  for name, call in pairs(CALLS) do
    collectgarbage "generational"
    call()
    check.equal(collectgarbage "incremental", "generational", name)
    call()
    check.equal(collectgarbage "generational", "incremental", name)
    check.equal(runs(), true, "it runs after " .. name)
    collectgarbage "stop"
    call()
    check.equal(collectgarbage "incremental", "generational", name)
    check.equal(collectgarbage "isrunning", false)
    collectgarbage "restart"
  end
elseif check.version == 5.2 and not check.is_luajit then
  collectgarbage "generational"
  for name, call in pairs(CALLS) do call() end
  check.equal(runs(), true)
  collectgarbage "incremental"
end
if check.version < 5.5 then
  collectgarbage("setpause", 160)
  collectgarbage("setstepmul", 300)
  for _, call in pairs(CALLS) do call() end
  check.equal(collectgarbage("setpause", 200), 160)
  check.equal(collectgarbage("setstepmul", 200), 300)
else
  collectgarbage("param", "pause", 150)
  for _, call in pairs(CALLS) do call() end
  check.equal(collectgarbage("param", "pause"), 150)
end

-- In every phase of a collection that is under way, nothing is lost and nothing broken.
do
  local kept = {}
  for round = 1, 400 do
    collectgarbage("step", 1)
    kept[round % 50 + 1] = { { round }, function() return round end }
    if round % 3 == 0 then CALLS.whole() else CALLS.part() end
    kept[round % 50 + 1][3] = { round }
  end
  check.collect()
  for _, entry in ipairs(kept) do
    check.equal(entry[1][1], entry[2]())
    check.equal(entry[1][1], entry[3][1])
  end
end

-- Nothing stays in Lua's heap but the userdata.
heap = {}
for i = 1, 5000 do heap[i] = { "item" .. i } end
local function measure()
  check.collect()
  return host.lua_bytes()
end
-- (But the stack's size comes and goes.)
local SLOTS = 100 * 16
do
  local empty, with, without
  for _ = 1, 3 do
    empty = measure()
    local kept = snapshot.snapshot()
    with = measure()
    kept = nil
    without = measure()
  end
  check.equal(with - empty < 100 + SLOTS, true, (with - empty) .. " bytes for a snapshot")
  check.equal(without - empty <= SLOTS, true, (without - empty) .. " bytes for none")
  heap = nil -- what remains is soon walked
  for name, call in pairs(CALLS) do
    call()
    local before = measure()
    for _ = 1, 200 do call() end
    local grown = measure() - before
    check.equal(grown <= SLOTS, true, grown .. " bytes for 200 times " .. name)
  end
end

-- And nothing outside it.
if host.c_bytes() then
  for name, call in pairs(CALLS) do
    call()
    local before
    for _ = 1, 5 do -- a thread's memory may come to rest a little later
      check.collect()
      before = host.c_bytes()
      for _ = 1, 5 do call() end
      check.collect()
      if host.c_bytes() == before then break end
    end
    check.equal(host.c_bytes(), before, name)
  end
  heap = {}
  for i = 1, 5000 do heap[i] = { "item" .. i } end
  -- To free is to give the memory back at once, whatever other copies there are.
  local before = host.c_bytes()
  local kept = snapshot.snapshot()
  local held = host.c_bytes() - before
  check.equal(held > 5000 * 20 and held < 5000 * 250, true, held .. " bytes for 5,000 objects")
  local copy = kept:copy()
  kept:free()
  check.equal(host.c_bytes() - before >= held / 2, true)
  copy:free()
  check.equal(host.c_bytes() - before < 500, true)
end
