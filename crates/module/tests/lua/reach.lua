-- Whatever Lua itself keeps alive is found, wherever it hangs. Each object here is held in one way
-- only, and its row's chain says which.

local snapshot = require "snapshot"
local check = require "check"

--- Makes an object, lets `put` put it somewhere, and gives its name.
local function name_of(put)
  local object = {}
  put(object)
  return check.name(object)
end

-- The registry.
local name = name_of(function(object) debug.getregistry().held = object end)
check.found(name, "^%[REGISTRY%]%.held$")
debug.getregistry().held = nil
check.collect()
check.not_found(name)

-- Globals.
name = name_of(function(object) _G.held = object end)
check.found(name, "%.held$")
_G.held = nil

-- The main thread's locals, also when another thread runs, and those of the one that runs.
do
  local of_main = {}
  local name = check.name(of_main)
  local pattern = check.MAIN .. "%.%[of_main:script%.lua%]$"
  check.found(name, pattern)
  coroutine.wrap(function() check.found(name, pattern) end)()
  coroutine.wrap(function()
    coroutine.wrap(function() check.found(name, pattern) end)()
  end)()
end
coroutine.wrap(function()
  local of_running = {}
  check.found(check.name(of_running), "^%[REGISTRY%]%.%[running%]%.%[of_running:script%.lua%]$")
  -- One that has resumed the one that runs is reached by it or by the main thread.
  local name = check.name(of_running)
  coroutine.wrap(function() check.found(name, "%.%[of_running:script%.lua%]$") end)()
end)()

-- Metatables of the basic types. (That of strings is the standard library's own.)
for kind, value in pairs {
  boolean = true, number = 5, ["function"] = print, thread = coroutine.create(function() end),
  ["light userdata"] = host.lightuserdata(8),
} do
  name = name_of(function(object) debug.setmetatable(value, { object = object }) end)
  check.found(name, "^%[REGISTRY%]%.%[metatable:" .. kind .. "%]%.object$")
  debug.setmetatable(value, nil)
  check.collect()
  check.not_found(name)
end
name = name_of(function(object) debug.setmetatable(nil, { object = object }) end)
check.found(name, "^%[REGISTRY%]%.%[metatable:nil%]%.object$")
debug.setmetatable(nil, nil)
check.found(check.name(getmetatable ""), "^%[REGISTRY%]%.%[metatable:string%]$")

-- User values.
u = host.userdata(8, 3)
if check.version >= 5.4 then
  for n, link in ipairs { "[userdata]", "[userdata:2]", "[userdata:3]" } do
    name = name_of(function(object) assert(host.setuservalue(u, { object }, n)) end)
    check.equal(check.rows(snapshot.snapshot(u, "u"))[name].link, "u." .. link .. ".[1]")
    check.found(name, "%.u%.%[userdata")
  end
  check.equal(check.links(snapshot.snapshot(u, "u")), "u u.[userdata] u.[userdata].[1] "
    .. "u.[userdata:2] u.[userdata:2].[1] u.[userdata:3] u.[userdata:3].[1]")
else
  name = name_of(function(object) assert(host.setuservalue(u, { object })) end)
  local link = check.is_51_api and "[environment]" or "[userdata]"
  check.equal(check.links(snapshot.snapshot(u, "u")), "u u." .. link .. " u." .. link .. ".[1]")
  check.found(name)
end
u = nil

-- Environments: of Lua and C functions, userdata (above) and threads.
if check.is_51_api then
  for kind, value in pairs {
    ["function"] = function() end, cclosure = host.cclosure(1),
    thread = coroutine.create(function() end),
  } do
    local retainer = debug.setfenv(value, { "environment" })
    check.found(check.name(debug.getfenv(value)), "%.%[environment%]$")
    check.matches(check.links(snapshot.snapshot(value, "v")), "v%.%[environment%]")
  end
end

-- Upvalues of functions in Lua and in C.
do
  local function lua_function(object) return function() return object end end
  f = lua_function({})
  check.found(check.name(select(2, debug.getupvalue(f, 1))), "%.f%.object$")
  local first, second = {}, {}
  f = host.cclosure(first, 5, second)
  local rows = check.rows(snapshot.snapshot(f, "f"))
  check.equal(rows[check.name(first)].link, "f.[upvalue]")
  check.equal(rows[check.name(second)].link, "f.[upvalue]")
  check.equal(rows[check.name(f)].desc, "")
  f = nil
end

-- A function that is held by being active alone.
do
  local name
  local function active() return debug.getinfo(2, "f").func end
  (function()
    name = check.name(active())
    check.found(name, check.MAIN .. "%.%[%(function%):script%.lua%]$")
    coroutine.wrap(function()
      check.found(name, check.MAIN .. "%.%[%(function%):script%.lua%]$")
    end)()
  end)()
  check.collect()
  check.not_found(name)
end

-- Temporaries of an expression that is being evaluated.
do
  local name
  local function named(object)
    name = check.name(object)
    return object
  end
  local function look() check.found(name, check.MAIN .. "%.%[%(temporary%):script%.lua%]") end
  local _ = { named {}, look() }
  _ = (named {})[look()]
  _ = select(2, named {}, look())
  -- And arguments of functions in C.
  local function look_in_c() check.found(name, check.MAIN .. "%.%[%(temporary%):%[C%]%]") end
  table.sort(named { 2, 1 }, function(a, b) look_in_c() return a < b end)
end

-- What the host holds: in its own function's frame, and below all of them.
name = name_of(host.hold_in_frame)
check.found(name, check.MAIN .. "%.%[%(temporary%):%[C%]%]$")
coroutine.wrap(function() check.found(name, check.MAIN .. "%.%[%(temporary%):%[C%]%]$") end)()
host.hold_in_frame(nil)
check.collect()
check.not_found(name)
name = name_of(host.hold)
check.found(name, check.MAIN .. "%.%[%(temporary%):%[C%]%]%.%[1%]$")
coroutine.wrap(function()
  check.found(name, check.MAIN .. "%.%[%(temporary%):%[C%]%]%.%[1%]$")
end)()

-- Hooks.
name = name_of(function(object) debug.sethook(function() return object end, "", 1e9) end)
check.found(name, "%.object$")
debug.sethook()

-- A metatable's own metatable, and a table that is its own.
name = name_of(function(object) t = setmetatable({}, setmetatable({}, object)) end)
check.found(name, "%.t%.%[metatable%]%.%[metatable%]$")
t = setmetatable({}, {})
setmetatable(getmetatable(t), t)
check.equal(check.links(snapshot.snapshot(t, "t")), "t t.[metatable]")
t = nil

-- Only what hangs on the root, where one is given.
do
  local inside, outside = {}, {}
  local rows = check.rows(snapshot.snapshot({ inside }, "root"))
  check.equal(#rows, 2)
  check.equal(rows[check.name(inside)].refs, 1)
  check.equal(rows[check.name(outside)], nil)
end

-- References are counted one by one, and a root counts one for being the root.
do
  local object = {}
  local rows = check.rows(snapshot.snapshot({ object, object, a = object, [object] = object }, "t"))
  check.equal(rows[check.name(object)].refs, 5)
  check.equal(rows[check.name(object)].link, "t.[1]")
  local root = {}
  root[1], root.root = root, root
  check.equal(check.rows(snapshot.snapshot(root, "root"))[1].refs, 3)
end
