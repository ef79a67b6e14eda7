-- An address that was freed and used again between two snapshots is a new object.
--
-- The native engine knows by the order of the VM's lists, which have what was allocated last first.
-- It cannot be known
--   * by the portable engine: there an object is its kind and its address;
--   * of an object that took the place of one without a finalizer and got one itself: it may as
--     well be the old one, which got its finalizer since (from 5.2 on what has a finalizer lies in a
--     list of its own, in the order in which finalizers were set);
--   * of one that its own finalizer saved: Lua puts it where new objects are, and so it counts as new.

local snapshot = require "snapshot"
local check = require "check"

local version, is_luajit = check.version, check.is_luajit
-- So many objects of each kind are freed, and their memory is used again.
local COUNT = host.checked and 10000 or 100000

local NATIVE = { engine = "native" }
local function capture() return snapshot.snapshot(nil, nil, NATIVE) end

-- No tables grow and nothing else is made between two snapshots: a program's own objects are in
-- `held`, which has its size from the start.
local held

local function hold_nothing(count)
  held = {}
  for i = 1, count do held[i] = false end
  check.collect()
end

local function fill(make, first, step)
  for i = first, #held, step do held[i] = make(i) end
end

local function drop(first, step)
  for i = first, #held, step do held[i] = false end
  check.collect()
end

--- What was at the addresses before: a set of the objects' names.
local function names()
  local set = {}
  for i = 1, #held do
    if held[i] then set[check.name(held[i])] = true end
  end
  return set
end

--- How many of the objects lie where one of the set was.
local function reused(set)
  local count = 0
  for i = 1, #held do
    if held[i] and set[check.name(held[i])] then count = count + 1 end
  end
  return count
end

