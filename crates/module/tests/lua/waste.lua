-- What `waste` says, by either engine: strings that are there several times, tables with empty slots,
-- what the VM holds beside.

local snapshot = require "snapshot"
local check = require "check"

local version, is_luajit = check.version, check.is_luajit
local is_native = os.getenv "LUASNAP_ENGINE" == "native"
-- 5.1 and LuaJIT have every text once.
local interns_all = version == 5.1

local function waste_of(n)
  check.collect()
  return snapshot.snapshot():waste(n)
end

-- What is asked for.
check.raises("bad argument #1 to 'waste' (snapshot expected, got no value)", snapshot.waste)
check.raises("bad argument #1 to 'waste' (snapshot expected, got table)", snapshot.waste, {})
do
  local s = snapshot.snapshot()
  check.raises("bad argument #2 to 'waste' (number expected, got string)", snapshot.waste, s, "9")
  for _, n in ipairs { -1, 0.5, 0 / 0 } do
    local ok, message = pcall(snapshot.waste, s, n)
    check.equal(ok, false)
    check.matches(message, "^bad argument #2 to 'waste' %(whole number from 0 on expected, got ")
  end
  s:free()
  check.equal(s:waste(1e300).strings, nil)
end

-- Beyond objects it is what `stats` says.
do
  local s = snapshot.snapshot()
  local waste, stats = s:waste(), s:stats()
  for _, name in ipairs { "total", "unaccounted" } do check.equal(waste[name], stats[name], name) end
  for name, bytes in pairs(stats.blocks) do check.equal(waste.blocks[name], bytes, name) end
  check.equal((waste.garbage or {}).bytes, (stats.garbage or {}).bytes)
  -- The C API shows neither strings nor slots, and a difference has neither.
  check.equal(waste.strings ~= nil, is_native)
  check.equal(waste.tables ~= nil, is_native)
  local grown = s:incr(snapshot.snapshot()):waste()
  check.equal(grown.strings, nil)
  check.equal(grown.tables, nil)
end
if not is_native then return end

--- The row of a text by its beginning.
local function row_of(waste, text)
  for _, row in ipairs(waste.strings.top) do
    if row.text == text then return row end
  end
end

--- A text that the VM makes anew, if it makes any twice.
local function made(text, at)
  return table.concat { text:sub(1, at), text:sub(at + 1) }
end

-- Bytes of a long string beside its text.
local HEAD = ({ [5.2] = 25, [5.3] = 25, [5.4] = 25, [5.5] = 33 })[version]

