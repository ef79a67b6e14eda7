-- No metamethod, no finalizer and no other code of the program runs for a snapshot, however its
-- metatables are made; not when the module is loaded, either.

-- A program that guards its globals.
setmetatable(_G, {
  __newindex = function(_, name) error("global " .. tostring(name) .. " set") end,
  __index = function(_, name) error("global " .. tostring(name) .. " read") end,
  __metatable = "guarded",
})
local snapshot = require "snapshot"
assert(rawget(_G, "snapshot") == snapshot)
local check = require "check"
check.equal(rawget(_G, "snapshot"), snapshot)

local ran
local function raises() ran = true error "user code ran" end

local EVENTS = {
  "__index", "__newindex", "__pairs", "__ipairs", "__len", "__tostring", "__eq", "__lt", "__le",
  "__call", "__concat", "__unm", "__add", "__iter", "__close", "__idiv", "__band",
}
local function hostile(object, mode)
  local metatable = { __metatable = raises, __mode = mode, __name = raises }
  for _, event in ipairs(EVENTS) do metatable[event] = raises end
  -- The metatable's own metatable is as bad.
  debug.setmetatable(object, setmetatable(metatable, {
    __index = raises, __newindex = raises, __len = raises, __pairs = raises,
  }))
  return object
end

-- In every place that a walk looks at.
local h = {
  table = hostile { {}, x = {}, [{}] = {} },
  weak_keys = hostile({ [{}] = {} }, "k"), weak_values = hostile({ {} }, "v"),
  both = hostile({ [{}] = {} }, "kv"),
  odd_mode = hostile({ {} }, raises), other_mode = hostile({ {} }, hostile {}),
  userdata = hostile(host.userdata(8, 2)),
}
h[hostile {}] = hostile {}
h[hostile(host.userdata(1))] = hostile(host.userdata(1))
h.upvalues = (function(a, b) return function() return a, b end end)(hostile {}, hostile {})
h.c_upvalues = host.cclosure(hostile {}, hostile {})
h.co = coroutine.create(function(a, b) local c = hostile {} coroutine.yield(b) return a, c end)
coroutine.resume(h.co, hostile {}, hostile {})
local here = hostile {}
local environment = hostile {}
if check.is_51_api then
  debug.setfenv(h.upvalues, environment)
  debug.setfenv(h.userdata, environment)
  debug.setfenv(h.co, environment)
end

-- The basic types too: here for as long as the functions run.
local function with_hostile_types(f, ...)
  local light, thread = host.lightuserdata(8), h.co
  hostile(nil) hostile(true) hostile(5) hostile(light) hostile(thread) hostile(print)
  local results = { pcall(f, ...) }
  debug.setmetatable(nil, nil) debug.setmetatable(true, nil) debug.setmetatable(5, nil)
  debug.setmetatable(light, nil) debug.setmetatable(thread, nil) debug.setmetatable(print, nil)
  if not results[1] then error(results[2], 2) end
  return results[2]
end
local function all()
  local whole = snapshot.snapshot()
  local part = snapshot.snapshot(h, "h")
  part:copy():free()
  whole:incr(part)
  part:decr(whole)
  part:to_file "/dev/null"
  part:to_jsonfile "/dev/null"
  part:to_jsonfilefmt "/dev/null"
  return #whole + #part + #tostring(whole)
end
check.equal(with_hostile_types(all) > 50, true)
check.equal(ran, nil)
check.equal(#check.rows(snapshot.snapshot(h.table, "t")) > 5, true)

-- A root, and what is no root.
snapshot.snapshot(hostile {}, "root")
snapshot.snapshot(hostile(host.userdata(1)), "root")
check.raises("bad argument #1 to 'copy' (snapshot expected, got table)", snapshot.copy, hostile {})
check.raises("bad argument #2 to 'snapshot' (string expected, got table)",
  snapshot.snapshot, hostile {}, hostile {})
check.raises("bad argument #2 to 'to_file' (string expected, got table)",
  snapshot.to_file, snapshot.snapshot({}, "x"), hostile {})
check.equal(ran, nil)

-- Garbage that waits for its finalizer goes on waiting, and what hangs on it.
do
  local finalized = 0
  local function garbage()
    local metatable = { __gc = function() finalized = finalized + 1 end }
    for _ = 1, 100 do
      if check.is_51_api then debug.setmetatable(host.userdata(8), metatable)
      else setmetatable({}, metatable) end
    end
  end
  -- A hand-driven collector that is about to go on at any moment.
  collectgarbage "restart"
  for _ = 1, 20 do
    garbage()
    collectgarbage("step", 1)
    local before = finalized
    local s = snapshot.snapshot()
    local after_snapshot = finalized
    check.equal(after_snapshot, before)
  end
  check.collect()
  check.equal(finalized, 2000)
end

-- All this is as it was.
check.equal(pcall(function() return undefined_global end), false)
check.equal(pcall(function() return here + 1 end), false)
check.equal(ran, true)
