-- Coroutines below more calls than some VMs count (65,535 in 5.3 and 5.4): every byte is accounted for,
-- and what the stack retains is what is freed without it.

local snapshot = require "snapshot"
local check = require "check"

snapshot.snapshot():free() -- what the first one leaves in the heap is there

local function deep(n)
  if n == 0 then coroutine.yield() return 1 end
  return 1 + deep(n - 1)
end

--- What the collector has freed when it is done.
local function freed_by(drop)
  collectgarbage() collectgarbage()
  local before = collectgarbage "count"
  drop()
  collectgarbage() collectgarbage()
  return (before - collectgarbage "count") * 1024
end

-- A stack that overflowed stays as large as it may be, and after a collection has no room that the API
-- knows of: no reason to do without the snapshot.
local overflowed = coroutine.create(function() local function f() return f() + 1 end return f() end)
assert(not coroutine.resume(overflowed))
for _ = 1, 2 do
  if host.checked then break end -- what asserts on the API does not let us
  for _, engine in ipairs { "native", "portable" } do
    local s = snapshot.snapshot(nil, nil, { engine = engine })
    check.equal(s:stats().engine, engine)
    s:free()
  end
  local s = snapshot.snapshot({ overflowed }, "root")
  check.equal(#s > 1, true)
  s:free()
  collectgarbage() collectgarbage()
end
overflowed = nil

for _, depth in ipairs { 1000, 65534, 65535, 65536, 65537, 131072, 150000 } do
  held = coroutine.create(deep)
  -- 5.1 and LuaJIT have no room for so many.
  if coroutine.resume(held, depth) and coroutine.status(held) == "suspended" then
    collectgarbage() collectgarbage()
    local s = snapshot.snapshot()
    local counted = s:stats()
    check.equal(counted.engine, "native", depth)
    check.equal(counted.unaccounted, 0, depth)
    check.equal(counted.exact, true, depth)
    local retained = snapshot.retainers(s, "_G.held").retained
    s:free()
    check.equal(retained, freed_by(function() held = nil end), depth)
  else
    assert(depth > 1000, depth)
  end
end
