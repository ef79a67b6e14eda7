-- A native capture allocates nothing in Lua's heap but what it returns (a userdata and its marker),
-- writes nothing, and leaves the collector as it was: anywhere, and when there is no memory.

local snapshot = require "snapshot"
local check = require "check"

if jit then jit.off() end
local version, is_luajit = check.version, check.is_luajit
local NATIVE = { engine = "native" }

local function capture() return snapshot.snapshot(nil, nil, NATIVE) end

heap = {}
for i = 1, 2000 do
  heap[i] = { i, "item" .. i, function() return i end, setmetatable({}, { __mode = "k" }) }
  if i % 50 == 0 then
    heap[i][5] = coroutine.create(function() coroutine.yield() end)
    coroutine.resume(heap[i][5])
  end
end

-- Requests for memory, and bytes: a userdata and a table.
do
  check.collect()
  collectgarbage "stop"
  local requests, bytes, count, s
  local costs = {}
  for round = 1, 5 do
    s = nil
    requests, bytes, count = host.alloc_count(), host.lua_bytes(), collectgarbage "count"
    s = capture()
    count = (collectgarbage "count" - count) * 1024
    bytes, requests = host.lua_bytes() - bytes, host.alloc_count() - requests
    costs[round] = bytes
    if round > 1 then -- the first time the stack may grow
      check.equal(requests, 2, "requests for memory")
      if not is_luajit then check.equal(count, bytes) end
    end
  end
  check.equal(costs[5] < 200, true, costs[5] .. " bytes")
  check.equal(costs[5], costs[2])
  check.equal(s:stats().engine, "native")
  collectgarbage "restart"
end

local runs = check.collector_runs

-- The collector: stopped or not, and in its mode.
do
  collectgarbage "stop"
  capture()
  check.equal(runs(), false)
  if version >= 5.2 then check.equal(collectgarbage "isrunning", false) end
  collectgarbage "restart"
  capture()
  check.equal(runs(), true)
  if version >= 5.4 then
    collectgarbage "generational"
    capture()
    check.equal(collectgarbage "incremental", "generational")
    capture()
    check.equal(collectgarbage "generational", "incremental")
    collectgarbage "incremental"
  end
end

-- Nothing is written: not a byte of an object, as far as programs can tell.
do
  local function digest()
    local parts = {}
    for i = 1, 2000, 100 do
      local row = heap[i]
      for k, v in pairs(row) do parts[#parts + 1] = tostring(k) .. tostring(v) end
      parts[#parts + 1] = #row
      parts[#parts + 1] = row[3]()
    end
    return table.concat(parts, " ")
  end
  local before = digest()
  local order = {}
  for k in pairs(_G) do order[#order + 1] = k end
  for _ = 1, 3 do capture() end
  check.equal(digest(), before)
  local n = 0
  for k in pairs(_G) do
    n = n + 1
    check.equal(k, order[n])
  end
  -- An iteration that is under way goes on as it was.
  local seen = {}
  for k in next, heap[50] do
    capture()
    seen[#seen + 1] = k
  end
  check.equal(#seen, 5)
end

-- In a finalizer, in a hook, in a coroutine, in an error.
do
  local engines = {}
  local function look() engines[#engines + 1] = capture():stats().engine end
  local u = host.userdata(8)
  debug.setmetatable(u, { __gc = look })
  u = nil
  check.collect()
  debug.sethook(function()
    debug.sethook()
    look()
  end, "c")
  type(1)
  coroutine.wrap(look)()
  xpcall(error, look)
  check.equal(table.concat(engines, " "), "native native native native")
end

-- With no memory at all a capture ends in Lua's own error, and the next is as good as any.
do
  local before = capture()
  local failures = 0
  for n = 1, 100 do
    local refusals = host.refusals()
    local ok, result = host.pcall_failing_at(n, capture)
    if ok then
      check.equal(host.refusals(), refusals)
      check.equal(result:stats().engine, "native")
      break
    end
    failures = failures + 1
    check.equal(result, "not enough memory")
    local s = capture()
    check.equal(s:stats().engine, "native")
    check.equal(s:stats().unaccounted, 0)
    s:free()
  end
  check.equal(failures >= 2 and failures < 20, true, failures .. " failures")
  -- One failure is no failure where the collector is asked for help (in 5.2 not while it is
  -- stopped, as it is for a capture).
  for n = 1, 5 do
    local ok, result = host.pcall_failing_once(n, capture)
    if version >= 5.3 then check.equal(ok, true) end
    if not ok then check.equal(result, "not enough memory") end
  end
  local after = capture()
  check.equal(before:stats().kinds.thread.count, after:stats().kinds.thread.count)
end

-- Metatables that raise, and globals that are guarded: nobody asks them.
do
  local ran = false
  local function raises() ran = true error "user code ran" end
  local events = { "__index", "__newindex", "__pairs", "__len", "__eq", "__call", "__tostring" }
  local hostile = {}
  for _, event in ipairs(events) do hostile[event] = raises end
  heap.hostile = setmetatable({ {} }, hostile)
  debug.setmetatable(_G, hostile)
  local s = capture()
  debug.setmetatable(_G, nil)
  check.equal(ran, false)
  check.equal(s:stats().engine, "native")
end
