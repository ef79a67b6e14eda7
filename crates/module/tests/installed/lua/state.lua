-- The whole state of the program that this runs in, and what this script adds to it.
local snapshot = require "snapshot"

local function name(object)
  return (tostring(object):gsub(": ", ":", 1))
end

--- The rows of a snapshot by their names.
local function rows(s)
  s:to_file "rows.txt"
  local found = {}
  for line in io.lines "rows.txt" do
    local name, refs, desc, link = line:match "^ *([^\t]*)\t *(%d+)\t *([^\t]*)\t(.*)$"
    if name then found[name] = { refs = tonumber(refs), desc = desc, link = link } end
  end
  return found
end

local function found(rows, name, pattern)
  local row = rows[name]
  if not row then error("no row of " .. name, 2) end
  if not row.link:find(pattern) then error(row.link .. " is not " .. pattern, 2) end
end

--- Puts objects into the state, in a frame of its own so that no local variable holds them, and
--- gives their names.
local function fill()
  local cache = { sessions = { {}, {} } }
  package.loaded.test_cache = cache
  local names = { session = name(cache.sessions[2]), cache = name(cache) }

  -- A coroutine that waits.
  cache.waiting = coroutine.create(function()
    local held = {}
    names.held = name(held)
    coroutine.yield()
    return held
  end)
  assert(coroutine.resume(cache.waiting))
  names.waiting = name(cache.waiting)

  -- A closure, a metatable, a weak table.
  local secret, meta, weak = {}, {}, {}
  function cache.closure() return secret end
  names.secret, names.meta, names.weak = name(secret), name(meta), name(weak)
  cache.object = setmetatable({}, meta)
  cache.weak = setmetatable({ weak }, { __mode = "v" })
  return names
end

local clock = os.clock()
local before = snapshot.snapshot()
local seconds = os.clock() - clock
assert(#before > 100, tostring(before))
assert(seconds < 20, "a snapshot took " .. seconds .. " s")

local names = fill()
local mine = {}
local after = snapshot.snapshot()
local new, all = rows(before:incr(after)), rows(after)
for _, rows in ipairs { new, all } do
  found(rows, names.cache, "^%[REGISTRY%]%._LOADED%.test_cache$")
  found(rows, names.session, "^%[REGISTRY%]%._LOADED%.test_cache%.sessions%.%[2%]$")
  found(rows, names.held, "%.%[held:script%.lua%]$")
  found(rows, names.secret, "%.closure%.secret$")
  found(rows, names.meta, "%.test_cache%.object%.%[metatable%]$")
  found(rows, name(mine), "%[mine:script%.lua%]$")
  assert(not rows[names.weak], "weak references hold nothing")
end
assert(new[names.cache].desc == "(size: 5)(+)")

-- Nothing but that, this script's variables, and what its files needed.
assert(#before:incr(after) < 40, tostring(before:incr(after)))
-- Everything it names is in the full snapshot as well.
for name in pairs(new) do assert(all[name], name) end

snapshot.to_file(after, "state.txt")
snapshot.to_jsonfile(after, "state.json")
snapshot.to_jsonfilefmt(after, "state.indented.json")
local count = #after

-- It goes again.
package.loaded.test_cache = nil
local gone = rows(after:decr(snapshot.snapshot()))
for _, key in ipairs { "cache", "session", "secret", "meta", "held" } do
  assert(gone[names[key]].desc:find "%(%-%)$", key)
end

-- Again and again: nothing of the snapshots themselves stays.
before = snapshot.snapshot()
for _ = 1, 20 do snapshot.snapshot() end
collectgarbage()
local extra = before:incr(snapshot.snapshot())
assert(#extra < 10, tostring(extra))

-- The report, for people.
assert(after:report():find "table")
print(count)
