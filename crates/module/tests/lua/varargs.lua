-- Extra arguments, of functions that run and of coroutines that wait.
--
-- The API of 5.1 does not show them. The portable engine reads where they are and has them pushed
-- by the VM; that its checked build takes for a mistake when nothing else holds the object.
local snapshot = require "snapshot"
local check = require "check"

if host.checked and host.vm == "5.1" then
  -- So there it goes without, and does not abort.
  -- It names `...`, or 5.1 would make a table `arg` of them.
  local function take(...)
    local size = #snapshot.snapshot()
    return size, ...
  end
  check.equal(take({}, {}) > 0, true)
  return
end

local LABEL = "%[%(vararg%):script%.lua%]"

-- Of a function that runs.
local function look(names, depth)
  local rows = check.rows(snapshot.snapshot())
  for _, name in ipairs(names) do
    check.matches(rows[name] and rows[name].link, check.MAIN .. "%." .. LABEL .. "$")
  end
end
local function with_extra(fixed, ...)
  local names = {}
  for i = 1, select("#", ...) do names[i] = check.name((select(i, ...))) end
  look(names)
  -- With the frame's registers filled by something else, what they held is gone.
  local a, b, c, d, e, f = 1, 2, 3, 4, 5, 6
  coroutine.wrap(look)(names)
  return a, b, c, d, e, f
end
with_extra(1, {})
with_extra(nil, {}, function() end, {})
with_extra(nil, host.userdata(8), coroutine.create(function() end))
-- What they hold is found with them.
;(function(...)
  local name = check.name((...)[1][1])
  check.found(name, LABEL .. "%.%[1%]%.%[1%]$")
end)({ { {} } })

-- Of a coroutine that waits, in every frame of it.
local names = {}
local function named(kind, object)
  names[#names + 1] = check.name(object)
  return object
end
local function inner(...)
  coroutine.yield()
  return ...
end
local function outer(fixed, ...)
  inner(named("inner", {}), 5, named("inner", host.userdata(1)))
  return ...
end
local co = coroutine.create(outer)
coroutine.resume(co, 1, named("outer", {}), nil, "text", named("outer", { {} }))
check.collect()
local rows = check.rows(snapshot.snapshot(co, "co"))
for i, name in ipairs(names) do
  check.matches(rows[name] and rows[name].link, "^co%." .. LABEL .. "$")
end

-- Those that are held by others too count as references of their own.
local shared = {}
co = coroutine.create(function(...) coroutine.yield() return ... end)
coroutine.resume(co, shared, shared)
rows = check.rows(snapshot.snapshot({ co, shared }, "t"))
check.equal(rows[check.name(shared)].link, "t.[2]")
check.equal(rows[check.name(shared)].refs >= 2, true)

-- Many, and many frames.
local function many(n, ...)
  if n > 0 then return (many(n - 1, {}, ...)) end
  local last = check.name((select(select("#", ...), ...)))
  check.found(last, LABEL .. "$")
  return nil, ...
end
many(150)

-- Of a main chunk: none here, as nobody gave any.
for _, row in ipairs(check.rows(snapshot.snapshot())) do
  check.equal(row.link:find(LABEL), nil, row.link)
end
