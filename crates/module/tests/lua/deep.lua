-- Depth, on a machine stack that is small (limits.rs sees to it); and time that goes by the size of
-- a heap, not by its square.

local snapshot = require "snapshot"
local check = require "check"

--- Runs f(...), in no more than some seconds. (The limits are generous: they tell a square.)
local function within(seconds, what, f, ...)
  local start = host.clock()
  local result = f(...)
  local took = host.clock() - start
  if took > seconds then error(("%s took %.1f seconds"):format(what, took), 2) end
  return result
end

--- Everything that walks: a snapshot of `root` in all shapes. It has `count` objects.
local function all(what, root, count)
  local s = within(20, what, snapshot.snapshot, root, "root")
  if count then check.equal(#s, count, what) end
  within(20, what .. " as JSON", snapshot.to_jsonfile, s, "/dev/null")
  within(20, what .. " as text", snapshot.to_file, s, "/dev/null")
  local nothing = snapshot.snapshot({}, "root")
  local grown = within(20, what .. ", incr", snapshot.incr, nothing, s)
  check.equal(#grown, #s)
  grown:free()
  check.equal(#s:decr(s), 0)
  s:free()
end

-- Chains of other kinds.
do
  local function chain(count, link)
    local last = {}
    for i = 1, count do last = link(last) end
    return { last }
  end
  local n = 100000
  all("a chain of keys", chain(n, function(last) return { [last] = true } end), n + 2)
  all("a chain of metatables", chain(n, function(last) return setmetatable({}, last) end), n + 2)
  all("a chain of closures", chain(n, function(last) return function() return last end end))
  all("a chain of closures in C", chain(n, function(last) return host.cclosure(last) end))
  all("a chain of userdata", chain(n, function(last)
    local u = host.userdata(0, 1)
    host.setuservalue(u, type(last) == "table" and last or { last })
    return u
  end))
end

-- Metatables in circles.
do
  local first, second, own = {}, {}, {}
  setmetatable(first, second)
  setmetatable(second, first)
  setmetatable(own, own)
  all("metatables in circles", { first, second, own }, 4)
end

-- Coroutines, each held by nothing but the stack of the next.
do
  local n = 100000
  local yield = coroutine.yield
  local function body(previous) yield() return previous end
  collectgarbage "stop"
  local last
  for _ = 1, n do
    local co = coroutine.create(body)
    coroutine.resume(co, last)
    last = co
  end
  local s = within(20, "nested coroutines", snapshot.snapshot, last, "root")
  check.equal(#s > n, true)
  within(20, "nested coroutines as JSON", snapshot.to_jsonfile, s, "/dev/null")
  within(20, "nested coroutines, incr", snapshot.incr, snapshot.snapshot({}, "root"), s)
  within(20, "nested coroutines, everything", snapshot.snapshot)
  last = nil
  collectgarbage "restart"
end

-- A deep recursion, with the snapshot taken at its bottom; on the main thread, on one that runs,
-- and on one that waits.
do
  local depth = check.is_luajit and 6000 or check.is_51_api and 15000 or 150000
  local rows
  local function recurse(n, f)
    if n == 0 then return f() end
    local object = n % 1000 == 0 and {} or nil
    local result = recurse(n - 1, f)
    return result, object
  end
  local function look() return within(20, "at the bottom", snapshot.snapshot) end
  local s = recurse(depth, look)
  check.equal(#s > depth / 1000, true)
  within(20, "recursion in a coroutine", coroutine.wrap(recurse), depth, look)
  local waiting = coroutine.create(recurse)
  coroutine.resume(waiting, depth, coroutine.yield)
  all("a recursion that waits", waiting)
  check.matches(check.rows(snapshot.snapshot({ waiting }, "r"))[2].desc, "^%(vars: " .. (depth / 1000))
end

-- Wide ones.
do
  local n = 300000
  local array, map = {}, {}
  for i = 1, n do array[i] = {} end
  for i = 1, n do map["name" .. i] = {} end
  all("a wide array", array, n + 1)
  all("a wide table", map, n + 1)
  -- One object that all hold, and one that holds all.
  local one = {}
  for i = 1, n do array[i] = { one } end
  all("one for all", array, n + 2)
end
