-- In a Lua whose structures nobody knows: the portable engine takes over, whatever the heap has.

local snapshot = require "snapshot"
local check = require "check"
local zoo = require "zoo"

local NATIVE, PORTABLE, DEFAULT = { engine = "native" }, { engine = "portable" }, {}

local function compare(where)
  local s, portable = 1, 1
  s = snapshot.snapshot(nil, nil, DEFAULT)
  portable = snapshot.snapshot(nil, nil, PORTABLE)
  local counted = s:stats()
  check.equal(portable:stats().engine, "portable", where)
  check.equal(counted.engine, "portable", where)
  check.equal(counted.unaccounted, nil, where)
  check.equal(counted.garbage, nil, where)
  check.equal(check.text(s), check.text(portable), where)
  check.equal(s:stats().references, portable:stats().references, where)
  check.equal(#s > 100, true, where)
  local ok, message = pcall(snapshot.snapshot, nil, nil, NATIVE)
  check.equal(ok, false, where)
  check.matches(message, "the native engine is not available here: no structures that are known are "
    .. "those of this Lua " .. check.version .. " %(not %d%.%d")
  s:free()
  portable:free()
end

compare "at first"
local kept = {}
for name, make in pairs(zoo) do
  if name ~= "luajit" and name ~= "all" then
    kept[name] = make()
    compare(name)
  end
end

-- Differences are as good.
do
  local before = snapshot.snapshot()
  kept.new = { {}, {} }
  local rows = check.rows(before:incr(snapshot.snapshot()))
  check.equal(rows[check.name(kept.new)] ~= nil, true)
  check.equal(rows[check.name(kept.new[2])] ~= nil, true)
end

-- A check of a test finds what it can.
do
  check.equal(select("#", snapshot.check(function() return {} end)), 0)
  leaked = {}
  local ok, message = pcall(snapshot.check, function() leaked[#leaked + 1] = {} end)
  check.equal(ok, false)
  check.matches(message, "%+5 table %(1 a run, [^\n]*: _G%.leaked%.%[%*%]\n")
  leaked = nil
end

-- In every phase of a collection, and with garbage of every kind.
for round = 1, 60 do
  kept[round % 7] = { round, function() return round end, coroutine.create(compare), ("x"):rep(round) }
  if round % 20 == 0 then
    kept.functions, kept.tables = nil, nil
    kept.functions = zoo.functions()
  end
  collectgarbage("step", round % 3)
  pcall(snapshot.snapshot, nil, nil, NATIVE)
  if round % 10 == 0 then compare("round " .. round) end
end

-- Where programs call.
;("a"):gsub("a", function() compare "in gsub" end)
coroutine.wrap(function() compare "in a coroutine" end)()
debug.sethook(function() debug.sethook() compare "in a hook" end, "c")
assert(load(function() compare "in a reader" end, "=reader"))
local u = host.userdata(8)
debug.setmetatable(u, { __gc = function() snapshot.snapshot() end })
u = nil
check.collect()
compare "in the end"
