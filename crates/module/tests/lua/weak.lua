-- Weak tables by each version's own rules. What is found here is compared with what Lua's own
-- collector keeps.

local snapshot = require "snapshot"
local check = require "check"

local function weak(mode, t) return setmetatable(t or {}, { __mode = mode }) end

local ephemerons = not check.is_51_api

--- Links of what `root` holds, without metatables.
local function links(root)
  local text = check.links(snapshot.snapshot(root, "r"))
  return (text:gsub(" %S*%[metatable%]", ""))
end
local function link_of(key) return ("r.[%s]"):format(check.name(key)) end
local function refs(root, object)
  local row = check.rows(snapshot.snapshot(root, "r"))[check.name(object)]
  return row and row.refs
end

-- Weak values hold nothing; strong keys beside them do.
check.equal(links(weak("v", { {}, a = {}, b = function() end, c = coroutine.create(function() end) })), "r")
check.equal(links(weak("v", { [{}] = {}, [{}] = 1 })), "r r.[key] r.[key]")
-- Weak keys hold no key. Their values are held: always (5.1), or while the key is.
check.equal(
  links(weak("k", { [{}] = 1, [print] = 2, [io.stdout] = 3, [coroutine.create(function() end)] = 4 })),
  ephemerons and "r r.[key]" or "r") -- print is no object from 5.2 on, and so never weak
do
  local key = {}
  check.equal(links(weak("k", { [key] = {} })), ephemerons and "r" or "r " .. link_of(key))
  check.equal(links(weak("k", { a = {}, [1] = {} })), "r r.[1] r.a")
  check.equal(links(weak("kv", { a = {}, [1] = {}, [key] = {}, [{}] = 1 })), "r")
  check.equal(links(weak("vk", { a = {}, [key] = key })), "r")
  -- Where the key is held, its value is.
  local t = weak("k", { [key] = {} })
  check.equal(links { key, t },
    "r r.[1] r.[2] " .. link_of(key):gsub("^r", "r.[2]"))
  check.equal(links(weak("k", { [key] = {}, strong = key })), "r r.strong " .. link_of(key))
end

-- The mode is the letters of a string, whatever else is in it.
check.equal(links(weak("other", { {} })), "r r.[1]")
check.equal(links(weak("", { {} })), "r r.[1]")
check.equal(links(weak("a v b", { {} })), "r")
check.equal(links(weak("V", { {} })), "r r.[1]")
check.equal(links(weak("\0v", { {} })), "r r.[1]")
for _, mode in ipairs { 5, true, {}, print } do
  local metatable = { __mode = mode }
  check.equal(links { setmetatable({ 1, 2, held = {} }, metatable) }:match "%S+%.held", "r.[1].held")
end
-- It is the metatable's own field.
check.equal(links(setmetatable({ {} }, setmetatable({}, { __index = { __mode = "v" } })))
  :match "r%.%[1%]", "r.[1]")

-- Strings and numbers are no objects and never weak.
do
  local t = weak("k", { text = {}, [5] = {}, [true] = {} })
  check.equal(links(t), "r r.[5] r.text r.[true]")
  t = weak("v", { [{}] = "text" })
  check.equal(links(t), "r r.[key]")
end

-- Weak references do not count.
do
  local object = {}
  check.equal(refs({ object, weak("v", { object, object, x = object }) }, object), 1)
  check.equal(refs({ object, weak("k", { [object] = 1 }) }, object), 1)
  check.equal(refs({ object, weak("kv", { [object] = object }) }, object), 1)
  check.equal(refs({ object, weak("v", { [object] = object }) }, object), 2)
  -- The value of an ephemeron is held by it, also when it is its own key held elsewhere.
  local value = {}
  check.equal(refs({ object, weak("k", { [object] = value }) }, value), 1)
  check.equal(#check.rows(snapshot.snapshot({ weak("v", { object }) }, "r")), 3)
end

-- Functions in C without upvalues: plain pointers from 5.2 on, which nothing holds weakly.
do
  local light = host.lightfunction()
  check.equal(refs({ weak("v", { light }) }, light), ephemerons and 1 or nil)
  check.equal(refs({ weak("k", { [light] = 1 }) }, light), ephemerons and 1 or nil)
  local t = weak("k", { [light] = { "value" } })
  check.matches(links(t), "r%.%[function:0x%x+%]")
  local closure = host.cclosure(1)
  check.equal(refs({ weak("k", { [closure] = 1 }) }, closure), nil)
  check.equal(refs({ weak("v", { closure }) }, closure), nil)
end

-- Ephemerons.
if ephemerons then
  local function count(root) return #snapshot.snapshot(root, "r") end
  -- A value that holds its own key does not keep the pair, nor do two that hold each other's.
  do
    local key = {}
    check.equal(links(weak("k", { [key] = key })), "r")
    check.equal(links(weak("k", { [key] = { key } })), "r")
    check.equal(links(weak("k", { [key] = function() return key end })), "r")
    local other = {}
    check.equal(links(weak("k", { [key] = other, [other] = key })), "r")
    check.equal(links { weak("k", { [key] = other }), weak("k", { [other] = key }) }, "r r.[1] r.[2]")
    check.equal(count { weak("k", { [key] = other }), weak("k", { [other] = key }), key }, 7)
  end
  -- A chain across many tables, whose first key is held by the last thing that is walked.
  do
    local keys, tables = {}, {}
    for i = 1, 20 do keys[i] = { i } end
    for i = 1, 19 do tables[i] = weak("k", { [keys[i]] = keys[i + 1] }) end
    check.equal(count { tables }, 2 + 19 * 2)
    check.equal(count { tables, keys[1] }, 2 + 19 * 2 + 20)
    check.equal(count { keys[1], tables }, 2 + 19 * 2 + 20)
    check.equal(count { tables, z = { { { keys[20] } } } }, 2 + 19 * 2 + 4)
    check.equal(count { tables, z = { { { keys[11] } } } }, 2 + 19 * 2 + 3 + 10)
    -- The table itself reached by an ephemeron.
    local inner = weak("k", { [keys[2]] = { "deep" } })
    local outer = weak("k", { [keys[1]] = inner })
    check.equal(count { outer }, 3)
    check.equal(count { outer, keys[1] }, 6)
    check.equal(count { outer, keys[1], keys[2] }, 8)
  end
  -- Many pairs on one key.
  do
    local key, tables = {}, {}
    for i = 1, 1000 do tables[i] = weak("k", { [key] = { i } }) end
    check.equal(count { tables }, 2 + 2000)
    check.equal(count { tables, key }, 2 + 2000 + 1001)
    check.equal(count { key, tables }, 2 + 2000 + 1001)
  end
  -- A long chain in one table takes time by its length and not by its square. (Lua's own collector
  -- can take the square.)
  do
    collectgarbage "stop"
    local long = weak "k"
    local first = {}
    local key = first
    for _ = 1, 100000 do
      local next = {}
      long[key] = next
      key = next
    end
    local start = host.clock()
    check.equal(count { long }, 3)
    check.equal(count { long, first }, 3 + 100001)
    check.equal(count { first, long }, 3 + 100001)
    local seconds = host.clock() - start
    if seconds > 10 then error(seconds .. " seconds for a chain of ephemerons") end
    long = nil
    collectgarbage "restart"
  end
end

-- A weak table that is its own key, value, metatable or mode.
do
  local t = weak "k"
  t[t] = t
  check.equal(links(t), "r")
  check.equal(refs(t, t), 2)
  local own = {}
  own.__mode, own[1] = "v", {}
  check.equal(links(setmetatable(own, own)), "r")
end