-- A hundred of one text, twenty of another, one each of others; one text is short.
do
  local before = waste_of(0)
  check.equal(#before.strings.top, 0)
  local hundred, twenty = ("h"):rep(100), ("t\n"):rep(21)
  kept = {}
  for i = 1, 100 do
    kept[#kept + 1] = made(hundred, i % 99)
    kept[#kept + 1] = made("short", i % 5)
    if i <= 20 then kept[#kept + 1] = made(twenty, i) end
    kept[#kept + 1] = ("%d alone "):format(i):rep(10)
  end
  hundred, twenty = nil, nil
  local strings = waste_of(1000).strings
  local row, other = row_of({ strings = strings }, ("h"):rep(40)), row_of({ strings = strings }, ("t\n"):rep(20))
  if interns_all then
    check.equal(strings.count, 0)
    check.equal(strings.bytes, 0)
    check.equal(#strings.top, 0)
  else
    check.equal(row.size, 100 + HEAD)
    check.equal(row.count, 100)
    check.equal(row.bytes, 99 * (100 + HEAD))
    check.equal(other.size, 42 + HEAD)
    check.equal(other.count, 20)
    check.equal(other.bytes, 19 * (42 + HEAD))
    check.equal(strings.count - before.strings.count, 99 + 19)
    check.equal(strings.bytes - before.strings.bytes, row.bytes + other.bytes)
    check.equal(#waste_of(1).strings.top, 1)
    for i = 2, #strings.top do
      check.equal(strings.top[i - 1].bytes >= strings.top[i].bytes, true, i)
    end
  end

  -- As keys they are the same.
  local keys = {}
  for _, text in ipairs(kept) do keys[text] = true end
  kept.keys = keys
  check.equal(waste_of(0).strings.count, strings.count)

  -- What nothing holds is garbage, and no waste of this sort.
  collectgarbage "stop"
  kept, keys = nil, nil
  check.equal(snapshot.snapshot():waste().strings.count, before.strings.count)
  collectgarbage "restart"
end

-- Many that differ in a byte or two, in a place where nobody looks first, and two of each.
if not host.checked then
  local COUNT = 100000
  local before = waste_of(0).strings.count
  local start, rest = ("s"):rep(50), ("e"):rep(150)
  kept = {}
  for i = 1, COUNT do
    local text = ("%06d"):format(i)
    kept[i], kept[COUNT + i] = start .. text .. rest, start .. text .. rest
  end
  local strings = waste_of(3).strings
  check.equal(strings.count - before, interns_all and 0 or COUNT)
  if not interns_all then
    check.equal(strings.top[3].count, 2)
    check.equal(strings.top[3].bytes, 206 + HEAD)
  end
  kept = nil
end

-- Texts that the host keeps for the VM, which frees some in the end. The heads of these are larger.
if version == 5.5 then
  kept = { ("f"):rep(90) }
  for i = 1, 3 do
    kept[2 * i] = host.external(90)
    kept[2 * i + 1] = host.external(90, true)
  end
  local waste = waste_of(1000)
  local row = row_of(waste, ("e"):rep(40))
  check.equal(row.count, 3)
  check.equal(row.bytes, 2 * 32)
  row = row_of(waste, ("f"):rep(40))
  check.equal(row.count, 4)
  check.equal(row.bytes, 3 * 48)
  kept = nil
end

-- Bytes of a slot of either part.
local SLOT = is_luajit and 8 or version == 5.5 and 9 or 16
local ENTRY = is_luajit and 24 or ({ [5.1] = 40, [5.2] = 40, [5.3] = 32, [5.4] = 24, [5.5] = 24 })[version]
-- In LuaJIT array parts have a slot for the key 0.
local ZERO = is_luajit and 1 or 0

--- The row of a table, nil where it is not sparse.
local function slots_of(t)
  for _, row in ipairs(waste_of(1000).tables.top) do
    if row.type .. ":" .. row.address == check.name(t) then return row end
  end
end

local function check_slots(t, array_slots, array_used, hash_slots, hash_used, what)
  local row = slots_of(t)
  if not row then error("is not sparse: " .. what, 2) end
  check.equal(row.array_slots, array_slots, what)
  check.equal(row.array_used, array_used, what)
  check.equal(row.hash_slots, hash_slots, what)
  check.equal(row.hash_used, hash_used, what)
  local bytes = SLOT * (array_slots - array_used) + ENTRY * (hash_slots - hash_used)
  check.equal(row.bytes, bytes, what)
end

-- Filled and emptied, in the order in which programs do it.
do
  local t = {}
  for i = 1, 1000 do t[i] = i end
  check.equal(slots_of(t), nil, "full")
  local half = 512 + ZERO
  for i = 1000, half + 1, -1 do t[i] = nil end
  check.equal(slots_of(t), nil, "half full")
  t[half] = nil
  check_slots(t, 1024 + ZERO, half - 1, 0, 0, "less than half full")
  for i = half, 1, -1 do t[i] = nil end
  check_slots(t, 1024 + ZERO, 0, 0, 0, "empty")
  -- (5.4 makes a note of the border in the place of the size.)
  check.equal(#t, 0)
  check_slots(t, 1024 + ZERO, 0, 0, 0, "empty, after its length was asked for")
  t[1], t[2], t[3] = true, true, true
  check.equal(#t, 3)
  check_slots(t, 1024 + ZERO, 3, 0, 0, "three of a thousand")
end
do
  local t = {}
  for i = 1, 1000 do t["key" .. i] = i end
  check.equal(slots_of(t), nil, "full of keys")
  for i = 1, 1000 do t["key" .. i] = nil end
  -- The keys are dead now, and collected.
  check_slots(t, 0, 0, 1024, 0, "emptied of keys")
  t.one = t
  check_slots(t, 0, 0, 1024, 1, "with one key")
end

-- Made with room.
for _, sizes in ipairs { { 0, 8 }, { 8, 0 }, { 100, 50 }, { 5, 1000 }, { 3000, 0 } } do
  local t = host.newtable(sizes[1], sizes[2])
  local log2 = 1
  while log2 < sizes[2] do log2 = 2 * log2 end
  local hash_slots = sizes[2] == 0 and 0 or log2
  local array_slots = sizes[1] == 0 and 0 or sizes[1] + ZERO
  check_slots(t, array_slots, 0, hash_slots, 0, table.concat(sizes, " "))
end
for _, sizes in ipairs { { 0, 0 }, { 6, 0 }, { 0, 4 }, { 4, 4 } } do
  check.equal(slots_of(host.newtable(sizes[1], sizes[2])), nil, table.concat(sizes, " "))
end
do
  local t = host.newtable(9, 0)
  for i = 1, 5 do t[i] = i end
  check.equal(slots_of(t), nil, "five of nine")
  t[5] = nil
  check_slots(t, 9 + ZERO, 4, 0, 0, "four of nine")
end

-- The sums are those of all, and what nothing holds is none of them.
do
  kept = {}
  collectgarbage "stop"
  local before = snapshot.snapshot():waste().tables
  for i = 1, 50 do kept[i] = host.newtable(10 * i, 0) end
  local tables = snapshot.snapshot():waste(7).tables
  check.equal(#tables.top, 7)
  check.equal(tables.count - before.count, 50)
  check.equal(tables.bytes - before.bytes, SLOT * (10 * 51 * 50 / 2 + ZERO * 50))
  kept = {}
  check.equal(snapshot.snapshot():waste().tables.count, before.count)
  collectgarbage "restart"
  -- Of one value.
  local t = { host.newtable(10, 0), host.newtable(20, 0), ("v"):rep(50) }
  local part = snapshot.snapshot(t, "t", { engine = "native" }):waste()
  check.equal(part.tables.count, 2)
  check.equal(part.tables.top[1].type .. ":" .. part.tables.top[1].address, check.name(t[2]))
  check.equal(part.garbage, nil)
end
