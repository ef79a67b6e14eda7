-- Names with control characters of terminals in them, changes of direction, characters without width: what
-- is printed, returned for people to read or raised has none of them.

local snapshot = require "snapshot"
local check = require "check"

local hostile = {
  "\27]0;title\7\27[31mred", "c1 \194\15531m", "raw c1 \15531m", "bidi \226\128\174live\226\128\172",
  "isolate \226\129\166x\226\129\169", "zero\226\128\139width", "line\226\128\168separator",
  "new\nline", "mark\239\187\191", "soft\194\173hyphen", "tag\243\160\129\129", "heart\239\184\143",
}

-- What may be in a text for people: UTF-8 of what can be seen.
local function is_readable(text)
  return not (text:find "[%z\1-\31\127]" or text:find "\194[\128-\159\173]"
    or text:find "\226\128[\139-\143\168-\174]" or text:find "\226\129[\160-\175]"
    or text:find "\239\187\191" or text:find "\239\184[\128-\143]" or text:find "\243\160"
    or text:find "[\192\193\245-\255]" or text:find "^[\128-\191]" or text:find "[%z\1-\127][\128-\191]")
end

-- It may have lines and tabs.
local function readable(text, what)
  if not is_readable((text:gsub("[\n\t]", ""))) then
    error(("%s: %q"):format(what, text), 2)
  end
  return text
end

for _, name in ipairs(hostile) do
  check.equal(is_readable(name), false, "the test itself")
  check.equal(is_readable(snapshot.printable(name)), true)
end
check.equal(snapshot.printable "a\\n\n\27\194\155\226\128\174\155缓", "a\\n\\n\\x1B\\u{9B}\\u{202E}\\x9B缓")

local HOSTILE = table.concat(hostile)
local make = assert((loadstring or load)([[
  local up = ...
  local co = coroutine.create(function() local x = {} coroutine.yield(x) end)
  coroutine.resume(co)
  return function() return up end, co
]], "@chunk" .. HOSTILE .. ".lua"))
world = {}
for _, name in ipairs(hostile) do
  world[name] = { {}, {}, {} }
  local class = { __name = "Class" .. name }
  for i = 1, 20 do
    world[name][i] = setmetatable({ (name .. " a long text that is there many times "):rep(3) .. i % 2 }, class)
  end
  world[name].make, world[name].co = make(name)
end
before = snapshot.snapshot()
world.more = {}
for i = 1, 100 do world.more[hostile[1] .. i] = setmetatable({}, { __name = hostile[4] }) end
local whole = snapshot.snapshot()
local grown = before:incr(whole)

-- Rows have names as the program has them, for it to compare with its own; what `printable` makes of them
-- is readable.
local function all_raw(value, what, seen)
  if type(value) == "string" then
    readable(snapshot.printable(value), what)
    for number, name in ipairs(hostile) do
      if value:find(name, 1, true) then seen[number] = true end
    end
  end
  if type(value) ~= "table" then return seen end
  for key, inner in pairs(value) do
    all_raw(key, what, seen)
    all_raw(inner, what .. "." .. tostring(key), seen)
  end
  return seen
end
local function expect_all(seen, what)
  for number in ipairs(hostile) do check.equal(seen[number], true, what .. number) end
end

for _, s in ipairs { whole, grown } do
  readable(s:report(), "report")
  local seen = all_raw(s:top { n = 1000 }, "top", {})
  if s == whole then expect_all(seen, "top") end
  all_raw(s:stats(), "stats", {})
  all_raw(s:waste(), "waste", {})
  for _, write in ipairs { "to_file", "to_jsonfile", "to_jsonfilefmt" } do
    s[write](s, "written")
    local file = assert(io.open("written", "rb"))
    readable(file:read "*a", write)
    file:close()
  end
end
all_raw(before:growth(whole), "growth", {})

-- Each name is found as it is, and as it is shown.
for _, name in ipairs(hostile) do
  local printable = snapshot.printable(name)
  -- What has blanks or brackets in it is quoted.
  local whole_path = "_G.world." .. (name:find "[%s%[]" and '["' .. name .. '"]' or name)
  for _, path in ipairs { whole_path, snapshot.printable(whole_path), "_G.world." .. name, "_G.world." .. printable } do
    check.equal(assert(whole:path(path)), whole_path)
    local retainers = assert(whole:retainers(path))
    check.equal(retainers.count, 1)
    check.equal(retainers.path, whole_path)
    all_raw(retainers, "retainers", {})
  end
  check.equal(whole:path(world[name]), whole_path)
end

-- What is said where something is wrong.
local function said(f, ...)
  local ok, message = pcall(f, ...)
  check.equal(ok, false)
  return readable(message, "message")
end
for _, name in ipairs(hostile) do
  for _, write in ipairs { "to_file", "to_jsonfile", "to_jsonfilefmt", "save" } do
    check.matches(said(snapshot[write], whole, "no folder " .. name .. "/file"), "cannot write 'no folder ")
  end
  check.matches(said(snapshot.load, "no file " .. name), "cannot read 'no file ")
  said(snapshot.snapshot, nil, nil, { engine = name })
  said(snapshot.top, whole, { by = name })
  for _, find in ipairs { "path", "retainers" } do
    local found, why = whole[find](whole, "_G.world.none " .. name)
    check.equal(found, nil)
    readable(why, find)
  end
  local part = snapshot.snapshot({}, name)
  local _, why = part:path(world)
  readable(why, "path of a part")
end
-- The position of a call is the chunk's name.
local call = assert((loadstring or load)("require 'snapshot'.print(5) return 1", "@at" .. hostile[1]))
check.matches(said(call), "^at\\x1B%]0;title\\x07\\x1B%[31mred:1: bad argument")
local ok, message = pcall(snapshot.check, function()
  for i = 1, 10 do world[hostile[4]][#world[hostile[4]] + 1] = { hostile[3] } end
end)
check.equal(ok, false)
readable(message, "check")
