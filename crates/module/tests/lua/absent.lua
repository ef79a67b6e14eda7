-- Snapshots are in no snapshot, wherever they hang, nor is what they alone hold. Nor is anything of
-- the walk's own.

local snapshot = require "snapshot"
local check = require "check"

-- Two snapshots of the same are the same.
do
  local first, second = snapshot.snapshot(), snapshot.snapshot()
  check.equal(#first:incr(second), 0)
  check.equal(#first:decr(second), 0)
  check.equal(check.text(first), check.text(second))
end

local s = snapshot.snapshot({}, "s")
local function links(root) return check.links(snapshot.snapshot(root, "r")) end

-- As values and keys, in arrays and weak tables, as metatables' fields.
check.equal(links { s }, "r")
check.equal(links { s, {} }, "r r.[2]")
check.equal(links { s = s, t = {} }, "r r.t")
check.equal(links { [s] = 1 }, "r")
check.equal(links { [s] = s }, "r")
check.equal(links { [s] = s, [1] = s, {} }, "r r.[1]")
check.equal(links(setmetatable({ s }, { __mode = "v", __index = s })), "r r.[metatable]")
check.equal(links(setmetatable({ [s] = s }, { __mode = "k" })), "r r.[metatable]")
check.equal(check.rows(snapshot.snapshot({ s, s, a = s }, "r"))[1].desc, "(size: 3)")
-- A key that is a snapshot still names what it leads to.
check.equal(links { [s] = {} }, "r r.[" .. check.name(s) .. "]")
check.equal(links(setmetatable({ [s] = {} }, { __mode = "k" })),
  check.is_51_api and "r r.[" .. check.name(s) .. "] r.[metatable]" or "r r.[metatable]")

-- As upvalues, in Lua and C, and on stacks.
local function alone(object)
  if debug.setfenv then debug.setfenv(object, {}) end
  return object
end
local environment = check.is_51_api and " r.[environment]" or ""
check.equal(links(alone(function() return s end)), "r" .. environment)
check.equal(links(alone(host.cclosure(s, s))), "r" .. environment)
do
  local yield = coroutine.yield
  local co = alone(coroutine.create(alone(function(argument)
    local copy, list = argument, { argument }
    yield(copy)
    return list
  end)))
  coroutine.resume(co, s)
  for _, row in ipairs(check.rows(snapshot.snapshot(co, "co"))) do
    check.equal(row.name == check.name(s), false)
  end
end

-- As user values and environments of others.
do
  local u = host.userdata(4, 2)
  if check.version >= 5.3 then host.setuservalue(u, s) end
  if check.version >= 5.4 then host.setuservalue(u, s, 2) end
  if check.is_51_api then host.setuservalue(u, {}) end
  check.equal(links(u), "r" .. environment)
end

-- What only a snapshot holds, where it can hold something.
do
  local name
  if check.is_51_api then
    local held = { "held" }
    name = check.name(held)
    debug.setfenv(s, held)
  elseif check.version < 5.4 then
    local held = { "held" }
    name = check.name(held)
    debug.setuservalue(s, held)
  end
  global = s
  local rows = check.rows(snapshot.snapshot())
  check.equal(rows[check.name(s)], nil)
  if name then
    check.equal(rows[name], nil)
    check.equal(links { s }, "r")
  end
end

-- Nor do snapshots of other kinds count, or freed ones.
for _, other in ipairs { s:copy(), s:incr(s), s:decr(s) } do check.equal(links { other }, "r") end
s:free()
check.equal(links { s }, "r")

-- A foreign userdata with our metatable is none of ours.
local foreign = host.userdata(8)
local metatable = debug.getmetatable(s)
debug.setmetatable(foreign, metatable)
local found = check.rows(snapshot.snapshot({ foreign }, "r"))[check.name(foreign)]
debug.setmetatable(foreign, nil)
check.equal(found and found.link, "r.[1]")
