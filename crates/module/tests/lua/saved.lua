-- Snapshots as files: what is loaded is what was saved, secrets can be left out, and what cannot be
-- read or written says why.

local snapshot = require "snapshot"
local check = require "check"

local is_native = os.getenv "LUASNAP_ENGINE" == "native"

--- A value as text, tables by their keys in order, without the fields of those names.
local function shown(value, without)
  if type(value) ~= "table" then return tostring(value) end
  local fields = {}
  for key, field in pairs(value) do
    if not (without and without[key]) then
      fields[#fields + 1] = tostring(key) .. "=" .. shown(field, without)
    end
  end
  table.sort(fields)
  return "{" .. table.concat(fields, " ") .. "}"
end

local function json(s)
  s:to_jsonfile "rows.json"
  return check.read "rows.json"
end

--- Two snapshots are one and the same, whatever is asked. (How much memory one has depends on what it
-- was asked before.)
local function same(got, expected)
  check.equal(#got, #expected)
  check.equal(tostring(got), tostring(expected))
  check.equal(check.text(got), check.text(expected))
  check.equal(json(got), json(expected))
  check.equal(got:report(), expected:report())
  check.equal(shown(got:stats(), { memory = true }), shown(expected:stats(), { memory = true }))
  check.equal(shown(got:waste()), shown(expected:waste()))
  check.equal(shown(got:top { by = "retained" }), shown(expected:top { by = "retained" }))
  check.equal(shown(got:top { by = "count", n = 1000 }), shown(expected:top { by = "count", n = 1000 }))
end

--- What comes back of a snapshot.
local function again(s, options)
  check.equal(select("#", snapshot.save(s, "again.luasnap", options)), 0)
  return snapshot.load "again.luasnap"
end

-- Something of everything.
local Class = { __name = "Class" }
heap = {
  tables = {}, names = {}, weak = setmetatable({}, { __mode = "k" }), text = ("long text "):rep(30),
  objects = { setmetatable({}, Class), setmetatable({}, Class) },
  userdata = host.userdata(20, 1), closure = host.cclosure({}, "bound"),
  [true] = {}, [1.5] = {}, [-3] = {}, [print] = {}, [{}] = "by an object",
  ["with\nline \255\0 and \"quotes\""] = { "text\0with zero" },
}
for i = 1, 300 do
  heap.tables[i] = { i, function() return i, heap end }
  heap.names["name " .. i] = { "text of " .. i }
  heap.weak[heap.tables[i]] = {}
end
heap.co = coroutine.wrap(function(...) local held = { ... } coroutine.yield(held) end)
heap.co({}, {})

local part = snapshot.snapshot(heap, "heap")
local whole = snapshot.snapshot()
same(again(part), part)
same(again(whole), whole)
for _, options in ipairs { {}, { engine = "native" } } do
  local empty, one = snapshot.snapshot({}, "", options), snapshot.snapshot(heap, "heap", options)
  same(again(empty), empty)
  same(again(one), one)
end

-- A file of a file is the same to the byte, and so is that of a copy.
do
  whole:save "one.luasnap"
  snapshot.load("one.luasnap"):save "two.luasnap"
  check.equal(check.read "two.luasnap", check.read "one.luasnap")
  snapshot.load("one.luasnap"):copy():save "two.luasnap"
  check.equal(check.read "two.luasnap", check.read "one.luasnap")
  snapshot.load("two.luasnap"):save "two.luasnap"
  check.equal(check.read "two.luasnap", check.read "one.luasnap")
end

-- Differences: with what was loaded as with what was saved, in all ways; and as files themselves.
-- (Objects that take the places of others are told apart, also by a file.)
do
  local kept = {}
  for i = 1, 100 do kept[i] = { i } end
  heap.kept = kept
  check.collect()
  local before = snapshot.snapshot()
  for i = 1, 60 do kept[i] = nil end
  check.collect()
  for i = 31, 60 do kept[i] = { i, {} } end
  heap.tables[1] = nil
  heap.tables.one, heap.tables.two = {}, { {} }
  local after = snapshot.snapshot()
  local old, new = again(before), again(after)
  for _, compare in ipairs { snapshot.incr, snapshot.decr } do
    for _, pair in ipairs { { before, after }, { after, before } } do
      local a, b = pair[1], pair[2]
      local saved_a = a == before and old or new
      local saved_b = b == before and old or new
      local expected = compare(a, b)
      check.equal(#expected > 0, true)
      same(compare(saved_a, b), expected)
      same(compare(a, saved_b), expected)
      same(compare(saved_a, saved_b), expected)
      same(again(expected), expected)
      same(again(compare(saved_a, saved_b)), expected)
    end
  end
  check.equal(#old:incr(before), 0)
  check.equal(#old:decr(before), 0)
  -- What was saved goes on without what it was saved from.
  local grown = check.text(before:incr(after))
  before:free()
  after:free()
  before, after = nil, nil
  check.collect()
  check.equal(check.text(old:incr(new)), grown)
  check.equal(#old:incr(snapshot.snapshot()) > 0, true)
  heap.kept = nil
end

-- A saved difference has the whole report: strings and classes too, and whatever groups are called by.
do
  local registry = debug.getregistry()
  local load_text = loadstring or load
  local Kept = { __name = "Kept" }
  Known = {}
  local references = #registry
  local function in_sandbox(text, name)
    if setfenv then return setfenv(assert(load_text(text, name)), {})() end
    return assert(load(text, name, "t", {}))()
  end
  registry[#registry + 1] = in_sandbox("seen = {} return function(i) seen[i] = { i } end", "@box.lua")
  local box = registry[#registry]
  heap.many = { list = {} }
  local many = heap.many
  local function add(name, value)
    many[name] = many[name] or {}
    many[name][#many[name] + 1] = value
  end
  local leaks = {
    ["strings of _G%.heap%.many%.texts"] = function(i) add("texts", "secret text of " .. i) end,
    ["_G%.heap%.many%.numbers grew by 20 entries"] = function(i) add("numbers", i) end,
    ["class Kept"] = function(i) add("kept", setmetatable({ i }, Kept)) end,
    ["class _G%.Known"] = function(i) add("known", setmetatable({ i }, Known)) end,
    ["script%.lua:%d+"] = function(i) add("code", function() return many, i end) end,
    ['%[string "%.%.%."%]:2%-3 of _G%.heap%.many%.loaded%.%[%*%]'] = function(i)
      add("loaded", assert(load_text("local a = 'secret " .. i .. "'\nreturn function()\nreturn a end"))())
    end,
    ["suspended at script%.lua:%d+"] = function()
      local co = coroutine.create(function() coroutine.yield() end)
      coroutine.resume(co)
      add("waiting", co)
    end,
    ["_G%.heap%.many%.names%.%*"] = function(i)
      many.names = many.names or {}
      many.names["entry" .. i] = { { i } }
    end,
    ["_G%.heap%.many%.list%.next"] = function() many.list = { next = many.list, value = {} } end,
    ["%[REGISTRY%]%.%[ref%]"] = function(i) registry[#registry + 1] = { i } end,
    ["%[environment of box%.lua%]%.seen%.%[%*%]"] = box,
  }
  for name, leak in pairs(leaks) do
    for i = 1, 20 do leak(i) end
    check.collect()
    local before = snapshot.snapshot()
    for i = 21, 40 do leak(i) end
    check.collect()
    local after = snapshot.snapshot()
    -- The portable engine sees no strings, and so no `__name`.
    local is_seen = is_native or not (name:find "strings" or name:find "Kept")
    for k, difference in ipairs { snapshot.incr(before, after), snapshot.decr(after, before) } do
      local saved = again(difference)
      check.equal(saved:report(), difference:report())
      if is_seen then check.matches(saved:report(), (name:gsub("grew", "[grewshank]+"))) end
      -- Without texts, and for some without names, there is a report without these.
      if k == 1 then
        local with_names = name:find "heap" ~= nil
        local said = again(difference, { strings = false, names = with_names }):report()
        check.equal(said:find("secret", 1, true), nil)
        check.equal(#said > 50, true)
        if not with_names then check.equal(said:find "box.lua" or said:find "script.lua" or said:find "Known", nil) end
      end
    end
  end
  for i = #registry, references + 1, -1 do registry[i] = nil end
  heap.many, Known = nil, nil
end

-- A freed one is an empty one.
do
  local freed = part:copy()
  freed:free()
  local loaded = again(freed)
  check.equal(#loaded, 0)
  check.equal(tostring(loaded), "snapshot: 0 objects")
  check.equal(check.text(loaded), check.HEADER)
  check.equal(json(loaded), "null\n")
  check.equal(#loaded:incr(part), #freed:incr(part))
  check.equal(#part:decr(loaded), #part:decr(freed))
  check.equal(#loaded:top(), 0)
end

-- What was loaded is a snapshot like all others: not seen by the next one, freed, collected.
do
  check.collect()
  local before = snapshot.snapshot()
  local loaded = snapshot.load "one.luasnap"
  local found = check.rows(before:incr(snapshot.snapshot()))
  check.equal(found[check.name(loaded)], nil)
  loaded:free()
  check.equal(tostring(loaded), "snapshot: freed")
  local weak = setmetatable({}, { __mode = "v" })
  -- In a coroutine, whose stack goes with it: LuaJIT's collector marks what a frame's unused slots hold.
  coroutine.wrap(function()
    weak[1] = snapshot.load "one.luasnap"
    check.equal(tostring(weak[1]):find "^snapshot: %d+ objects$", 1)
  end)()
  check.collect()
  check.equal(weak[1], nil)
end

-- Secrets.
local WORDS = { "Open Sesame", "xyzzy-" .. ("secret"):rep(20), "swordfish", "hidden.lua" }
secrets = { { WORDS[1] }, WORDS[2], [WORDS[3]] = {} }
secrets.f = (loadstring or load)("return function() return {} end", "@" .. WORDS[4])()
WORDS = nil

--- All that a snapshot can say, and its file's own bytes.
local function said(s)
  s:save "said.luasnap"
  local texts = { check.read "said.luasnap", check.text(s), json(s), s:report(), shown(s:waste(1000)) }
  for _, by in ipairs { "retained", "size", "count", "class" } do
    texts[#texts + 1] = shown(s:top { by = by, n = 10000 })
  end
  local held = s:retainers "secrets"
  texts[#texts + 1] = held and shown(held) or ""
  return table.concat(texts, "\n")
end

--- Whether some letters of a word are anywhere. (The script has the words in pieces only.)
local function has(text, ...)
  return text:find(table.concat { ... }, 1, true) ~= nil
end

do
  local s = snapshot.snapshot(secrets, "secrets", { engine = "native" })
  -- Two of each, so that they are waste.
  if check.version > 5.1 then
    secrets.twice = { ("secret"):rep(20) .. "!", ("secret"):rep(20) .. "!" }
    s = snapshot.snapshot(secrets, "secrets", { engine = "native" })
    check.equal(has(said(s), "secret", "secret"), true)
  end
  local all = said(s)
  check.equal(has(all, "sword", "fish"), true)
  check.equal(has(all, "hidden", ".lua"), true)

  local without = again(s, { strings = false })
  local text = said(without)
  check.equal(has(text, "Open Ses", "ame"), false)
  check.equal(has(text, "xyz", "zy"), false)
  check.equal(has(text, "secret", "secret"), false)
  -- (In a file, names are compressed; in the rows they are not.)
  check.equal(has(text, "sword", "fish"), true)
  check.equal(has(text, "hidden", ".lua"), true)
  check.equal(check.text(without), check.text(s))
  check.equal(shown(without:stats(), { memory = true }), shown(s:stats(), { memory = true }))
  -- How much is there twice is known all the same.
  check.equal(without:waste().strings.bytes, s:waste().strings.bytes)

  without = again(s, { strings = false, names = false })
  text = said(without)
  for _, word in ipairs { { "Open Ses", "ame" }, { "xyz", "zy" }, { "sword", "fish" }, { "hidden", ".lua" } } do
    check.equal(has(text, word[1], word[2]), false, word[1])
  end
  check.equal(#without, #s)
  check.equal(#check.rows(without), #s)
  check.equal(without:stats().objects.bytes, s:stats().objects.bytes)

  -- Names alone: the texts stay.
  without = again(s, { names = false })
  check.equal(has(said(without), "sword", "fish"), false)
  check.equal(has(said(without), "hidden", ".lua"), false)
  check.equal(#without, #s)

  -- What is true is as it is by default; what nobody knows changes nothing.
  s:save "default.luasnap"
  local default = check.read "default.luasnap"
  for _, options in ipairs { {}, { strings = true, names = true }, { other = 5 } } do
    s:save("options.luasnap", options)
    check.equal(check.read "options.luasnap", default)
  end
  s:save("options.luasnap", nil)
  check.equal(check.read "options.luasnap", default)
end
secrets = nil

-- Of one value, by either engine; the portable one has no strings.
do
  local s = snapshot.snapshot({ { "a text that is a value" }, name = {} }, "root")
  for _, options in ipairs { {}, { strings = false }, { names = false }, { strings = false, names = false } } do
    local loaded = again(s, options)
    check.equal(#loaded, 3)
    check.equal(loaded:stats().engine, os.getenv "LUASNAP_ENGINE")
    if options.names ~= false then same(loaded, s) end
  end
end

-- Wrong arguments.
check.raises("bad argument #1 to 'save' (snapshot expected, got no value)", snapshot.save)
check.raises("bad argument #1 to 'save' (snapshot expected, got string)", snapshot.save, "one", part)
check.raises("bad argument #2 to 'save' (string expected, got no value)", snapshot.save, part)
check.raises("bad argument #2 to 'save' (string expected, got number)", snapshot.save, part, 5)
check.raises("bad argument #2 to 'save' (a path cannot contain a zero byte)",
  snapshot.save, part, "a\0b")
check.raises("bad argument #3 to 'save' (table expected, got boolean)",
  snapshot.save, part, "a", false)
for _, name in ipairs { "strings", "names" } do
  for kind, value in pairs { number = 0, string = "false", table = {} } do
    check.raises(("bad argument #3 to 'save' (option '%s' is a boolean, got %s)"):format(name, kind),
      snapshot.save, part, "a", { [name] = value })
  end
end
check.equal(io.open "a", nil)
check.raises("bad argument #1 to 'load' (string expected, got no value)", snapshot.load)
check.raises("bad argument #1 to 'load' (string expected, got number)", snapshot.load, 5)
check.raises("bad argument #1 to 'load' (string expected, got snapshot)", snapshot.load, part)
check.raises("bad argument #1 to 'load' (a path cannot contain a zero byte)", snapshot.load, "a\0b")

-- What cannot be written; the older file stays.
do
  local function fails(path, reason)
    check.raises(("cannot write '%s': %s"):format(path, reason), snapshot.save, whole, path)
  end
  fails("missing/file", "No such file or directory")
  fails(".", "Is a directory")
  fails("", "No such file or directory")
  fails("/dev/full", "No space left on device")
  fails("one.luasnap/file", "Not a directory")
  fails(("long"):rep(100), "File name too long")
  whole:save "/dev/null"
  local old = check.read "one.luasnap"
  pcall(snapshot.save, whole, "one.luasnap", { strings = 5 })
  check.equal(check.read "one.luasnap", old)
  for _, path in ipairs { "with blank", "with\nline", "缓存", "\1\127", "-", "%s" } do
    part:save(path)
    check.equal(check.text(snapshot.load(path)), check.text(part), path)
    assert(os.remove(path))
  end
end

-- What cannot be read.
do
  local function fails(path, reason)
    check.raises(("cannot read '%s': %s"):format(path, reason), snapshot.load, path)
  end
  fails("missing", "No such file or directory")
  fails("", "No such file or directory")
  fails(".", "Is a directory")
  fails("one.luasnap/file", "Not a directory")
  fails("/dev/null", "it is empty")
  fails("/dev/zero", "it is not a luasnap file")
  fails("check.lua", "it is not a luasnap file")
  check.write("odd", "")
  fails("odd", "it is empty")
  check.write("odd", "l")
  check.equal(pcall(snapshot.load, "odd"), false)
  check.write("odd", ("\0"):rep(1000))
  fails("odd", "it is not a luasnap file")

  --- Loading these bytes is an error that names the file, and no crash. (All lengths and all bytes are
  -- tried in the tests of the format.)
  local function refused(bytes)
    check.write("odd", bytes)
    local ok, message = pcall(snapshot.load, "odd")
    check.equal(ok, false)
    check.matches(message, "^cannot read 'odd': it[s ]")
    return message
  end
  local small = snapshot.snapshot({ {}, name = { function() end } }, "small")
  small:save "small.luasnap"
  local good = check.read "small.luasnap"
  for length = 1, #good - 1, 7 do refused(good:sub(1, length)) end
  check.matches(refused(good:sub(1, -2)), "^cannot read 'odd': it is cut off in its .*: 1 byte")
  check.matches(refused(good .. "x"), "^cannot read 'odd': its end makes no sense: something follows it$")
  for at = 1, #good, 7 do
    local byte = good:byte(at)
    refused(good:sub(1, at - 1) .. string.char((byte + 1) % 256) .. good:sub(at + 1))
  end
  check.write("odd", good)
  same(snapshot.load "odd", small)
end

-- An error leaves no trace.
local listing = io.popen "ls -A"
local names = listing:read "*a"
listing:close()
check.equal(names:find("%.luasnap%-"), nil)