local function of_difference(s, expected, what)
  check.equal(#s, expected, what)
end

local upvalue = {}
local function body() coroutine.yield() end
local with_gc = { __gc = function() end }

local kinds = {
  { "tables", function() return {} end },
  { "tables with entries", function(i) return { i, i, x = i } end, COUNT / 10 },
  { "closures", function(i) return function() return i end end },
  { "closures of shared variables", function(i)
    -- (5.2 and 5.3 use the last one again where its variables are the same.)
    local other = i
    return function() return upvalue, other end
  end, COUNT / 10 },
  { "C functions", function(i) return host.cclosure(i, upvalue) end, COUNT / 10 },
  { "userdata", function() return host.userdata(24) end },
  { "userdata with finalizers", function()
    local u = host.userdata(24)
    debug.setmetatable(u, with_gc)
    return u
  end },
  { "coroutines", function() return coroutine.create(body) end, COUNT / 10 },
  { "coroutines that wait", function()
    local co = coroutine.create(body)
    coroutine.resume(co)
    return co
  end, COUNT / 10 },
}
if version >= 5.2 and not is_luajit then
  kinds[#kinds + 1] = { "tables with finalizers", function() return setmetatable({}, with_gc) end }
end

local all_again = 0
for _, kind in ipairs(kinds) do
  local what, make, count = kind[1], kind[2], kind[3] or COUNT
  hold_nothing(count)

  -- All of them go, and as many come.
  local set, a, b, c
  fill(make, 1, 1)
  set = names()
  check.collect()
  a = capture()
  drop(1, 1)
  fill(make, 1, 1)
  b = capture()
  -- (Else this would show nothing.)
  local again = reused(set)
  check.equal(again > 0, true, "addresses were used again: " .. what)
  all_again = all_again + again
  of_difference(a:incr(b), count, what .. ": new")
  of_difference(a:decr(b), count, what .. ": gone")
  -- The other way round, what is new is what only the older has.
  of_difference(b:incr(a), count, what .. ": new, the other way round")
  of_difference(b:decr(a), count, what .. ": gone, the other way round")
  -- Nothing happens to what stays.
  c = capture()
  of_difference(b:incr(c), 0, what .. ": nothing new")
  of_difference(b:decr(c), 0, what .. ": nothing gone")
  of_difference(a:incr(c), count, what .. ": new, in a third")
  of_difference(a:decr(c), count, what .. ": gone, in a third")

  -- Every third goes, and as many come.
  a:free()
  drop(1, 3)
  fill(make, 1, 3)
  local third = math.ceil(count / 3)
  a = capture()
  of_difference(c:incr(a), third, what .. ": a third is new")
  of_difference(c:decr(a), third, what .. ": a third is gone")
  of_difference(b:incr(a), third, what .. ": a third is new, two snapshots before")
  of_difference(b:decr(a), third, what .. ": a third is gone, two snapshots before")
  a:free() b:free() c:free()
end

-- How many depends on the allocator.
check.equal(all_again > COUNT / 2, true, all_again .. " addresses were used again")

-- In many rounds, with all kinds at once and with garbage that comes and goes: each new object is
-- reported by its name and its place, and no other is.
do
  local size = 600
  held = {}
  for i = 1, size do held[i] = false end
  local makers = {}
  for _, kind in ipairs(kinds) do
    -- An object with a finalizer that takes the place of one without cannot be known.
    if not kind[1]:find "finalizers" then makers[#makers + 1] = kind[2] end
  end
  local turn = 0
  local function make(i)
    turn = turn + 1
    return makers[turn % #makers + 1](i)
  end
  fill(make, 1, 1)
  local rounds = host.checked and 10 or 40
  local old = capture()
  local seen, again = {}, 0
  for i = 1, size do seen[check.name(held[i])] = true end
  for round = 1, rounds do
    old:free()
    check.collect()
    old = capture()
    local step = round % 5 + 2
    for i = 1, size, step do held[i] = false end
    if round % 2 == 0 then check.collect() else collectgarbage("step", 50) end
    for i = 1, size, step do held[i] = make(i) end
    local new = capture()
    local rows = check.rows(old:incr(new))
    local count = 0
    for i = 1, size, step do
      local name = check.name(held[i])
      if not rows[name] then error(("round %d: %s, held[%d], is not new"):format(round, name, i)) end
      check.matches(rows[name].link, "held")
      count = count + 1
      if seen[name] then again = again + 1 end
      seen[name] = true
    end
    for i = 1, size do
      if i % step ~= 1 and rows[check.name(held[i])] then
        error(("round %d: %s, held[%d], is not new"):format(round, check.name(held[i]), i))
      end
    end
    -- What the test itself made is not in `held`: the table of names grew with it.
    for _, row in ipairs(rows) do
      if row.link:find "held" then count = count - 1 end
    end
    check.equal(count, 0, "round " .. round)
    new:free()
  end
  check.equal(again > size / 4, true, again .. " addresses were used again")
  old:free()
end

-- Snapshots that are copied and freed, and what marks their time.
do
  local function table_like() return {} end
  COUNT = 2000
  hold_nothing(COUNT)
  local function renew()
    drop(1, 1)
    fill(table_like, 1, 1)
  end
  fill(table_like, 1, 1)
  check.collect()

  -- A copy goes on when the first is freed, and when it is gone.
  local a = capture()
  local copy = a:copy()
  renew()
  local b = capture()
  check.equal(#copy:incr(b), COUNT, "of a copy")
  a:free()
  check.equal(#copy:incr(b), COUNT, "of a copy, when the first was freed")
  check.equal(#a:incr(b), 0)
  a = nil
  renew()
  b:free()
  b = capture()
  check.equal(#copy:incr(b), COUNT, "of a copy, when the first is gone")
  check.equal(#copy:decr(b), COUNT, "of a copy, when the first is gone")
  local second = copy:copy()
  copy:free()
  copy = nil
  renew()
  b:free()
  b = capture()
  check.equal(#second:incr(b), COUNT, "of a copy of a copy")
  -- A copy that is made before the second snapshot and one of it.
  local other = b:copy()
  b:free()
  check.equal(#second:incr(other), COUNT, "of a copy and a copy")
  check.equal(#other:incr(second), COUNT, "of a copy and a copy, the other way round")
  check.equal(#other:incr(other:copy()), 0, "a snapshot and its copy")
  check.equal(#other:decr(other:copy()), 0, "a snapshot and its copy")
  second:free()
  other:free()

  -- Many snapshots that are freed leave nothing behind that could be taken for a mark.
  for round = 1, 20 do
    local x = capture()
    renew()
    local y = capture()
    check.equal(#x:incr(y), COUNT, "round " .. round)
    check.equal(#x:decr(y), COUNT, "round " .. round)
    if round % 3 == 0 then x:free() end
    if round % 2 == 0 then y:free() end
  end

  -- Four in a row; each pair differs by all.
  local row = { false, false, false, false }
  for i = 1, 4 do
    renew()
    row[i] = capture()
  end
  for i = 1, 4 do
    for j = 1, 4 do
      local expected = i == j and 0 or COUNT
      check.equal(#row[i]:incr(row[j]), expected, i .. " and " .. j)
      check.equal(#row[i]:decr(row[j]), expected, i .. " and " .. j)
    end
  end
  -- Also when those between are gone.
  row[2]:free()
  row[3] = false
  check.collect()
  check.equal(#row[1]:incr(row[4]), COUNT, "the first and the last")
  check.equal(#row[4]:incr(row[1]), COUNT, "the last and the first")
  row = nil
  check.collect()

  -- In a generational collector, which moves objects from list to list.
  if version >= 5.4 then
    collectgarbage "generational"
    for round = 1, 10 do
      local x = capture()
      if round % 2 == 0 then
        renew()
      else
        for i = 1, #held do held[i] = false end
        collectgarbage "step"
        fill(table_like, 1, 1)
      end
      local y = capture()
      check.equal(#x:incr(y), COUNT, "generations, round " .. round)
      check.equal(#x:decr(y), COUNT, "generations, round " .. round)
    end
    collectgarbage "incremental"
  end

  -- While a collection is under way.
  for round = 1, 30 do
    local x = capture()
    for i = 1, #held do held[i] = false end
    for _ = 1, round do collectgarbage("step", 0) end
    fill(table_like, 1, 1)
    local y = capture()
    check.equal(#x:incr(y), COUNT, "steps, round " .. round)
    check.equal(#x:decr(y), COUNT, "steps, round " .. round)
    x:free()
    y:free()
  end
end

-- What got its finalizer between two snapshots is what it was.
if version >= 5.2 and not is_luajit then
  held = { {}, host.userdata(8), {} }
  local a = capture()
  setmetatable(held[1], with_gc)
  debug.setmetatable(held[2], with_gc)
  local b = capture()
  check.equal(#a:incr(b), 0)
  check.equal(#a:decr(b), 0)
end

-- By both engines: nothing is known but addresses, and nothing breaks.
do
  held = { {} }
  local a = capture()
  local b = snapshot.snapshot(nil, nil, { engine = "portable" })
  held[1] = { {} }
  local c = capture()
  local names_of_c = check.rows(b:incr(c))
  check.matches(names_of_c[check.name(held[1][1])].link, "held")
  check.equal(#a:incr(c) >= 2, true)
end
