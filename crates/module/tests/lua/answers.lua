-- `top`, `path` and `retainers`: what there is most of, and who holds an object or a group.

local snapshot = require "snapshot"
local check = require "check"

local is_native = os.getenv "LUASNAP_ENGINE" == "native"
local load = loadstring or load

--- The row of that name (and type, where several have it); nil where there is none.
local function row_of(rows, name, type)
  for _, row in ipairs(rows) do
    if row.name == name and (not type or row.type == type) then return row end
  end
end

--- An object that is in a snapshot, but held by nothing of this script.
local function found(weak) return weak[1] end

-- What there is.
local Item = { __name = "Item" }
local class_of_items = is_native and "class Item" or "class [mainthread].[Item:script.lua]"
Player = {}
Player.__index = Player
local Local = {}
Local.__index = Local
world = { items = {}, players = {}, spots = {}, names = {}, callbacks = {}, waiting = {} }
for i = 1, 40 do
  world.items[i] = setmetatable({}, Item)
  world.players[i] = setmetatable({ name = ("player %02d"):format(i), bag = { {} } }, Player)
  world.spots[i] = setmetatable({}, Local)
end
for i = 1, 50 do world.names["name of " .. i] = { i } end
local callback_line = debug.getinfo(1, "l").currentline + 1
for i = 1, 60 do world.callbacks[i] = function() return i end end
local single_line = debug.getinfo(1, "l").currentline + 1
function world.single(a, b, c) return a .. b .. c, "one", "two", "three", a + 1, b + 2, c + 3 end
local function body() coroutine.yield() end
local body_line = debug.getinfo(body, "S").linedefined
for i = 1, 70 do
  world.waiting[i] = coroutine.create(body)
  coroutine.resume(world.waiting[i])
end
world.big = {}
for i = 1, 20000 do world.big[i] = i end

check.collect()
local s = snapshot.snapshot()

