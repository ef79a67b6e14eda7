-- The native engine accounts for every byte: what all objects and fixed blocks have adds up to what
-- the VM itself says it holds, whatever the heap has and whatever the collector is doing.
--
-- The arguments: what the name of the layout has to contain.

local layout = ...
local snapshot = require "snapshot"
local check = require "check"
local zoo = require "zoo"

local version, is_luajit = check.version, check.is_luajit
local has_ffi = pcall(require, "ffi")
local NATIVE = { engine = "native" }
-- Whether a LuaJIT has references of 32 bits.
local is_narrow = is_luajit and host.vm:find "^jit32" ~= nil
-- Bytes of an empty table, and of the heads of LuaJIT's strings and cdata.
local has_64 = version == 5.1 or layout:find("5%.2%.1", 1, true)
local TABLE = is_narrow and 32 or has_64 and 64 or version <= 5.4 and 56 or 48
local STRING = is_narrow and 20 or 24
local CDATA = is_narrow and 8 or 16

local function capture() return snapshot.snapshot(nil, nil, NATIVE) end

--- What a native capture counts, here and now.
local function stats()
  local s = capture()
  local counted = snapshot.stats(s)
  s:free()
  return counted
end

--- Checks a count: all of it adds up, to the VM's own total.
local function check_sums(counted, where)
  check.equal(counted.engine, "native", where)
  check.equal(counted.exact, true, where)
  check.equal(counted.unaccounted, 0, where)
  check.equal(counted.accounted, counted.total, where)
  local sum = counted.objects.bytes + counted.garbage.bytes + counted.own.bytes
  for _, bytes in pairs(counted.blocks) do sum = sum + bytes end
  check.equal(sum, counted.total, where)
  local live = { count = 0, bytes = 0 }
  local garbage = { count = 0, bytes = 0 }
  for _, kind in pairs(counted.kinds) do
    live.count, live.bytes = live.count + kind.count, live.bytes + kind.bytes
    garbage.count = garbage.count + kind.garbage_count
    garbage.bytes = garbage.bytes + kind.garbage_bytes
  end
  check.equal(live.count, counted.objects.count, where)
  check.equal(live.bytes, counted.objects.bytes, where)
  check.equal(garbage.count, counted.garbage.count, where)
  check.equal(garbage.bytes, counted.garbage.bytes, where)
end

local exacts = 0
local function exact(where)
  exacts = exacts + 1
  local counted = stats()
  check_sums(counted, where)
  return counted
end

--- The same where a VM has memory that no list has for the moment.
local function native(where)
  exacts = exacts + 1
  local counted = stats()
  check.equal(counted.engine, "native", where)
  check.equal(counted.unaccounted >= 0, true, where)
  check.equal(counted.accounted + counted.unaccounted, counted.total, where)
end

-- A bare heap, and the first capture of all.
local first = exact "at first"
check.matches(first.layout, layout)
check.matches(first.vm, is_luajit and "^LuaJIT" or "^" .. _VERSION:gsub("%.", "%%.") .. "$")
for _, kind in ipairs { "table", "lua_function", "c_function", "thread", "string", "prototype" } do
  check.equal(first.kinds[kind].count > 0, true, kind)
end

-- What the VM says it holds is what it said before the call, and what the allocator says.
do
  collectgarbage()
  collectgarbage "stop"
  local before, bytes, s, after, bytes_after
  for _ = 1, 3 do -- the stack has its size, then
    before, bytes = collectgarbage "count" * 1024, host.lua_bytes()
    s = capture()
    after, bytes_after = collectgarbage "count" * 1024, host.lua_bytes()
  end
  local counted = snapshot.stats(s)
  check.equal(counted.total, before)
  -- 5.1 does not count the extra space of its main thread.
  local uncounted = host.vm == "space-64-5.1" and 64 or 0
  if not is_luajit then check.equal(counted.total + uncounted, bytes) end
  -- It costs a userdata and a marker, and no more.
  local cost = after - before
  check.equal(cost, bytes_after - bytes)
  check.equal(cost > 0 and cost < 250, true, cost .. " bytes for a snapshot")
  local own = snapshot.stats(capture()).own
  check.equal((own.bytes - counted.own.bytes), cost)
  check.equal(own.count - counted.own.count, 2)
  collectgarbage "restart"
