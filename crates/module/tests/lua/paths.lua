-- `path` and `retainers`: who holds an object and what it is, told so that each line can be asked about.

local snapshot = require "snapshot"
local check = require "check"

local is_native = os.getenv "LUASNAP_ENGINE" == "native"
local registry = debug.getregistry()

local function taken()
  check.collect()
  return snapshot.snapshot()
end

local function list_of(rows, field)
  local list = {}
  for i, row in ipairs(rows) do list[i] = field and row[field] or row end
  table.sort(list)
  return table.concat(list, " ")
end

-- Functions that share a variable: each is a retainer, and each has to be cut.
local function share()
  local cache = { entry = {} }
  get = function() return cache end
  set = function(value) cache = value end
  holder = { last = function() return cache, get end }
end
share()
do
  local s = taken()
  local expected = "_G.get.cache _G.holder.last.cache _G.set.cache"
  local held = s:retainers "get.cache"
  check.equal(held.retainer_count, 3)
  check.equal(list_of(held.retainers, "path"), expected)
  check.equal(list_of(held.retainers, "retainer"), "_G.get _G.holder.last _G.set")
  for _, row in ipairs(held.retainers) do check.equal(row.references, 1) end
  check.equal(list_of(held.paths), expected)
  check.equal(#held.keepers, 0)
  -- What is in it has one retainer, and this one keeper; the variable is no second one.
  held = s:retainers "get.cache.entry"
  check.equal(list_of(held.retainers, "path"), "_G.get.cache.entry")
  check.equal(list_of(held.keepers, "path"), "_G.get.cache")
  get, holder = nil, nil
  held = taken():retainers "set.cache.entry"
  check.equal(held.keepers[1].path, "_G.set.cache")
  check.equal(held.keepers[2].path, "_G.set")
  check.equal(#held.keepers, 2)
  set = nil
end

-- What refers to itself is not held by itself.
do
  node = { parent = { 1 } }
  node.itself, node[1] = node, node
  recursive = (function()
    local function again(n) return again(n - 1) end
    return again
  end)()
  local s = taken()
  local held = s:retainers "node"
  check.equal(list_of(held.retainers, "path"), "_G.node")
  check.equal(list_of(held.refers_to_itself), "[1] itself")
  held = s:retainers "recursive"
  check.equal(list_of(held.retainers, "path"), "_G.recursive")
  check.equal(list_of(held.refers_to_itself), "again")
  check.equal(s:retainers("node.parent").refers_to_itself, nil)
  node, recursive = nil, nil
end

-- What an object is.
do
  local line = debug.getinfo(1, "l").currentline + 1
  local function task() coroutine.yield() end
  things = {
    task = task, print = print, list = { 1, 2, 3 }, co = coroutine.create(task),
    keys = setmetatable({}, { __mode = "k" }), values = setmetatable({}, { __mode = "v" }),
    both = setmetatable({}, { __mode = "kv" }), sparse = {},
  }
  things.keys[task], things.values[1], things.both[task] = 1, task, task
  for i = 1, 64 do things.sparse["k" .. i] = i end
  for i = 2, 64 do things.sparse["k" .. i] = nil end
  coroutine.resume(things.co)
  local s = taken()
  local function is(name) return s:retainers("things." .. name).object end
  local function says(name, words) check.equal(is(name).words, words) end
  says("task", "function script.lua:" .. line)
  check.equal(is("task").defined_at, "script.lua:" .. line)
  check.equal(is("task").type, "function")
  check.equal(is("list").address, (check.name(things.list):gsub("^.*:", "")))
  says("print", "function in C")
  says("list", "table with 3 entries")
  check.equal(is("list").entries, 3)
  check.matches(is("co").words, "^coroutine, suspended at script%.lua:" .. line)
  check.matches(s:retainers("things.co").coroutine.words, "^suspended at ")
  says("keys", "table with 1 entry, weak keys")
  says("values", "table with 1 entry, weak values")
  says("both", "table with 1 entry, weak keys and values")
  check.equal(is("both").weak, "kv")
  check.equal(is("list").weak, nil)
  if is_native then
    local slots = is("sparse").slots
    check.equal(slots.hash_used, 1)
    check.equal(slots.hash, 64)
    says("sparse", "table with 1 entry, 1 of 64 hash slots in use")
    check.equal(is("list").slots, nil)
  end
  things = nil
end

-- What an anonymous step is: behind the number in the registry, a key, an upvalue without a name.
do
  local line = debug.getinfo(1, "l").currentline + 1
  local function callback() return callback end
  local ref, other = #registry + 1, #registry + 2
  registry[ref] = { held = { {} }, 1 }
  registry[other] = (function(kept) return function() return kept end end) { {} }
  local other_line = line + 3
  keyed = { [{ inner = {} }] = true, [{ inner = {}, 1 }] = true }
  bound = host.cclosure { { {} } }
  local s = taken()
  local registered = "[REGISTRY].[" .. ref .. "]"
  local held = s:retainers(registered .. ".held")
  check.equal(held.retainers[1].path, registered .. ".held")
  check.equal(held.retainers[1].what, "table with 2 entries")
  check.equal(held.keepers[1].path, registered)
  check.equal(held.keepers[1].what, "table with 2 entries")
  held = s:retainers("[REGISTRY].[" .. other .. "].kept")
  check.equal(held.retainers[1].what, "function script.lua:" .. other_line)
  -- What is named needs no words.
  held = s:retainers("keyed")
  check.equal(held.retainers[1].what, nil)
  -- Keys of one table look the same: their addresses tell them apart.
  local words = {}
  for key in pairs(keyed) do
    local row = s:retainers(key.inner).retainers[1]
    check.equal(row.path, "_G.keyed.[key].inner")
    words[#words + 1] = row.what
  end
  check.equal(#words, 2)
  check.matches(words[1], "^table with %d entr")
  held = s:retainers("bound.[upvalue].[1]")
  check.equal(held.retainers[1].what, "table with 1 entry")
  -- In top as well: the name of a group of functions says it itself.
  local rows, by_name = s:top { n = 10000 }, {}
  for _, row in ipairs(rows) do by_name[row.name] = row end
  check.equal(by_name["script.lua:" .. other_line].example, "[REGISTRY].[" .. other .. "]")
  check.equal(by_name["script.lua:" .. other_line].example_is, nil)
  check.equal(by_name["[REGISTRY].[ref]"].example_is, "table with 2 entries")
  registry[ref], registry[other], keyed, bound = nil, nil, nil, nil
end

-- The VM itself: by its name, not by nothing.
if is_native then
  local s = taken()
  for _, row in ipairs(s:retainers("shared strings").retainers) do
    check.matches(row.retainer, ".")
    check.matches(row.path, ".")
    check.equal(type(s:path(row.retainer)), "string")
  end
end
do
  local row = taken():retainers("[REGISTRY]").retainers[1]
  for _, one in ipairs(taken():retainers("[REGISTRY]").retainers) do
    if one.what == "GC root: held by the VM itself" then row = one end
  end
  check.equal(row.retainer, "[REGISTRY]")
  check.equal(row.what, "GC root: held by the VM itself")
end

-- Names and paths are whole, and what people see of them is taken.
do
  local name = ("name "):rep(30)
  deep = { [name .. "1"] = { one = {} }, [name .. "2"] = { two = {} } }
  local at, path = deep, "_G.deep"
  for _ = 1, 50 do
    at.below, path = {}, path .. ".below"
    at = at.below
  end
  at.here = { {} }
  local s = taken()
  check.equal(s:path(at.here), path .. ".here")
  check.equal(s:path(path .. ".here"), path .. ".here")
  local whole = '_G.deep.["' .. name .. '1"].one'
  check.equal(s:path(deep[name .. "1"].one), whole)
  check.equal(s:path(whole), whole)
  check.equal(s:path("_G.deep." .. name .. "1.one"), whole)
  local key = '["' .. name .. '1"]'
  check.equal(s:path("_G.deep." .. key:sub(1, 30) .. "…" .. key:sub(-15) .. ".one"), whole)
  local short = "_G.deep" .. (".below"):rep(6) .. "…[41 steps]…below.below.below.here"
  check.equal(s:path(short), path .. ".here")
  -- As many steps as there are.
  check.equal(s:path "_G.deep…here", path .. ".here")
  check.equal(s:path "_G.deep.below.below…below.here", path .. ".here")
  check.equal(s:path "_G…one", whole)
  check.equal(s:path "_G…[41 steps]…here", nil)
  check.equal(s:path "_G.here…deep", nil)
  local found, reason = s:path "_G.deep.below…below"
  check.equal(found, nil)
  check.matches(reason, " may mean %d+ objects: ")
  deep = nil
end

-- A last part alone.
do
  server = { sessions = { {} }, rooms = { shared = {}, hall = {} } }
  client = { rooms = { hall = { {}, {} } } }
  Player = {}
  Player.__index = Player
  players = { setmetatable({ bag = {} }, Player), setmetatable({ bag = {} }, Player) }
  local s = taken()
  check.equal(s:path "sessions", "_G.server.sessions")
  check.equal(s:path "sessions.[1]", "_G.server.sessions.[1]")
  check.equal(s:path "rooms.shared", "_G.server.rooms.shared")
  check.equal(s:path "class Player", s:path "class _G.Player")
  check.equal(s:retainers("bag").count, 2)
  local path, reason = s:path "hall"
  check.equal(path, nil)
  -- The one that retains most comes first.
  check.equal(reason, "'hall' may mean 2 objects: _G.client.rooms.hall or _G.server.rooms.hall; ask about one of them")
  server, client, Player, players = nil, nil, nil, nil
end

-- Names with dots and brackets in them: the longest step first, and others where that leads nowhere.
do
  odd = { ["a.b"] = { x = {} }, a = { b = { y = {} }, [1] = {} }, ["a[1]"] = { z = {} }, [""] = { [""] = { {} } } }
  local s = taken()
  check.equal(s:path "odd.a.b.x", '_G.odd.["a.b"].x')
  check.equal(s:path '_G.odd.["a.b"].x', '_G.odd.["a.b"].x')
  check.equal(s:path "odd.a.b.y", "_G.odd.a.b.y")
  check.equal(s:retainers("odd.a.b").retainers[1].retainer, "_G.odd")
  check.equal(s:path "odd.a[1].z", '_G.odd.["a[1]"].z')
  check.equal(s:path "odd.a.[1]", "_G.odd.a.[1]")
  check.equal(s:path(odd[""][""][1]), '_G.odd.[""].[""].[1]')
  check.equal(s:path '_G.odd.[""].[""].[1]', '_G.odd.[""].[""].[1]')
  check.equal(s:path "_G.odd...[1]", '_G.odd.[""].[""].[1]')
  odd = nil
end

-- Patterns that no group has as its name: of a difference, or of all that C code refers to.
do
  refs = { #registry + 1, #registry + 2 }
  registry[refs[1]], registry[refs[2]] = function() end, { {} }
  mixed = { { 1 }, print, "text", a = { {} }, b = { {} } }
  local s = taken()
  check.equal(s:retainers("_G.mixed.[*]").count >= 1, true)
  check.equal(s:retainers("_G.mixed.*.[*]").count, 2)
  check.equal(s:retainers("[REGISTRY].[ref]").count >= 1, true)
  for _, ref in ipairs(refs) do registry[ref] = nil end
  mixed, refs = nil, nil
end
