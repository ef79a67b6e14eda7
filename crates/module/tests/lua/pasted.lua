-- Every name, example and path that an answer shows is a word that `path` takes.

local snapshot = require "snapshot"
local check = require "check"

local load_text = loadstring or load
local registry = debug.getregistry()

-- A program with all sorts of names: of many steps, of many letters, with dots and brackets, with none.
Panel = {}
Panel.__index = Panel
local long = ("long "):rep(40)
odd = {
  panels = {}, names = { ["a.b"] = { c = {} }, a = { b = {}, [1] = {} }, ["a[1]"] = {}, [""] = { [""] = {} } },
  escaped = { ["line\nfeed"] = {}, ["\27[31m"] = { {} }, ["[REGISTRY]"] = {}, ["[1]"] = { {} } },
  [long .. 1] = { { {} } }, [long .. 2] = {}, keys = {}, [true] = {}, [0.5] = {}, waiting = {}, loaded = {}, code = {},
}
local function add(n)
  for i = #odd.panels + 1, #odd.panels + n do
    odd.panels[i] = setmetatable({ id = {}, text = "text " .. i }, Panel)
    odd.keys[{}] = { i }
    odd.loaded[i] = assert(load_text("local a = '" .. i .. "' return function() return a end"))
    odd.code["unit" .. i] = { [long .. i] = function() return i end }
    odd.waiting[i] = coroutine.create(function() coroutine.yield({ i }) end)
    coroutine.resume(odd.waiting[i])
    registry[#registry + 1] = i % 2 == 0 and { { i } } or function() return { i } end
  end
end
do
  local at = odd
  for i = 1, 40 do
    at.next = { ["data " .. i] = { {} } }
    at = at.next
  end
  at.last = {}
end

local function taken()
  check.collect()
  return snapshot.snapshot()
end

local s = {}
for k = 1, 3 do
  add(6)
  s[k] = taken()
end
local last = s[3]

local asked = {}
--- `path` takes a word, in a snapshot.
local function takes(word, of)
  if type(word) ~= "string" or asked[word] then return end
  asked[word] = true
  local path, reason = (of or last):path(word)
  if not path then error("path refuses " .. snapshot.printable(word) .. ": " .. reason, 2) end
end

--- All that a row shows.
local function takes_row(row, of)
  for _, field in ipairs { "name", "example", "point", "path", "retainer", "fingerprint" } do takes(row[field], of) end
end

for _, by in ipairs { "retained", "size", "count", "class" } do
  for _, row in ipairs(last:top { by = by, n = 10000 }) do
    takes_row(row)
    -- What is shown of an answer about it.
    local held = last:retainers(row.fingerprint, { retainers = 4 })
    takes_row(held)
    for _, list in ipairs { held.retainers, held.keepers } do
      for _, one in ipairs(list) do takes_row(one) end
    end
    for _, path in ipairs(held.paths) do takes(path) end
  end
end

-- Growth: what is gone from the last snapshot is nowhere.
local growth = snapshot.growth(s[1], s[2], s[3])
for _, rows in ipairs { growth.changed, growth.growing, growth.suspects } do
  for _, row in ipairs(rows) do
    if not row.counts or row.counts[3] > 0 then
      takes(row.name)
      takes(row.example)
      takes(row.point)
    end
  end
end

-- Reports: what is before what is said in parentheses.
local function takes_report(text)
  for line in text:gmatch "[^\n]+" do
    local name = line:match "^%s+[%d,]+%s+[%d%.]+ %a+%s+[%d%.]+ %a+%s+%l+%s+(.+)$"
      or line:match "^%s+[%d,]+%s+[%d%.]+ %a+%s+%l+%s+(.+)$"
      or line:match "^%s+e%.g%. (.+)$"
      or line:match "^  (.-) grew by "
    if name then
      name = name:gsub("^[%d,]+ tables ", ""):gsub("  %(.*$", "")
      takes(name)
    end
  end
end
takes_report(last:report())
takes_report(snapshot.report(snapshot.incr(s[1], last)))

-- Links of the eleven functions.
for line in check.text(last):gmatch "[^\n]+" do
  local link = line:match "^%d+\t%d+\t[^\t]*\t(.+)$"
  takes(link)
end
