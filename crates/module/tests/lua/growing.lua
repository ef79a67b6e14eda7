-- `growth`: which groups grow from each snapshot to the next, and where they pile up.

local snapshot = require "snapshot"
local check = require "check"

local is_native = os.getenv "LUASNAP_ENGINE" == "native"

--- The row of that name (and type, where several have it); nil where there is none.
local function row_of(rows, name, type)
  for _, row in ipairs(rows) do
    if row.name == name and (not type or row.type == type) then return row end
  end
end

local function list(values) return table.concat(values, " ") end

-- A server whose sessions stay, whose requests go, and whose log got long once.
server = { sessions = {}, requests = {}, log = {} }
local function serve(count)
  for _ = 1, count do
    local n = #server.sessions + 1
    server.sessions[n] = { id = "session " .. n, inventory = { {}, {} } }
  end
end
local function taken()
  check.collect()
  return snapshot.snapshot()
end

serve(10)
for i = 1, 5 do server.requests[i] = { request = { i } } end
local first = taken()
serve(10)
for i = 1, 200 do server.log[i] = { line = i } end
server.requests[5] = nil
local second = taken()
serve(20)
server.requests[4] = nil
local third = taken()
serve(1)
local fourth = taken()

local found = snapshot.growth(first, second, third, fourth)
do
  local sessions = row_of(found.growing, "_G.server.sessions.[*]")
  check.equal(sessions.type, "table")
  check.equal(list(sessions.counts), "10 20 40 41")
  check.equal(sessions.count_change, 31)
  check.equal(#sessions.sizes, 4)
  check.equal(sessions.size_change, sessions.sizes[4] - sessions.sizes[1])
  check.equal(sessions.sizes[4] % 41, 0)
  check.equal(sessions.growing, true)
  -- One that came.
  check.equal(sessions.example, "_G.server.sessions.[11]")
  check.matches(sessions.fingerprint, "^%x%x%x%x%x%x%x%x%x%x%x%x$")

  local inventories = row_of(found.growing, "_G.server.sessions.[*].inventory")
  check.equal(list(inventories.counts), "10 20 40 41")
  local items = row_of(found.growing, "_G.server.sessions.[*].inventory.[*]")
  check.equal(list(items.counts), "20 40 80 82")
  check.equal(items.example, "_G.server.sessions.[11].inventory.[1]")
  if is_native then
    local texts = row_of(found.growing, "strings of _G.server.sessions.[*]")
    check.equal(texts.type, "string")
    check.equal(list(texts.counts), "10 20 40 41")
  end

  -- What grew once does not grow; what shrank is told as well.
  check.equal(row_of(found.growing, "_G.server.log.[*]"), nil)
  local log = row_of(found.changed, "_G.server.log.[*]")
  check.equal(list(log.counts), "0 200 200 200")
  check.equal(log.growing, false)
  local requests = row_of(found.changed, "_G.server.requests.[*]")
  check.equal(list(requests.counts), "5 4 3 3")
  check.equal(requests.count_change, -2)
  check.equal(requests.size_change < 0, true)
  check.equal(requests.growing, false)

  -- Those that grew most come first, and what grows has changed.
  for _, rows in ipairs { found.growing, found.changed } do
    for i = 2, #rows do
      check.equal(rows[i - 1].size_change >= rows[i].size_change, true)
    end
  end
  check.equal(#found.changed, found.changed_count)
  for _, row in ipairs(found.growing) do
    check.equal(row.growing, true)
    check.equal(row_of(found.changed, row.name, row.type).fingerprint, row.fingerprint)
  end
  check.equal(#found.sizes, 4)
  for i = 2, 4 do check.equal(found.sizes[i] > found.sizes[i - 1], true) end

  -- All of that piles up in one place.
  local suspect = found.suspects[1]
  check.equal(suspect.point, "_G.server.sessions")
  local rows = {}
  for _, row in ipairs(found.growing) do rows[row.fingerprint] = row end
  local grown, groups = 0, {}
  for _, fingerprint in ipairs(suspect.groups) do
    local row = rows[fingerprint]
    groups[row.name] = true
    grown = grown + row.size_change
  end
  check.equal(suspect.grown, grown)
  check.equal(groups["_G.server.sessions.[*]"], true)
  check.equal(groups["_G.server.sessions.[*].inventory"], true)
  check.equal(groups["_G.server.sessions.[*].inventory.[*]"], true)
  check.equal(groups["_G.server.log.[*]"], nil)
  check.equal(suspect.fingerprint, suspect.groups[1])
  check.matches(suspect.example, "^_G%.server%.sessions%.%[11%]")
  check.equal(suspect.share > 0 and suspect.share < 1, true)
  check.equal(math.abs(suspect.share - suspect.retained / found.sizes[4]) < 0.02, true)
  check.equal(suspect.retained >= suspect.grown, true)
  for i, other in ipairs(found.suspects) do
    check.equal(i == 1 or other.point ~= suspect.point, true)
    check.equal(i == 1 or other.grown <= found.suspects[i - 1].grown, true)
  end
end

-- A method as well; two are enough; the same twice has not changed.
do
  local two = first:growth(fourth)
  check.equal(list(row_of(two.growing, "_G.server.sessions.[*]").counts), "10 41")
  check.equal(list(row_of(two.growing, "_G.server.log.[*]").counts), "0 200")
  check.equal(two.suspects[1] ~= nil, true)
  local none = first:growth(first, first:copy())
  check.equal(#none.growing, 0)
  check.equal(#none.changed, 0)
  check.equal(none.changed_count, 0)
  check.equal(#none.suspects, 0)
  check.equal(#none.sizes, 3)
  check.equal(none.sizes[1], none.sizes[3])
  -- Backwards it shrinks.
  local back = snapshot.growth(fourth, first)
  check.equal(row_of(back.growing, "_G.server.sessions.[*]"), nil)
  check.equal(list(row_of(back.changed, "_G.server.sessions.[*]").counts), "41 10")
  check.equal(back.changed[#back.changed].size_change < 0, true)
end

-- Loaded ones are as good.
do
  for i, s in ipairs { first, second, third, fourth } do s:save("growth." .. i) end
  local loaded = {}
  for i = 1, 4 do loaded[i] = snapshot.load("growth." .. i) end
  local function text(value)
    if type(value) ~= "table" then return tostring(value) end
    local fields = {}
    for key, field in pairs(value) do fields[#fields + 1] = tostring(key) .. "=" .. text(field) end
    table.sort(fields)
    return "{" .. list(fields) .. "}"
  end
  local expected = text(found)
  check.equal(text(snapshot.growth(loaded[1], loaded[2], loaded[3], loaded[4])), expected)
  check.equal(text(snapshot.growth(first, loaded[2], third, loaded[4])), expected)
  check.equal(text(snapshot.growth(loaded[1], second, loaded[3], fourth)), expected)
  -- A file without strings has the same groups, and one without names at least as many objects.
  fourth:save("growth.4", { strings = false })
  check.equal(text(snapshot.growth(first, second, third, snapshot.load "growth.4")), expected)
  fourth:save("growth.4", { names = false })
  local nameless = snapshot.load "growth.4"
  check.equal(#snapshot.growth(nameless, nameless).changed, 0)
  check.equal(snapshot.growth(nameless, nameless).sizes[2], found.sizes[4])
end

-- Of one value.
do
  local t = { list = {} }
  local function part() return snapshot.snapshot(t, "part") end
  local a = part()
  t.list[1] = {}
  local b = part()
  t.list[2] = {}
  local grown = a:growth(b, part())
  check.equal(#grown.growing >= 1, true)
  check.equal(list(row_of(grown.growing, "part.list.[*]").counts), "0 1 2")
  check.equal(grown.suspects[1].point, "part.list")
  -- By names that come in as data.
  for i = 1, 40 do t.list["name of " .. i] = {} end
  local c = part()
  for i = 41, 50 do t.list["name of " .. i] = {} end
  check.equal(list(row_of(c:growth(part()).growing, "part.list.*").counts), "40 50")
end

-- What cannot be compared.
do
  local function fails(message, ...) check.raises(message, snapshot.growth, ...) end
  fails("growth is found between snapshots: two are needed at least, not 0")
  fails("growth is found between snapshots: two are needed at least, not 1", first)
  fails("bad argument #1 to 'growth' (snapshot expected, got table)", { first, second })
  fails("bad argument #2 to 'growth' (snapshot expected, got nil)", first, nil)
  fails("bad argument #3 to 'growth' (snapshot expected, got number)", first, second, 5)
  local difference = first:incr(second)
  local between = "the difference of two others: growth is found between whole snapshots"
  fails("snapshot 1 is " .. between, difference, second)
  fails("snapshot 3 is " .. between, first, second, difference)
  local root = check.rows(first)[1].link
  local a, b = snapshot.snapshot({}, "a"), snapshot.snapshot({}, "b")
  fails("snapshot 1 shows what a holds, snapshot 2 what b holds: take both with the same root", a, b)
  fails("snapshot 1 shows what a holds, snapshot 2 what " .. root
    .. " holds: take both with the same root", a, first)
  fails("snapshot 1 shows what a holds, snapshot 3 what " .. root
    .. " holds: take both with the same root", a, a, first)
  local native = snapshot.snapshot(nil, nil, { engine = "native" })
  local portable = snapshot.snapshot(nil, nil, { engine = "portable" })
  local rest = ": one estimates sizes and sees objects alone, so take both with the same engine"
  fails("snapshot 1 was captured by the native engine, snapshot 2 by the portable one" .. rest, native, portable)
  fails("snapshot 1 was captured by the portable engine, snapshot 2 by the native one" .. rest, portable, native)
  -- A freed one is of nothing.
  local freed = first:copy()
  freed:free()
  fails("snapshot 2 is empty: there is nothing to compare", first, freed)
  fails("snapshot 1 is empty: there is nothing to compare", freed, freed:copy())
  -- The stack has room for many, all in order.
  local many = {}
  for i = 1, 100 do many[i] = a end
  check.equal(#snapshot.growth((unpack or table.unpack)(many)).sizes, 100)
end
