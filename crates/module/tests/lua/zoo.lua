-- A heap that has objects of every kind and of many sizes.

local check = require "check"
local load_text = loadstring or load
local unpack = unpack or table.unpack
local version, is_luajit = check.version, check.is_luajit

-- What its objects hold on to.
local zoo = {}

local SIZES = { 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 15, 16, 17, 31, 32, 33, 100, 127, 129, 1000 }

function zoo.strings()
  local all = {}
  for n = 0, 50 do all[#all + 1] = ("s"):rep(n) end
  for _, n in ipairs { 100, 255, 256, 1000, 65536, 100000 } do
    all[#all + 1] = ("long"):rep(n)
    all[#all + 1] = ("z\0"):rep(n)
  end
  for byte = 0, 255 do all[#all + 1] = string.char(byte, 255, byte) end
  if host.external then
    for _, n in ipairs { 0, 1, 40, 41, 100, 1000 } do
      all[#all + 1] = host.external(n)
      all[#all + 1] = host.external(n, true)
    end
    -- As keys, and as what a table is looked up by.
    local t = { [host.external(100)] = 1, [host.external(20, true)] = 2 }
    assert(t[("e"):rep(100)] == 1 and t[("f"):rep(20)] == 2)
    all[#all + 1] = t
  end
  return all
end

--- Tables that came to their sizes in different ways, each asked for its length.
function zoo.tables()
  local all = {}
  local function add(t)
    local _ = #t
    all[#all + 1] = t
    return t
  end
  for _, n in ipairs(SIZES) do
    -- Grown, by elements, by names, by both.
    local t = add {}
    for i = 1, n do t[i] = i end
    t = add {}
    for i = 1, n do t["name" .. i] = t end
    t = add {}
    for i = 1, n do t[i], t[-i], t[i + 0.5] = i, i, i end
    t = add {}
    for i = n, 1, -1 do t[i] = i end
    -- Made at once: by a constructor, from a call's results, with room for more.
    local numbers = ("1,"):rep(math.min(n, 200))
    t = add(load_text("return {" .. numbers .. "}")())
    local _ = #t
    for i = #t, 1, -1 do
      t[i] = nil
      _ = #t
    end
    add(load_text("return {" .. numbers .. "nil, nil, nil}")())
    add(load_text("return {" .. numbers .. "x = 1, y = 2, z = {}}")())
    add { unpack({}, 1, n) }
    add { unpack(add { "x" }, 1, n) }
    add(host.newtable(n, 0))
    add(host.newtable(0, n))
    add(host.newtable(n, n))
    t = add(host.newtable(n, 0))
    for i = 1, n / 2 do t[i] = i end
    _ = #t
    t[n + 1] = true
    _ = #t
    if table.create then add(table.create(n, n)) end
    -- Shrunk.
    t = add {}
    for i = 1, n do t[i] = i end
    while #t > n / 3 do table.remove(t) end
    _ = #t
    t.x, t.y, t.z = 1, 2, 3
    _ = #t
    t = add {}
    for i = 1, n do t["name" .. i] = i end
    for i = 1, n do t["name" .. i] = nil end
    t.one = 1
    -- With holes.
    t = add {}
    for i = 1, n do t[i] = {} end
    for i = 1, n, 2 do t[i] = nil end
    _ = #t
    t[n * 2 + 1] = {}
    _ = #t
    t = add {}
    for i = 1, n do t[2 ^ (i % 40)] = i end
    -- As a queue.
    t = add {}
    for i = 1, n do t[i] = {} end
    for i = 1, n do
      t[n + i] = {}
      t[i] = nil
      _ = #t
    end
    if n > 0 then table.insert(t, 1, {}) end
  end
  -- Keys of every type.
  all.keys = {
    [true] = 1, [1.5] = 2, [2 ^ 53] = 3, [-0.25] = 4, [1 / 0] = 5, [print] = 6, [{}] = 7,
    [coroutine.create(function() end)] = 8, [io.stdout] = 9, [host.lightuserdata(64)] = 10,
    [("long key"):rep(10)] = 11, ["\255\0"] = 12, [host.lightfunction()] = 13,
  }
  return all
end

function zoo.weak_tables()
  local all = {}
  for _, mode in ipairs { "k", "v", "kv" } do
    local t = setmetatable({}, { __mode = mode })
    for i = 1, 20 do
      t[i] = { i }
      t[{ i }] = { i }
      t["name" .. i] = all
      t[{}] = i
    end
    local key = {}
    all[#all + 1] = key
    for _ = 1, 5 do
      t[key] = { key }
      key = t[key]
    end
    all[#all + 1] = t
  end
  return all
end

--- Prototypes with everything that they can have, and closures of them.
function zoo.functions()
  local all = {}
  local function add(text)
    local f = assert(load_text(text, "=zoo"))
    all[#all + 1] = f
    all[#all + 1] = { pcall(f) }
    if string.dump then
      all[#all + 1] = load_text(string.dump(f))
      if version >= 5.3 or is_luajit then all[#all + 1] = load_text(string.dump(f, true)) end
    end
  end
  add "return"
  add("return nil, true, false, 1, 2.5, -1, 1e300, 'short', ('long'):rep(20), '" .. ("l"):rep(100) .. "'")
  add "local a, b, c = {}, {}, {} return function() return a end, function() b = c return a end"
  add "local a = ... return function(...) local b = a return function(...) return a, b, ... end end"
  add "local t = {} for i = 1, 20 do t[i] = function() return i, t end end return t"
  add "local function f(n) if n > 0 then return f(n - 1) end return function() return f, n end end return f(3)"
  add("return {" .. ("'x',"):rep(300) .. "}")
  local constants, locals, lines = {}, {}, {}
  for i = 1, 600 do constants[i] = ("'constant%d', %d.5"):format(i, i) end
  add("return {" .. table.concat(constants, ",") .. "}")
  for i = 1, 150 do locals[i] = "local v" .. i .. " = " .. i end
  add(table.concat(locals, " ") .. " return v1, v2")
  for i = 1, 300 do lines[i] = ("\n"):rep(i % 7 == 0 and 200 or 1) .. "local _ = " .. i end
  add("do " .. table.concat(lines, " end do ") .. " end")
  add("do local t = {} " .. ("t.x = t "):rep(500) .. "end")
  if version >= 5.2 or is_luajit then add "goto done do local a = {} end ::done:: return 1" end
  if version >= 5.4 then
    add "local a <const>, b <close> = 1, nil return function() return a end"
  end
  -- The same upvalue in several closures, some of which the debug library joined.
  local shared = {}
  local function get() return shared end
  local function set(value) shared = value end
  all.get, all.set = get, set
  if debug.upvaluejoin then
    local other = function() return all end
    debug.upvaluejoin(other, 1, get, 1)
    all.other = other
  end
  -- C functions.
  for _, n in ipairs { 0, 1, 2, 3, 100, 254, 255 } do
    all[#all + 1] = host.cclosure(unpack({ {}, "x", 3, print }, 1, n))
  end
  all[#all + 1] = host.lightfunction()
  all[#all + 1] = ("x"):gmatch "."
  all[#all + 1] = io.lines "script.lua"
  if debug.setfenv then debug.setfenv(get, { set = set }) end
  return all
end

function zoo.userdata()
  local all = {}
  local counts = version >= 5.4 and { 0, 1, 2, 3, 5, 255, 1000 } or { 0 }
  local metatable = { __index = all, __gc = function() end }
  for _, size in ipairs { 0, 1, 7, 8, 9, 15, 16, 17, 24, 100, 4096 } do
    for _, count in ipairs(counts) do
      local u = host.userdata(size, count)
      for n = 1, count, 3 do host.setuservalue(u, { n }, n) end
      if count == 0 and version < 5.4 then host.setuservalue(u, { u }) end
      all[#all + 1] = u
      u = host.userdata(size, count)
      debug.setmetatable(u, metatable)
      all[#all + 1] = u
    end
  end
  all[#all + 1] = host.lightuserdata(16)
  all[#all + 1] = io.tmpfile()
  return all
end

--- Coroutines in every status, and threads that never were coroutines.
function zoo.coroutines()
  local all = {}
  local function add(f, ...)
    local co = coroutine.create(f)
    all[#all + 1] = co
    coroutine.resume(co, ...)
    return co
  end
  local function deep(n, f, ...)
    if n == 0 then return f(...) end
    local a, b = {}, deep(n - 1, f, ...)
    return a, b
  end
  all[#all + 1] = coroutine.create(deep) -- not started
  all[#all + 1] = coroutine.create(function() end)
  if version >= 5.2 or is_luajit then all[#all + 1] = coroutine.create(print) end
  add(function() end) -- done
  add(function(...) return ... end, {}, 1)
  add(function(a) local b = { a } coroutine.yield(b) return a, b end, {})
  add(function(...) local t = { ... } coroutine.yield(t, ...) return t, ... end, {}, {}, {})
  add(function(...) error(...) end, {}) -- failed
  add(function(a) local b = { a } error { b } end, {})
  add(deep, 20, error, {})
  add(deep, 20, coroutine.yield, {})
  add(deep, 1000, coroutine.yield)
  add(function() local a = {} host.yield_last(a, {}, a) return a end)
  all[#all + 1] = coroutine.wrap(deep)
  -- Open upvalues, of one function and of several.
  local shared
  add(function()
    local a, b = {}, {}
    shared = { function() return a end, function() a = b end }
    for i = 1, 3 do
      shared[#shared + 1] = function() return i, a end
      coroutine.yield()
    end
  end)
  all[#all + 1] = shared
  -- In an iterator, and where the VM allows it in a protected call and a metamethod.
  add(function() for k, v in coroutine.yield, {}, 1 do return k, v end end)
  add(function() for k, v in pairs { {} } do coroutine.yield(k, v) end end)
  if version >= 5.2 or is_luajit then
    add(host.yield_last, {}, 2, "three")
    add(pcall, coroutine.yield, {})
    add(function() pcall(pcall, function() local a = {} coroutine.yield(a) return a end) end)
    local o = setmetatable({}, {
      __index = function(t, k) coroutine.yield(t) return k end,
      __add = function(a, b) coroutine.yield(a) return b end,
    })
    add(function() local x = {} return o.x, x end)
    add(function() local x = {} return o + x, x end)
  end
  if version >= 5.4 then
    add(load_text [[
      local a <close> = setmetatable({}, { __close = function() coroutine.yield({}) end })
      local b <close> = setmetatable({}, { __close = function() coroutine.yield({}) end })
      return a, b]])
    local closed = add(coroutine.yield)
    coroutine.close(closed)
    closed = add(error, {})
    coroutine.close(closed)
  end
  -- One that is waiting for another.
  add(function()
    local inner = coroutine.wrap(function() coroutine.yield() end)
    inner()
    coroutine.yield(inner)
  end)
  -- With a hook; it may yield there only from C.
  local hooked = coroutine.create(function() coroutine.yield() end)
  debug.sethook(hooked, function() end, "crl", 10)
  coroutine.resume(hooked)
  all[#all + 1] = hooked
  all[#all + 1] = host.thread()
  all[#all + 1] = host.thread({}, "x", print, 3)
  all[#all + 1] = host.thread(unpack({}, 1, 200))
  return all
end

--- Values of C types, and buffers.
local function c_values(ffi, all)
  all[#all + 1] = { ffi.new "int", ffi.new "int64_t", load_text "return 12345678901234LL"(), ffi.new "double[3]" }
  for _, n in ipairs { 0, 1, 3, 7, 8, 9, 100, 10000 } do
    all[#all + 1] = ffi.new("char[?]", n)
    all[#all + 1] = ffi.new("double[?]", n)
    all[#all + 1] = ffi.new("struct { int a; char b[?]; }", n)
  end
  all[#all + 1] = ffi.new "struct __attribute__((aligned(64))) { char a[64]; }"
  all[#all + 1] = ffi.typeof "struct { int x, y; }"
  all[#all + 1] = ffi.metatype("struct { double z; }", { __index = { name = {} } })
  all[#all + 1] = ffi.gc(ffi.new "int[4]", function() end)
  all[#all + 1] = ffi.cast("void *", 16)
  if pcall(ffi.cdef, "int zoo_abs(int x) __asm__(\"abs\");") then
    all[#all + 1] = ffi.C.zoo_abs
  end
  local callback = ffi.cast("int (*)(int)", function(x) return x + 1 end)
  assert(callback(1) == 2)
  all[#all + 1] = callback
  local has_buffer, buffer = pcall(require, "string.buffer")
  if has_buffer then
    all[#all + 1] = buffer.new()
    all[#all + 1] = buffer.new():put("text", 1, ("x"):rep(1000))
    all[#all + 1] = buffer.new(5000)
    all[#all + 1] = buffer.new { dict = { "a", "b" }, metatable = { {} } }
  end
end

--- What only LuaJIT has.
function zoo.luajit()
  local all = {}
  local has_ffi, ffi = pcall(require, "ffi")
  if has_ffi then c_values(ffi, all) end
  all[#all + 1] = require "table.new"(100, 100)
  -- Traces, with side exits and calls.
  local function run(n)
    local sum, t = 0, {}
    for i = 1, n do
      if i % 3 == 0 then sum = sum + i elseif i % 7 == 0 then t[i] = { i } else sum = sum - #t end
      for j = 1, 3 do sum = sum + math.abs(j) end
    end
    return sum, t
  end
  all[#all + 1] = { run(2000) }
  all[#all + 1] = run
  return all
end

--- Holds some of everything.
function zoo.all()
  return {
    zoo.strings(), zoo.tables(), zoo.weak_tables(), zoo.functions(), zoo.userdata(),
    zoo.coroutines(), is_luajit and zoo.luajit() or nil,
  }
end

return zoo
