-- Coroutines in every state: what their stacks hold.

local snapshot = require "snapshot"
local check = require "check"

local yield = coroutine.yield

-- All rows of a coroutine, by name.
local function rows(co) return check.rows(snapshot.snapshot(co, "co")) end

--- The link of `object` in a snapshot of `co`.
local function link(co, object)
  local row = rows(co)[check.name(object)]
  return row and row.link
end

-- What a coroutine is given and gives to us, while nothing else holds it.
local names = {}
local alive = setmetatable({}, { __mode = "v" })
local function named(key)
  local object = { key }
  names[key] = check.name(object)
  alive[key] = object
  return object
end

-- One that has not started.
do
  local upvalue = {}
  local function body() return upvalue end
  local co = coroutine.create(body)
  check.equal(link(co, body), "co.[(function):script.lua]")
  check.equal(link(co, upvalue), "co.[(function):script.lua].upvalue")
  check.equal(rows(co)[1].desc, "(vars: 0)")
  local wrapped = coroutine.wrap(body)
  check.equal(check.rows(snapshot.snapshot(wrapped, "w"))[check.name(body)].link,
    "w.[upvalue].[(function):script.lua]")
  if not check.is_51_api then -- functions in C can be bodies
    body = host.cclosure(upvalue)
    co = coroutine.create(body)
    check.equal(link(co, upvalue), "co.[(function):[C]].[upvalue]")
  end
end

-- One that waits: locals, temporaries, arguments, and functions of all its frames.
do
  local function inner(argument)
    local inside = named "inside"
    local _ = (named "temporary")[yield(named "yielded")]
    return inside, argument
  end
  local function outer(first, ...)
    local outside = named "outside"
    do local gone = {} end
    inner(named "argument")
    return outside, first
  end
  local co = coroutine.create(outer)
  coroutine.resume(co, named "first")
  check.collect()
  local rows = rows(co)
  local function found(key, pattern)
    local row = rows[names[key]]
    if not row then error(key .. " was not found", 2) end
    check.matches(row.link, "^co%.%[" .. pattern .. "%]$")
  end
  found("outside", "outside:script%.lua")
  found("first", "first:script%.lua")
  found("inside", "inside:script%.lua")
  found("argument", "argument:script%.lua")
  found("temporary", "%(temporary%):script%.lua")
  check.equal(rows[check.name(inner)].link, "co.[(function):script.lua]")
  check.equal(rows[check.name(outer)].link, "co.[(function):script.lua]")
  -- From everywhere the same, while a third one runs.
  everywhere = co
  co = nil
  coroutine.wrap(function()
    check.found(names.outside, "%.everywhere%.%[outside:script%.lua%]$")
  end)()
  -- Once it is done, it holds nothing more.
  while coroutine.status(everywhere) ~= "dead" do coroutine.resume(everywhere) end
  local left = check.rows(snapshot.snapshot(everywhere, "co"))
  for key in pairs(names) do check.equal(left[names[key]], nil, key) end
end

-- The count of a coroutine is that of its calls.
do
  local function deep(n)
    if n > 0 then return 1 + deep(n - 1) end
    yield()
    return 0
  end
  for _, n in ipairs { 0, 1, 50 } do
    local co = coroutine.create(deep)
    coroutine.resume(co, n)
    local levels = 0
    while debug.getinfo(co, levels) do levels = levels + 1 end
    check.equal(rows(co)[1].desc, ("(vars: %d)"):format(levels))
  end
end

-- Calls that were left by a tail call are gone, and what is left is found.
do
  local function last(argument)
    local object = named "in the last"
    yield()
    return object, argument
  end
  local function middle()
    local gone = named "in the middle"
    return last(named "passed on")
  end
  local function first()
    local object = named "in the first"
    local result = middle()
    return result, object
  end
  local co = coroutine.create(first)
  coroutine.resume(co)
  check.collect()
  local rows = rows(co)
  check.matches(rows[names["in the first"]].link, "^co%.%[object:")
  check.matches(rows[names["in the last"]].link, "^co%.%[object:")
  check.matches(rows[names["passed on"]].link, "^co%.%[argument:")
  check.equal(rows[names["in the middle"]] ~= nil, alive["in the middle"] ~= nil)
  local levels = 0
  while debug.getinfo(co, levels) do levels = levels + 1 end
  check.equal(rows[1].desc, ("(vars: %d)"):format(levels))
  -- And where the thread is the one that runs.
  local function look() check.found(check.name(co), check.MAIN .. "%.%[co:script%.lua%]$") end
  local function tail() return look() end
  tail()
end

-- One that died by an error: its frames, and the error.
do
  local function body()
    local kept = named "kept"
    error(named "error")
    return kept
  end
  local co = coroutine.create(body)
  coroutine.resume(co)
  check.equal(coroutine.status(co), "dead")
  check.collect()
  local rows = rows(co)
  if not rows[names.kept] then error "the failed function's local was not found" end
  -- LuaJIT takes the error off the stack that it came from.
  check.equal(rows[names.error] ~= nil, alive.error ~= nil, "the error")
  check.equal(rows[check.name(body)].link, "co.[(function):script.lua]")
end

-- Those that wait inside of a function in C. (In 5.1 none can.)
local function waits_in(name, body)
  local co = coroutine.create(body)
  coroutine.resume(co)
  if check.version == 5.1 and not check.is_luajit and name ~= "in for" then return end
  check.equal(coroutine.status(co), "suspended", name)
  check.collect()
  if not rows(co)[names[name]] then error(name .. " was not found") end
  if not rows(co)[names.outer] then error("what lies below " .. name .. " was not found") end
end
waits_in("in pcall", function()
  local outer = named "outer"
  pcall(function()
    local object = named "in pcall"
    yield()
    return object
  end)
  return outer
end)
waits_in("in __index", function()
  local outer = named "outer"
  local t = setmetatable({}, { __index = function()
    local object = named "in __index"
    yield()
    return object
  end })
  local _ = t.x
  return outer
end)
waits_in("in __lt", function()
  local outer = named "outer"
  local metatable = { __lt = function()
    local object = named "in __lt"
    yield()
    return object
  end }
  local _ = setmetatable({}, metatable) < setmetatable({}, metatable)
  return outer
end)
waits_in("in for", function()
  local outer = named "outer"
  for object in function(_, last) if not last then return named "in for" end end do
    yield()
    local _ = object
  end
  return outer
end)

-- What a coroutine passed to yield is on its stack until it goes on.
do
  local co = coroutine.create(function() yield(named "passed") end)
  coroutine.resume(co)
  check.collect()
  coroutine.resume(co)
  check.equal(rows(co)[names.passed], nil)
end

-- A variable to be closed.
if check.version >= 5.4 then
  local body = load [[
    local named, yield = ...
    local x <close> = setmetatable(named "closed", { __close = function() end })
    do local y <const> = named "constant" yield() end
  ]]
  local co = coroutine.create(body)
  coroutine.resume(co, named, yield)
  check.collect()
  check.matches(rows(co)[names.closed].link, "^co%.%[x:")
  check.matches(rows(co)[names.constant].link, "^co%.%[y:")
  coroutine.close(co)
  check.equal(rows(co)[names.closed], nil)
end

-- The thread that runs, and the functions between us and the main thread.
coroutine.wrap(function()
  local running = coroutine.running()
  local s = snapshot.snapshot(running, "running")
  check.equal(check.rows(s)[1].desc, "(vars: 1)")
  local mine = {}
  check.equal(check.rows(snapshot.snapshot(running, "running"))[check.name(mine)].link,
    "running.[mine:script.lua]")
end)()