end

-- Everything there is.
local kept = {}
for name, make in pairs(zoo) do
  if name ~= "luajit" and name ~= "all" then
    kept[name] = make()
    exact(name)
  end
end
if is_luajit then
  kept.luajit = zoo.luajit()
  local counted = exact "luajit"
  local function count(kind) return counted.kinds[kind] and counted.kinds[kind].count or 0 end
  check.equal(count "cdata" > 20, has_ffi)
  if not host.checked then check.equal(count "trace" > 0, (jit.status())) end
end
do
  local counted = exact "all"
  for _, kind in ipairs { "userdata", "upvalue" } do
    check.equal(counted.kinds[kind].count > 5, true, kind)
  end
end
check.collect()
exact "all, collected"

-- Objects of known kinds: so many more of these, and of nothing else; so many bytes as the
-- allocator says.
do
  local made
  local function delta(make)
    collectgarbage()
    collectgarbage "stop"
    local a, bytes, b
    for _ = 1, 2 do -- the first time the stack may grow
      made = nil
      a = capture()
      bytes = host.lua_bytes()
      make()
      bytes = host.lua_bytes() - bytes
      b = capture()
    end
    local old, new = snapshot.stats(a), snapshot.stats(b)
    check_sums(old)
    check_sums(new)
    local counts, sizes = {}, {}
    for name, kind in pairs(new.kinds) do
      local before = old.kinds[name] or { count = 0, bytes = 0, garbage_count = 0, garbage_bytes = 0 }
      local count = kind.count + kind.garbage_count - before.count - before.garbage_count
      local size = kind.bytes + kind.garbage_bytes - before.bytes - before.garbage_bytes
      if count ~= 0 or size ~= 0 then counts[name], sizes[name] = count, size end
    end
    collectgarbage "restart"
    return counts, sizes, bytes
  end

  --- `make` makes so many objects of each kind.
  local function makes(what, expected, make)
    local counts, sizes, bytes = delta(make)
    local sum = 0
    for name, count in pairs(counts) do
      check.equal(count, expected[name] or 0, what .. ": " .. name)
      sum = sum + sizes[name]
    end
    for name, count in pairs(expected) do check.equal(counts[name], count, what .. ": " .. name) end
    if not is_luajit then check.equal(sum, bytes, what .. ": bytes") end
    return sizes
  end

  makes("nothing", {}, function() end)
  check.equal(makes("a table", { table = 1 }, function() made = {} end).table, TABLE)
  makes("a table with elements", { table = 1 }, function() made = { 1, 2, 3, 4, 5 } end)
  makes("a table with names", { table = 1 }, function() made = { x = 1, y = 2, z = 3 } end)
  makes("nested tables", { table = 4 }, function() made = { {}, { {} } } end)

  -- (Each is another one, as one that is still there is not made again.)
  local n = 100
  local sizes = makes("a string", { string = 1 }, function()
    n = n - 1
    made = ("x"):rep(n)
  end)
  check.equal(sizes.string, is_luajit and STRING + 100 or version == 5.5 and 32 + n + 1 or 24 + n + 1)
  n = 25
  sizes = makes("a short string", { string = 1 }, function()
    n = n + 1
    made = ("y"):rep(n)
  end)
  check.equal(sizes.string, is_luajit and STRING + 28 or 24 + n + 1)
  if host.external then
    check.equal(makes("a fixed string", { string = 1 }, function() made = host.external(100) end).string, 32)
    check.equal(makes("a string outside", { string = 1 }, function() made = host.external(100, true) end).string, 48)
  end

  local upvalue = {}
  if version ~= 5.2 and version ~= 5.3 then -- these use the last one again
    makes("a closure", { lua_function = 1 }, function() made = function() return upvalue end end)
  end
  makes("a closure with a variable of its own", { lua_function = 1, upvalue = 1 }, function()
    local own = 1
    made = function() own = own + 1 return own end
  end)
  makes("two closures that share a variable", { lua_function = 2, upvalue = 1, table = 1 }, function()
    local own = 1
    made = { function() own = own + 1 end, function() own = own - 1 end }
  end)
  makes("a C function", { c_function = 1 }, function() made = host.cclosure(upvalue, 2) end)
  if version >= 5.2 then
    makes("a C function without upvalues", {}, function() made = host.lightfunction() end)
  end
  makes("a userdata", { userdata = 1 }, function() made = host.userdata(10) end)
  sizes = makes("a bigger one", { userdata = 1 }, function() made = host.userdata(1010) end)
  local _, smaller = delta(function() made = host.userdata(10) end)
  check.equal(sizes.userdata - smaller.userdata, 1000)
  if version >= 5.4 then
    sizes = makes("one with user values", { userdata = 1 }, function() made = host.userdata(10, 7) end)
    -- (Without any, a userdata's head is shorter by a word or two.)
    local more = sizes.userdata - smaller.userdata - 7 * 16
    check.equal(more == 8 or version == 5.5 and more == 16, true, more)
  end
  local function body() coroutine.yield() end
  makes("a coroutine", { thread = 1 }, function() made = coroutine.create(body) end)
  makes("a coroutine that waits", { thread = 1 }, function()
    made = coroutine.create(body)
    coroutine.resume(made)
  end)
  local text = ("return function() return function() return 1 end end, %q"):format(("k"):rep(60))
  local parts = { text }
  local function read() return table.remove(parts) end
  local prototypes = delta(function()
    parts[1] = text
    made = load(read, "=chunk")
  end)
  check.equal(prototypes.prototype, 3)
  check.equal(prototypes.lua_function, 1)
  if has_ffi then
    local ffi = require "ffi"
    local int4 = ffi.typeof "int[4]"
    check.equal(makes("a cdata", { cdata = 1 }, function() made = int4() end).cdata, CDATA + 16)
  end
end

-- What nothing holds is garbage, to the object, until it is collected.
do
  check.collect() -- until the markers of snapshots whose finalizers ran are gone as well
  local bare = exact "without garbage".garbage
  local held = {}
  for i = 1, 1000 do held[i] = false end
  collectgarbage()
  collectgarbage "stop"
  local before = stats()
  for i = 1, 1000 do held[i] = {} end
  local full = stats()
  for i = 1, 1000 do held[i] = false end
  local after = stats()
  check_sums(before)
  check_sums(full)
  check_sums(after)
  local grown = full.kinds.table.garbage_count - before.kinds.table.garbage_count
  check.equal(after.kinds.table.garbage_count - full.kinds.table.garbage_count, 1000)
  check.equal(grown, 0)
  check.equal(after.garbage.count - full.garbage.count, 1000)
  local one = (after.kinds.table.garbage_bytes - full.kinds.table.garbage_bytes) / 1000
  check.equal(one, TABLE)
  collectgarbage "restart"
  check.collect()
  local collected = exact "collected".garbage
  check.equal(collected.count, bare.count)
  check.equal(collected.bytes, bare.bytes)
end

-- In every phase of a collection.
local function churn(round, mark)
  local t = kept.churn or {}
  kept.churn = t
  for i = 1, 20 do
    local n = (round * 7 + i) % 200 + 1
    t[n] = { round, tostring(round + i), function() return n, t end, ("x"):rep(50 + i) }
    if i % 5 == 0 then
      t[n][5] = coroutine.create(churn)
      t[n][6] = host.userdata(i)
      t[n][7] = setmetatable({ [{}] = t[n] }, { __mode = i % 2 == 0 and "k" or "v" })
    end
    if i % 10 == 0 then
      debug.setmetatable(host.userdata(8), { __gc = function() if mark then exact(mark) end end })
    end
  end
end
local function phases(rounds, where)
  for round = 1, rounds do
    churn(round)
    collectgarbage("step", round % 4)
    exact(where)
  end
end
local ROUNDS = host.checked and 40 or 150
phases(ROUNDS, "in a phase")
if version < 5.5 then
  local multiplier = collectgarbage("setstepmul", version == 5.4 and 10 or 2)
  phases(ROUNDS, "in a short phase")
  collectgarbage("setstepmul", multiplier)
else
  local multiplier = collectgarbage("param", "stepmul", 10)
  local size = collectgarbage("param", "stepsize", 100)
  phases(ROUNDS, "in a short phase")
  collectgarbage("param", "stepmul", multiplier)
  collectgarbage("param", "stepsize", size)
end
if version >= 5.4 or (version == 5.2 and not is_luajit) then
  collectgarbage "generational"
  phases(ROUNDS, "in a generation")
  collectgarbage()
  phases(20, "in a generation, collected")
  collectgarbage "incremental"
  phases(20, "out of generations")
end

-- Where programs call: while finalizers wait, in finalizers, in metamethods, in hooks, in callbacks
-- of the library, in coroutines, in the reader of a `load`.
do
  local ran = 0
  local metatable = { __gc = function()
    ran = ran + 1
    exact "in a finalizer"
  end }
  for _ = 1, 10 do debug.setmetatable(host.userdata(24), metatable) end
  if version >= 5.2 and not is_luajit then
    for _ = 1, 10 do setmetatable({}, metatable) end
  end
  check.collect()
  check.equal(ran >= 10, true)
  churn(1, "in a finalizer of many")
  check.collect()

  local before = exacts
  local object = setmetatable({}, {
    __index = function() exact "in a metamethod" return "x" end,
    __tostring = function() exact "in tostring" return "x" end,
    __add = function() exact "in an addition" return "x" end,
  })
  local _ = object.x .. tostring(object) .. (object + 1)
  check.equal(exacts, before + 3)

  before = exacts
  ;("a b c"):gsub("%a", function() native "in gsub" end)
  check.equal(exacts, before + 3)
  table.sort({ 3, 2, 1 }, function(a, b) exact "in sort" return a < b end)
  if version >= 5.2 then before = exacts local _ = ("%s%s"):format(object, object) check.equal(exacts, before + 2) end
  coroutine.wrap(function(...) exact "in a coroutine" return ... end)({}, {})
  coroutine.wrap(function()
    coroutine.wrap(function() exact "in a coroutine of a coroutine" end)()
  end)()
  pcall(error, setmetatable({}, { __tostring = function() exact "of an error" return "" end }))
  xpcall(error, function() exact "in a message handler" end)
  xpcall(function() local function deep(n) return n == 0 and exact "deep" or (deep(n - 1)) end deep(150) end, print)

  for _, mask in ipairs { "c", "l", not is_luajit and "r" or nil } do
    local count = 0
    debug.sethook(function()
      count = count + 1
      if count == 3 then exact("in a hook of " .. mask) end
    end, mask)
    local function f() local a = 1
      return a
    end
    f()
    f()
    debug.sethook()
    check.equal(count >= 3, true)
  end

  before = exacts
  local pieces = { "local a, b = 1, {} ", "local function f(...) return a, ... ", "end ", "return f" }
  local at = 0
  local f = assert(load(function()
    native "in a reader"
    at = at + 1
    return pieces[at]
  end, "=pieces"))
  check.equal(exacts > before + 3, true)
  check.equal(type(f()), "function")
  -- A reader that fails half way.
  at = 0
  local ok = pcall(load, function()
    native "in a reader"
    at = at + 1
    if at == 3 then error "enough" end
    return pieces[at]
  end)
  check.equal(type(ok), "boolean")
  collectgarbage()
end
exact "in the end"

-- Nothing of it was lost: with everything let go, the heap is as small as it was.
kept = nil
check.collect()
local last = exact "all gone"
check.equal(last.kinds.thread.count <= first.kinds.thread.count + 1, true)
check.equal(exacts > 300 or host.checked, true, exacts .. " captures")
