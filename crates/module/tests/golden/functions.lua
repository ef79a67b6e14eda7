-- Functions, coroutines, metatables and environments as steps.
local snapshot = require "snapshot"

-- Without what every function and coroutine of 5.1 holds: all globals.
local function alone(object)
  if debug.setfenv then debug.setfenv(object, {}) end
  return object
end

local first, second = { "first" }, { "second" }
local function both()
  return first, second
end
local function nested()
  return both
end
alone(both)
alone(nested)
snapshot.print(snapshot.snapshot(nested, "nested"))
snapshot.print_json(snapshot.snapshot(nested, "nested"))

print "Coroutines: one that has not started, and one that is done."
local new = alone(coroutine.create(alone(function() return first end)))
snapshot.print(snapshot.snapshot(new, "new"))

local done = alone(coroutine.create(alone(function() end)))
coroutine.resume(done)
snapshot.print(snapshot.snapshot(done, "done"))

print "Two closures share an upvalue; a metatable that is its own:"
local shared = {}
local function get() return shared end
local function set(value) shared = value end
alone(get)
alone(set)
local t = { get = get, set = set }
setmetatable(t, t)
snapshot.print(snapshot.snapshot(t, "t"))
set(7)
snapshot.print(snapshot.snapshot(t, "t"))