-- The groups.
do
  local all = s:top { n = 10000 }
  local function expect(name, type, count, example)
    local row = row_of(all, name, type)
    if not row then error("no group is called " .. name, 2) end
    check.equal(row.count, count, name)
    check.equal(row.example, example, name)
    check.matches(row.fingerprint, "^%x%x%x%x%x%x%x%x%x%x%x%x$")
    check.equal(row.retained >= row.size, true)
    return row
  end
  -- (The portable engine sees no strings, so that it does not know what a class calls itself.)
  expect(class_of_items, "table", 40, "_G.world.items.[1]")
  expect("class _G.Player", "table", 40, "_G.world.players.[1]")
  local row = expect("class [mainthread].[Local:script.lua]", "table", 40, "_G.world.spots.[1]")
  expect("_G.world.players.[*].bag", "table", 40, "_G.world.players.[1].bag")
  expect("_G.world.players.[*].bag.[*]", "table", 40, "_G.world.players.[1].bag.[1]")
  row = expect("_G.world.names.*", "table", 50, '_G.world.names.["name of 1"]')
  expect("script.lua:" .. callback_line, "function", 60, "_G.world.callbacks.[1]")
  -- (Stacks are of different sizes: the collector shrinks them.)
  row = row_of(all, "coroutine at script.lua:" .. body_line, "thread")
  check.matches(row.example, "^_G%.world%.waiting%.%[%d+%]$")
  check.equal(row.count, 70)
  check.equal(row.size > 70 * 100, true)
  if is_native then
    row = expect("strings of class _G.Player", "string", 40, "_G.world.players.[1].name")
    check.equal(row.size, row.retained)
    expect("strings of _G.world.names", "string", 50, "_G.world.names.[key]")
  else
    for _, row in ipairs(all) do check.equal(row.type ~= "string", true) end
  end
  -- That the registry and the globals hold all is no answer.
  check.equal(row_of(all, "[REGISTRY]"), nil)
  check.equal(row_of(all, "_G"), nil)

  -- In order.
  for by, field in pairs { retained = "retained", size = "size", count = "count", class = "retained" } do
    local rows = s:top { by = by, n = 15 }
    check.equal(#rows <= 15, true)
    check.equal(#rows == 15 or by == "class", true)
    for i = 2, #rows do
      check.equal(rows[i - 1][field] >= rows[i][field], true, by)
    end
    if by == "class" then
      for _, row in ipairs(rows) do check.matches(row.name, "^class ") end
      check.equal(row_of(rows, "class _G.Player").count, 40)
    end
  end
  check.equal(row_of(s:top(), "_G.world").type, "table")
  check.equal(row_of(s:top { by = "size" }, "_G.world.big").count, 1)
  check.equal(s:top { by = "size", n = 1 }[1].size, s:top { by = "size", n = 1000 }[1].size)

  -- What a group retains is the bytes that go with it.
  local players = row_of(all, "class _G.Player")
  local bags = row_of(all, "_G.world.players.[*].bag")
  check.equal(players.retained >= players.size + bags.retained, true)
  check.equal(row_of(all, "_G.world").retained > players.retained, true)

  -- How many.
  check.equal(#s:top(), 20)
  check.equal(#s:top { n = 0 }, 0)
  check.equal(#s:top { n = 3 }, 3)
  check.equal(#s:top {}, 20)
  check.equal(#s:top { n = 1e300 } > 30, true)
end

-- Who holds an object: given as itself, as tostring has it, as rows have it, as a path.
do
  local function held(object, path, name)
    check.equal(s:path(object), path)
    if not check.is_luajit then check.equal(s:path(tostring(object)), path) end
    check.equal(s:path(check.name(object)), path)
    check.equal(s:path(path), path)
    check.equal(s:path((check.name(object):gsub("^.*:", ""))), path)
    local retainers = s:retainers(object)
    check.equal(retainers.path, path)
    check.equal(retainers.count, 1)
    check.equal(retainers.retained >= retainers.size, true)
    check.equal(retainers.retainer_count >= 1, true)
    for _, what in ipairs { check.name(object), path } do
      local other = s:retainers(what)
      check.equal(other.path, path)
      check.equal(other.retained, retainers.retained)
      check.equal(other.retainer_count, retainers.retainer_count)
    end
  end
  held(world.items, "_G.world.items")
  held(world.items[7], "_G.world.items.[7]")
  held(world.callbacks[7], "_G.world.callbacks.[7]")
  held(world.waiting[7], "_G.world.waiting.[7]")
  held(world.names["name of " .. 7], '_G.world.names.["name of 7"]')
  check.equal(s:path(world), "_G.world")
  check.equal(s:path "world.items.[7]", "_G.world.items.[7]")
  check.equal(s:path(_G), "_G")
  check.equal(s:path "_G", "_G")
  check.equal(s:path(print), "_G.print")
  check.equal(s:path(io.stdout) ~= nil, true)
  check.equal(s:path(debug.getregistry()), "[REGISTRY]")
  check.equal(s:path "[REGISTRY]", "[REGISTRY]")
  check.equal(s:path(package.loaded), "package.loaded")
  -- What lasts comes before a variable of this moment.
  check.equal(s:path(Item), "_G.world.items.[1].[metatable]")
  if not check.is_51_api then
    setmetatable(world.spots, { __name = "Spot list" })
    check.equal(s:path(tostring(world.spots)), check.version >= 5.3 and "_G.world.spots" or "_G.world.spots")
    setmetatable(world.spots, nil)
  end

  -- A userdata, a function in C.
  world.u, world.c = host.userdata(30), host.cclosure({ "bound" })
  local s = snapshot.snapshot()
  check.equal(s:path(world.u), "_G.world.u")
  check.equal(s:path(check.name(world.u)), "_G.world.u")
  check.equal(s:path(world.c), "_G.world.c")
  check.equal(s:path(check.name(world.c)), "_G.world.c")
  check.equal(s:path(host.userdata), "_G.host.userdata")
  if jit and is_native then
    world.cdata = require "ffi".new "int[4]"
    local s = snapshot.snapshot()
    check.equal(s:path(world.cdata), "_G.world.cdata")
    check.equal(s:path(tostring(world.cdata)), "_G.world.cdata")
    world.cdata = nil
  end
  world.u, world.c = nil, nil
end

-- A group: by its name, by its fingerprint.
do
  -- What is retained, as a part of all: the same in every answer.
  local all = s:stats().objects.bytes
  for _, row in ipairs(s:top { n = 10000 }) do
    local by_fingerprint = s:retainers(row.fingerprint, { retainers = 0, paths = 0 })
    check.equal(by_fingerprint.count, row.count, row.name)
    check.equal(by_fingerprint.size, row.size, row.name)
    check.equal(by_fingerprint.retained, row.retained, row.name)
    check.equal(row.share, row.retained / all, row.name)
    check.equal(by_fingerprint.share, row.share, row.name)
    for _, keeper in ipairs(by_fingerprint.keepers) do
      check.equal(keeper.share, keeper.retained / all, row.name)
    end
    check.equal(by_fingerprint.path, row.example, row.name)
    check.equal(s:path(row.fingerprint), row.example)
  end
  for _, name in ipairs {
    class_of_items, "class _G.Player", "_G.world.names.*", "script.lua:" .. callback_line,
    "_G.world.players.[*].bag.[*]",
  } do
    local row = row_of(s:top { n = 10000 }, name)
    check.equal(s:path(name), row.example)
    local held = s:retainers(name)
    check.equal(held.count > 1, true)
    check.equal(held.path, row.example)
    check.equal(#held.paths, 0)
  end
  -- The place of code means its function, not the prototype, however much larger that is.
  check.equal(s:path("script.lua:" .. single_line), "_G.world.single")
  local held = s:retainers(class_of_items, { retainers = 5 })
  check.equal(held.count, 40)
  check.equal(held.retainer_count, 1)
  check.equal(held.retainers[1].retainer, "_G.world.items")
  check.equal(held.retainers[1].path, "_G.world.items.[1]")
  check.equal(held.retainers[1].references, 40)
  check.equal(held.keepers[1].path, "_G.world.items")
  check.equal(held.keepers[2].path, "_G.world")
  check.equal(#held.keepers, 2)
  check.equal(held.keepers[2].retained, s:retainers("_G.world").retained)
end

-- What is not there: nil, and why, with what is near.
do
  local function absent(what, pattern, in_what)
    for _, name in ipairs { "path", "retainers" } do
      local results = { snapshot[name](in_what or s, what) }
      check.equal(results[1], nil)
      check.equal(select("#", snapshot[name](in_what or s, what)), 2)
      check.matches(results[2], pattern)
    end
  end
  absent({}, "^the object is not in the snapshot: it was made later, or the snapshot is of something else$")
  absent(function() end, "^the object is not in the snapshot")
  absent("0x1", "^no object lies at 0x1; the nearest is %a+:0x%x+$")
  absent("table: 0x1", "^no object lies at 0x1; the nearest is ")
  absent("world.itms", "^world has no 'itms'; is it items%?; and no group is called 'world%.itms'$")
  absent("_G.world.items.[41]", "^_G%.world%.items has no '%[41%]'")
  absent("_G.wrold.items", "^_G has no 'wrold%.items'; is it world%?;")
  absent("class _G.Palyer",
    "^the snapshot has no 'class _G%.Palyer'.*; and no group is called 'class _G%.Palyer'; is it class _G%.Player%?$")
  absent("", "^the snapshot has no ''")
  absent("\255\0", "^the snapshot has no ")
  absent("000000000000", "^the snapshot has no '000000000000'")
  absent(s, "") -- itself: whatever the reason
  -- In others.
  local part = snapshot.snapshot({ {} }, "part")
  absent(world, is_native and "^part does not hold it$" or "^the object is not in the snapshot", part)
  absent("_G", "", part)
  check.equal(part:path "part.[1]", "part.[1]")
  local freed = s:copy()
  freed:free()
  absent(world, "^the object is not in the snapshot", freed)
  absent("_G", "^the snapshot has no '_G'", freed)
  absent("0x1", "^no object lies at 0x1$", freed)
  check.equal(#freed:top(), 0)
  -- (Both are there all the time: else the second could lie where the first lay.)
  local older, newer = {}, { new = {} }
  local difference = snapshot.snapshot(older, "d"):incr(snapshot.snapshot(newer, "d"))
  check.equal(difference:path "d.new", "d.new")
  check.equal(#difference:top() > 0, true)
  check.equal(difference:retainers("d.new").retainers[1].path, "d.new")
end

-- All retainers, keepers, and the paths that each have to be cut.
do
  local shared = {}
  cache = { shared = shared, again = shared, { shared } }
  index = { [shared] = true }
  retainer = (function(held) return function() return held end end)(shared)
  shared = nil
  local s = snapshot.snapshot()
  local held = s:retainers "cache.shared"
  check.equal(held.path, "_G.cache.again")
  local by = {}
  for _, row in ipairs(held.retainers) do by[row.path] = row end
  check.equal(#held.retainers, held.retainer_count)
  check.equal(by["_G.cache.again"] and by["_G.cache.again"].references
    or by["_G.cache.shared"].references, 2)
  check.equal((by["_G.cache.again"] or by["_G.cache.shared"]).retainer, "_G.cache")
  check.equal(by["_G.cache.[1].[1]"].references, 1)
  check.equal(by["_G.index.[key]"].references, 1)
  check.equal(by["_G.retainer.held"].references, 1)
  check.equal(held.retainers[1].references, 2)
  -- The local variable's place on the stack is free; the others are all.
  check.equal(held.retainer_count, 4)
  check.equal(#held.keepers, 0)
  local paths = {}
  for _, path in ipairs(held.paths) do paths[path] = true end
  check.equal(#held.paths, 3)
  check.equal(paths["_G.cache.shared"] or paths["_G.cache.again"], true)
  check.equal(paths["_G.index.[key]"], true)
  check.equal(paths["_G.retainer.held"], true)
  -- As many as are asked for.
  local some = s:retainers("cache.shared", { retainers = 2, paths = 1 })
  check.equal(#some.retainers, 2)
  check.equal(some.retainer_count, 4)
  check.equal(#some.paths, 1)
  some = s:retainers("cache.shared", { retainers = 0, paths = 0 })
  check.equal(#some.retainers, 0)
  check.equal(some.retainer_count, 4)
  check.equal(#some.paths, 0)
  check.equal(some.path, "_G.cache.again")
  -- A keeper: what holds it alone.
  index, retainer = nil, nil
  s = snapshot.snapshot()
  held = s:retainers "cache.shared"
  check.equal(held.keepers[1].path, "_G.cache")
  check.equal(#held.keepers, 1)
  check.equal(held.keepers[1].retained, s:retainers("cache").retained)
  -- Each of them has to be cut.
  table.sort(held.paths)
  check.equal(table.concat(held.paths, " "), "_G.cache.[1].[1] _G.cache.again _G.cache.shared")
  cache = nil
end

-- Held by a coroutine's variable, by an upvalue, by the registry, by a weak table alone.
do
  local weak = setmetatable({}, { __mode = "v" })
  co = coroutine.create(function()
    local inner = {}
    weak[1] = inner
    coroutine.yield()
    return inner
  end)
  coroutine.resume(co)
  local s = snapshot.snapshot()
  check.equal(s:path(found(weak)), "_G.co.[inner:script.lua]")
  local held = s:retainers(found(weak))
  check.equal(held.retainer_count, 1)
  check.equal(held.retainers[1].retainer, "_G.co")
  check.equal(held.retainers[1].path, "_G.co.[inner:script.lua]")
  check.equal(held.keepers[1].path, "_G.co")
  check.equal(#held.paths, 1)
  check.equal(held.paths[1], "_G.co.[inner:script.lua]")
  co = nil

  closure = (function()
    local up = {}
    weak[2] = up
    return function() return up end
  end)()
  s = snapshot.snapshot()
  check.equal(s:path(weak[2]), "_G.closure.up")
  held = s:retainers(weak[2])
  check.equal(held.retainer_count, 1)
  check.equal(held.retainers[1].path, "_G.closure.up")
  check.equal(held.keepers[#held.keepers].path, "_G.closure")
  check.equal(held.paths[1], "_G.closure.up")
  closure = nil

  local registry = debug.getregistry()
  local ref = #registry + 1
  registry[ref] = (function() local t = {} weak[3] = t return t end)()
  s = snapshot.snapshot()
  check.equal(s:path(weak[3]), "[REGISTRY].[" .. ref .. "]")
  held = s:retainers(weak[3])
  check.equal(held.retainer_count, 1)
  check.equal(held.retainers[1].retainer, "[REGISTRY]")
  check.equal(#held.keepers, 0)
  check.equal(held.paths[1], "[REGISTRY].[" .. ref .. "]")
  registry[ref] = nil

  -- The native engine sees what only weak tables have; either way nothing holds it.
  collectgarbage "stop"
  coroutine.wrap(function() weak[4] = {} end)()
  s = snapshot.snapshot()
  local path, reason = s:path(weak[4])
  check.equal(path, nil)
  check.matches(reason, is_native and "^nothing holds it: it is garbage$" or "^the object is not in the snapshot")
  held, reason = s:retainers(weak[4])
  check.equal(held, nil)
  check.matches(reason, is_native and "^nothing holds it: it is garbage$" or "^the object is not in the snapshot")
  collectgarbage "restart"
  check.equal(type(load), "function")
end

-- A long list: its end has a path, which is whole however long it is. Rows are cut where they would be very long, and
-- are found all the same.
do
  list = {}
  local at = list
  for _ = 1, 100000 do at.next = {} at = at.next end
  local last = at
  at = nil
  check.collect()
  local s = snapshot.snapshot({ list = list }, "root")
  local whole = "root.list" .. (".next"):rep(100000)
  check.equal(s:path(last) == whole, true)
  check.equal(s:path(whole) == whole, true)
  check.equal(#s:top() < 5, true)
  local held = s:retainers(last)
  check.equal(held.path == whole, true)
  check.equal(held.retainer_count, 1)
  check.equal(#held.keepers, 8)
  check.equal(held.keepers[1].path, "root.list.next.next.next.next.next.next…[99989 steps]…next.next.next.next")
  check.equal(#s:path(held.keepers[1].path), #whole - #".next")
  check.equal(#s:path(held.keepers[8].path), #whole - 8 * #".next")
  list = nil
end

-- Wrong arguments.
for _, name in ipairs { "top", "path", "retainers" } do
  check.raises("bad argument #1 to '" .. name .. "' (snapshot expected, got no value)", snapshot[name])
  check.raises("bad argument #1 to '" .. name .. "' (snapshot expected, got table)", snapshot[name], {}, {})
end
for _, name in ipairs { "path", "retainers" } do
  local function wrong(kind, ...)
    check.raises("bad argument #2 to '" .. name .. "' (string or object expected, got " .. kind .. ")",
      snapshot[name], s, ...)
  end
  wrong "no value"
  wrong("nil", nil)
  wrong("number", 5)
  wrong("boolean", true)
  wrong("light userdata", host.lightuserdata(16))
end
do
  local function wrong(reason, options)
    check.raises("bad argument #2 to 'top' (" .. reason .. ")", snapshot.top, s, options)
  end
  wrong("table expected, got number", 5)
  wrong("table expected, got string", "retained")
  wrong("option 'by' is 'retained', 'size', 'count', 'class' or 'owner', got 'bytes'", { by = "bytes" })
  wrong("option 'by' is a string, got number", { by = 5 })
  wrong("option 'n' is a whole number from 0 on, got number", { n = -1 })
  wrong("option 'n' is a whole number from 0 on, got string", { n = "5" })
  for _, option in ipairs { "retainers", "paths" } do
    check.raises(("bad argument #3 to 'retainers' (option '%s' is a whole number from 0 on, got number)"):format(option),
      snapshot.retainers, s, "_G", { [option] = 0.5 })
  end
  check.raises("bad argument #3 to 'retainers' (table expected, got number)", snapshot.retainers, s, "_G", 5)
end

-- A loop holds in slots without a name what the program has a name for: that is what it is called.
do
  running = { list = {} }
  for i = 1, 30 do running.list[i] = { {} } end
  for _, one in ipairs(running.list) do
    local rows = snapshot.snapshot():top { n = 10000 }
    check.equal(row_of(rows, "_G.running.list", "table").count, 1)
    check.equal(row_of(rows, "_G.running.list.[*]", "table").count, 30)
    check.equal(snapshot.path(snapshot.snapshot(), running.list), "_G.running.list")
    break
  end
end
