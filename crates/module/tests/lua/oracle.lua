-- Random heaps: the objects that a snapshot finds are those that Lua's own collector keeps, no more
-- and no fewer.

local snapshot = require "snapshot"
local check = require "check"

-- Machine code of LuaJIT's compiler holds objects that it was made for; no API shows that.
if jit then jit.off() end

-- The same numbers in every VM.
local state
local function random(n)
  state = (state * 16807) % 2147483647
  return state % n + 1
end

-- See varargs.lua.
local has_varargs = not (host.checked and host.vm == "5.1")

--- Makes `count` objects that refer to each other at random; answers a list of all of them.
local function build(count)
  local objects = {}

  -- Any object made so far, or no object.
  local function any()
    if #objects == 0 or random(5) == 1 then return random(2) == 1 and "text" or random(10) end
    return objects[random(#objects)]
  end

  local makers = {
    function() return {} end,
    function() return setmetatable({}, { __mode = ({ "k", "v", "kv" })[random(3)] }) end,
    function() return setmetatable({}, { any(), x = any() }) end,
    function()
      local a, b = any(), any()
      return function() return a, b end
    end,
    function() return host.cclosure(any(), any()) end,
    function()
      local u = host.userdata(random(50), 3)
      if check.version >= 5.4 then
        for n = 1, 3 do host.setuservalue(u, any(), n) end
      else
        host.setuservalue(u, { any() })
      end
      return u
    end,
    -- Coroutines: wrapped, not yet started, waiting, done, failed.
    function()
      local wrapped = coroutine.wrap(function(a, b)
        local t = { a }
        a = nil
        coroutine.yield()
        return t, b
      end)
      if random(3) > 1 then wrapped(any(), any()) end
      return wrapped
    end,
    function()
      local a = any()
      return coroutine.create(function() return a end)
    end,
    function()
      local body = function(a, b, ...)
        local c = { b }
        b = nil
        coroutine.yield()
        return a, c, ...
      end
      local co = coroutine.create(body)
      coroutine.resume(co, any(), any(), has_varargs and any() or nil, has_varargs and any() or nil)
      return co
    end,
    function()
      -- (It must not know of any(), which knows all objects.)
      local fails = random(2) == 1
      local co = coroutine.create(function(a, b)
        local function deeper(c, d)
          local t = { d }
          if fails then error(b) else coroutine.yield(a) end
          return c, t
        end
        local result = deeper(b, a)
        return result
      end)
      coroutine.resume(co, any(), any())
      if random(2) == 1 then coroutine.resume(co) end
      return co
    end,
  }
  for i = 1, count do
    -- Half of them are tables, which the rest hangs on.
    objects[i] = makers[random(2) == 1 and random(3) or random(#makers)]()
  end

  -- Tables and environments can be given references to what came after them.
  for _, object in ipairs(objects) do
    if type(object) == "table" then
      for _ = 1, random(4) do
        local key = any()
        object[key] = any()
      end
    elseif check.is_51_api and type(object) == "function" and random(3) == 1 then
      debug.setfenv(object, { any() })
    end
  end
  return objects
end

local function try(seed)
  state = seed
  local names, alive = {}, setmetatable({}, { __mode = "v" })
  -- In a coroutine of its own, so that nothing is left on this stack. No address is used twice.
  collectgarbage "stop"
  coroutine.wrap(function()
    local objects = build(150)
    for i, object in ipairs(objects) do
      names[i], alive[i] = check.name(object), object
    end
    -- A few are held, and their neighbours with them.
    kept = { objects[random(150)], objects[random(150)], { objects[random(150)] } }
  end)()
  collectgarbage "restart"
  check.collect()
  collectgarbage "stop"
  local rows = check.rows(snapshot.snapshot())
  local count = 0
  for i, name in ipairs(names) do
    local is_alive, is_found = alive[i] ~= nil, rows[name] ~= nil
    if is_alive then count = count + 1 end
    if is_alive ~= is_found then
      error(("seed %d: object %d, %s, is %s, but %s"):format(seed, i, name,
        is_alive and "alive" or "dead", is_found and "found: " .. rows[name].link or "not found"))
    end
  end
  collectgarbage "restart"
  kept = nil
  return count
end

local total = 0
for seed = 1, 60 do
  if check.version >= 5.4 then collectgarbage(seed % 2 == 0 and "generational" or "incremental") end
  total = total + try(seed)
end
-- They are neither all alive nor all dead.
check.equal(total > 60 * 30 and total < 60 * 140, true, total .. " alive")
