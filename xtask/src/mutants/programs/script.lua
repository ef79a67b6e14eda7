-- For `cargo xtask mutants`: makes objects of every kind and many shapes, then examines them.

local load_text = loadstring or load
local is_luajit = jit ~= nil

kept = {} -- a global, so that all of it has names
local keep = kept
local checks = 0

-- A changed VM is to work before anything is asked of it.
local function expect(value, expected)
  checks = checks + 1
  if value ~= expected then
    error("the VM does not work: " .. tostring(value) .. " for " .. tostring(expected), 2)
  end
end

-- Strings: short ones, long ones, with zeroes, many that share buckets.
keep.strings = {}
for n = 0, 48 do keep.strings[#keep.strings + 1] = ("s"):rep(n) end
for _, n in ipairs { 100, 255, 256, 1000 } do
  keep.strings[#keep.strings + 1] = ("long"):rep(n)
  keep.strings[#keep.strings + 1] = ("z\0"):rep(n)
end
for byte = 0, 255 do keep.strings[#keep.strings + 1] = string.char(byte, 255, byte) end
if host.external then
  for _, n in ipairs { 1, 40, 41, 100 } do
    keep.strings[#keep.strings + 1] = host.external(n)
    keep.strings[#keep.strings + 1] = host.external(n, true)
  end
end
expect(#keep.strings[49], 48)
expect(("x"):rep(41) == ("x"):rep(41), true)

-- Tables: with an array part, a hash part, both, neither; grown, shrunk, with holes.
keep.tables = { {}, {}, setmetatable({}, {}) }
for _, n in ipairs { 1, 2, 3, 4, 7, 8, 9, 31, 33, 100 } do
  local array, names, both, holes = {}, {}, {}, {}
  for i = 1, n do
    array[i] = { i }
    names["name" .. i] = { i }
    both[i], both[-i], both["n" .. i] = i, { i }, true
    holes[i] = i
  end
  for i = 1, n, 2 do holes[i] = nil end
  expect(#array, n)
  for _, t in ipairs { array, names, both, holes } do keep.tables[#keep.tables + 1] = t end
  keep.tables[#keep.tables + 1] = host.newtable(n, 0)
  keep.tables[#keep.tables + 1] = host.newtable(0, n)
  local shrunk = {}
  for i = 1, n do shrunk["k" .. i] = i end
  for i = 1, n - 1 do shrunk["k" .. i] = nil end
  keep.tables[#keep.tables + 1] = shrunk
end
keep.keys = {
  [true] = { 1 }, [false] = { 2 }, [1.5] = { 3 }, [-0.25] = { 4 }, [1 / 0] = { 5 },
  [print] = { 6 }, [{}] = { 7 }, [keep] = { 8 }, [("long key"):rep(10)] = { 9 }, ["\255\0"] = { 10 },
  [1000000] = { 11 }, [-7] = { 12 }, [host.lightuserdata(64)] = { 13 }, [""] = { 14 },
  [12345678] = { 15 }, [0.1] = { 16 }, [host.lightfunction()] = { 17 },
}
if math.maxinteger then
  keep.keys[math.maxinteger], keep.keys[math.mininteger] = { 18 }, { 19 }
  keep.keys[math.tointeger(2147483647)], keep.keys[3] = { 20 }, { 21 }
end
expect(keep.keys[1.5][1], 3)
expect(keep.keys[("long key"):rep(10)][1], 9)
expect(keep.keys[-7][1], 12)

-- Weak tables, metatables, inheritance.
keep.weak = {}
for _, mode in ipairs { "k", "v", "kv" } do
  local t = setmetatable({}, { __mode = mode })
  for i = 1, 10 do
    local key = { i }
    t[key], t[i], t["name" .. i] = { i }, { i }, key
    if i % 2 == 0 then keep.weak[#keep.weak + 1] = key end
  end
  keep.weak[mode] = t
end
local Class = { __name = "Class" }
Class.__index = Class
function Class:value() return self.number end
keep.instances = {}
for i = 1, 20 do keep.instances[i] = setmetatable({ number = i }, Class) end
expect(keep.instances[7]:value(), 7)

-- Functions: nested, with upvalues of their own and shared ones, without debug information.
local function counter(start)
  local count, step = start, { start }
  local function add(n)
    count = count + (n or step[1])
    return count
  end
  return add, function() return count, step end
end
keep.functions = { counter(1) }
expect(keep.functions[1](), 2)
expect(keep.functions[2](), 2)
for i = 1, 10 do
  keep.functions[#keep.functions + 1] = load_text(
    "local a, b = {" .. i .. "}, 'constant" .. i .. "' "
      .. "return function(x, ...) local y = a return function() return x, y, b, a end end",
    "=chunk" .. i
  )()
end
keep.functions[#keep.functions + 1] = load_text(string.dump(load_text("return {}, ...")), "x", "b")
for n = 0, 5 do keep.functions[#keep.functions + 1] = host.cclosure(({}).x, n, {}, "upvalue" .. n) end
for _, n in ipairs { 300, 40 } do
  local lines = {}
  for i = 1, n do lines[i] = "local v" .. (i % 150) .. " = {" .. i .. ", 'text" .. i .. "'}" end
  keep.functions[#keep.functions + 1] = load_text("do " .. table.concat(lines, " end\n\n do ") .. " end")
end

-- Userdata, with and without metatables and user values.
keep.userdata = {}
for _, size in ipairs { 0, 1, 7, 8, 100 } do
  for values = 0, 2 do
    local u = host.userdata(size, values)
    host.setuservalue(u, { "user value" }, 1)
    keep.userdata[#keep.userdata + 1] = debug.setmetatable(u, values > 0 and { __name = "U" } or nil)
  end
end
keep.file = io.stdout

-- Threads: never started, suspended, waiting for another, ended, failed; with open upvalues.
keep.threads = {}
local function wait(depth, ...)
  local open, held = { depth }, ("held"):rep(12)
  local function see() return open, held end
  if depth > 0 then wait(depth - 1, ...) end
  coroutine.yield(see)
  return see
end
for depth = 0, 12, 3 do
  local co = coroutine.create(wait)
  expect(coroutine.resume(co, depth, "extra", {}), true)
  keep.threads[#keep.threads + 1] = co
end
keep.threads[#keep.threads + 1] = coroutine.create(wait)
local dead = coroutine.create(function() return {} end)
coroutine.resume(dead)
keep.threads[#keep.threads + 1] = dead
local failed = coroutine.create(function() local in_error = {} error(in_error) end)
expect(coroutine.resume(failed), false)
keep.threads[#keep.threads + 1] = failed
keep.threads[#keep.threads + 1] = coroutine.wrap(function() coroutine.yield({}) end)
keep.threads[#keep.threads]()
keep.threads[#keep.threads + 1] = host.thread({}, "on a stack", 1)
local in_c = coroutine.create(function(...) return 1, host.yield_last(...) end)
coroutine.resume(in_c, {}, {}, "last")
keep.threads[#keep.threads + 1] = in_c

-- What is never collected; objects with a finalizer; metatables of basic types.
debug.setmetatable(true, { __name = "boolean" })
keep.finalized = {}
for i = 1, 5 do keep.finalized[i] = setmetatable({ i }, { __gc = function() end }) end

if is_luajit then
  local ffi = require "ffi"
  ffi.cdef "typedef struct { int a; double b; char c[5]; } examined;"
  keep.cdata = { ffi.new("examined"), ffi.new("int[?]", 10), ffi.new("int64_t", 1), ffi.cast("char *", 0), ffi.typeof("examined") }
  keep.cdata[#keep.cdata + 1] = ffi.gc(ffi.new("examined"), function() end)
  -- Something hot, so that there are traces.
  local sum = 0
  for i = 1, 1000 do sum = (sum + i * 2) % 1000 end
  for i = 1, 200 do keep[i % 3] = { i } end
  expect(sum, 0)
end

-- Sorting, patterns, formats: that the VM works at all.
local words = {}
for word in ("the quick brown fox jumps over the lazy dog"):gmatch("%a+") do words[#words + 1] = word end
table.sort(words)
expect(table.concat(words, " "), "brown dog fox jumps lazy over quick the the")
expect(("%d %s %5.2f"):format(3, "x", 1.25), "3 x  1.25")
expect(select("#", pcall(error, {})), 2)
expect(checks > 15, true)

collectgarbage()
collectgarbage()
collectgarbage("stop")
-- Garbage, of every kind.
do
  local garbage = { {}, function() return keep end, ("garbage"):rep(20), coroutine.create(function() end) }
  for i = 1, 20 do garbage[i] = { "garbage" .. i } end
end

-- From here on whatever goes wrong is our fault.
io.open("examining", "w"):close()
local examine = require "examine"
local is_known, compare = pcall(require, "compare")

local function inner(argument, ...)
  local on_the_stack = { argument }
  local function see() return on_the_stack end
  examine(is_known and compare.list or compare)
  return see, ...
end
inner("argument", {}, {})
