-- What `stats` says, by either engine.

local snapshot = require "snapshot"
local check = require "check"

local engine = os.getenv "LUASNAP_ENGINE"

--- The names of a table's fields with their types, in order.
local function shape(t)
  local fields = {}
  for name, value in pairs(t) do fields[#fields + 1] = name .. ":" .. type(value) end
  table.sort(fields)
  return table.concat(fields, " ")
end

kept = { {}, function() return kept end, coroutine.create(function() end), host.userdata(8), "text" }
local s = snapshot.snapshot()
local counted = snapshot.stats(s)
check.equal(shape(counted.objects), "bytes:number count:number")
check.equal(shape(counted.own), "bytes:number count:number")
for name, kind in pairs(counted.kinds) do
  check.equal(shape(kind), "bytes:number count:number garbage_bytes:number garbage_count:number", name)
  check.equal(kind.count + kind.garbage_count > 0, true, name)
end
for name, bytes in pairs(counted.blocks) do
  check.matches(name, "^%a[%a ]+$")
  check.equal(bytes >= 0, true, name)
end

check.equal(counted.engine, engine)
check.matches(counted.vm, check.is_luajit and "^LuaJIT" or "^" .. _VERSION:gsub("%.", "%%.") .. "$")
check.equal(counted.memory > 1000, true)
check.equal(counted.references > #s, true)

-- What people see are objects of these kinds.
local seen = 0
for _, kind in ipairs { "table", "lua_function", "c_function", "thread", "userdata" } do
  check.equal(counted.kinds[kind].count > 0, true, kind)
  seen = seen + counted.kinds[kind].count
end
-- (LuaJIT holds some more for itself, such as the tables that constructors copy.)
if check.is_luajit and engine == "native" then
  check.equal(seen >= #s and seen < #s + 20, true)
else
  check.equal(seen, #s)
end

if engine == "native" then
  check.equal(shape(counted), "accounted:number blocks:table "
    .. (counted.coroutines and "coroutines:table " or "") .. "engine:string exact:boolean "
    .. "garbage:table kinds:table layout:string ledger:table memory:number objects:table own:table "
    .. "references:number total:number unaccounted:number vm:string")
  check.equal(counted.exact, true)
  check.equal(counted.kinds.string.count > 100, true)
  check.equal(counted.objects.count > #s, true)
  check.equal(shape(counted.garbage), "bytes:number count:number")
else
  -- Sizes are estimates, and garbage is not seen.
  check.equal(counted.exact, false)
  check.equal(counted.accounted, nil)
  check.equal(counted.unaccounted, nil)
  check.equal(counted.garbage, nil)
  check.equal(counted.layout, nil)
  check.equal(counted.kinds.string, nil)
  check.equal(counted.objects.count, #s)
  check.equal(counted.total, counted.total and math.floor(counted.total))
end

-- A method as well, and of a copy the same.
check.equal(s:stats().references, counted.references)
check.equal(s:copy():stats().objects.bytes, counted.objects.bytes)

-- Of one object and what it holds.
local part = snapshot.snapshot({ {}, {}, "text" }, "part"):stats()
check.equal(part.kinds.table.count, 3)
check.equal(part.accounted, nil)
check.equal(part.garbage, nil)

-- Of a difference.
local before = snapshot.snapshot()
kept[1] = { {}, {} }
local grown = before:incr(snapshot.snapshot()):stats()
check.equal(grown.kinds.table.count, 3)
check.equal(grown.accounted, nil)

-- Of nothing.
s:free()
local nothing = s:stats()
check.equal(nothing.objects.count, 0)
check.equal(next(nothing.kinds), nil)

-- Wrong arguments.
check.raises("bad argument #1 to 'stats' (snapshot expected, got no value)", snapshot.stats)
check.raises("bad argument #1 to 'stats' (snapshot expected, got table)", snapshot.stats, {})
