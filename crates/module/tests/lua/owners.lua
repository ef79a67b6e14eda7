-- Whose the memory is: several sources with leaks, and the owners that `top` names.

local snapshot = require "snapshot"
local check = require "check"

local is_native = os.getenv "LUASNAP_ENGINE" == "native"
local load_text = loadstring or load

--- Loads a source under a chunk name.
local function load_as(name, text)
  return assert(load_text(text, name))
end

--- The rows of a snapshot by owner, and each by its name or, if it has none, by its kind.
local function owners_of(s)
  local rows = snapshot.top(s, { by = "owner", n = 10000 })
  local by_name, count, bytes = {}, 0, 0
  for _, row in ipairs(rows) do
    check.equal(row.kind == "code" or row.files == 0, true)
    by_name[row.kind == "code" and row.name or "(" .. row.kind .. ")"] = row
    count, bytes = count + row.count, bytes + row.size
  end
  -- Each live object is one owner's.
  local objects = snapshot.stats(s).objects
  check.equal(count, objects.count)
  check.equal(bytes, objects.bytes)
  return by_name, rows
end

local function taken()
  check.collect()
  return owners_of(snapshot.snapshot())
end

--- An owner has these many tables, with all else that it has.
local function has(by_name, name, tables)
  local row = by_name[name]
  check.equal(row ~= nil, true, name)
  check.equal(row.count >= tables and row.count < tables + 60, true, name .. " has " .. row.count)
  return row
end

-- A plugin in a folder of plugins, in two files that share an upvalue.
local chat = load_as("@./plugins/chat/init.lua", [[
  local log = {}
  for i = 1, 1000 do log[i] = {} end
  local files = ...
  return { say = function() return log end, second = files.load(log) }
]])
chat = chat({
  load = function(log)
    return load_as("@./plugins/chat/log.lua", "local log = ... return function() return log end")(log)
  end,
})

-- A rock, which is a loaded module, and one in C.
package.loaded["socket.http"] = load_as("@/usr/share/lua/5.1/socket/http.lua", [[
  local http = { pool = {} }
  for i = 1, 500 do http.pool[i] = {} end
  function http.get() return http end
  return http
]])()
package.loaded["quick.core"] = { spare = {}, concat = table.concat }
for i = 1, 250 do package.loaded["quick.core"].spare[i] = {} end

-- A plugin of Neovim with a long path, of which the VM shows the end.
local picker = load_as(
  "@/home/somebody/.local/share/nvim/site/pack/packer/start/telescope.nvim/lua/telescope/pickers/layout_strategies/window.lua",
  [[
  local windows = {}
  for i = 1, 400 do windows[i] = {} end
  return function() return windows end
]]
)()

-- A library of OpenResty, and a part of a web server's configuration.
local cache = load_as("@/usr/local/openresty/lualib/resty/lrucache.lua", [[
  local entries = {}
  for i = 1, 300 do entries[i] = {} end
  return function() return entries end
]])()
local handler = load_as("=content_by_lua(nginx.conf:59)", [[
  local seen = {}
  for i = 1, 350 do seen[i] = {} end
  return function() return seen end
]])()

-- Windows, bytes that are no UTF-8, and a name of what is no file.
local windows = load_as("@.\\AddOns\\Bag\\core.lua", [[
  local bag = {}
  for i = 1, 450 do bag[i] = {} end
  return function() return bag end
]])()
local odd = load_as("=shared", [[
  local own = {}
  for i = 1, 550 do own[i] = {} end
  return function() return own end
]])()
local bytes = load_as("@./mods/\255\27/init.lua", [[
  local own = {}
  for i = 1, 650 do own[i] = {} end
  return function() return own end
]])()

-- Code that was loaded without a name is that of whoever holds it.
local templates = load_as("@./mods/templates/init.lua", [[
  local compiled, load_text = {}, ...
  for i = 1, 100 do compiled[i] = load_text("local t = { {}, {}, {} } return function() return t end")() end
  return function() return compiled end
]])(load_text)

-- What several hold.
local one = load_as("@./mods/one/init.lua", "local list = { ... } return function() return list end")
local two = load_as("@./mods/two/init.lua", "local list = { ... } return function() return list end")
local both = {}
for i = 1, 750 do both[i] = {} end
one, two = one(both), two(both)
both = nil

-- A coroutine that is suspended for good has its locals.
local wait = load_as("@./mods/wait.lua", [[
  return function()
    local jobs = {}
    for i = 1, 850 do jobs[i] = {} end
    coroutine.yield()
    return jobs
  end
]])()
local waiting = coroutine.create(wait)
coroutine.resume(waiting)

-- Globals: one that a single source names, one that two name, one whose name no code has.
load_as("@./mods/rooms.lua", [[
  rooms_of_the_house = {}
  for i = 1, 950 do rooms_of_the_house[i] = {} end
  common_to_both = {}
  for i = 1, 1050 do common_to_both[i] = {} end
  function count_rooms() return #rooms_of_the_house + #common_to_both end
]])()
load_as("@./mods/guests.lua", "function count_guests() return #common_to_both end")()
local names = { "made", "at", "run", "time" }
_G[table.concat(names, "_")] = {}
for i = 1, 1150 do _G[table.concat(names, "_")][i] = {} end

local by_name, rows = taken()
has(by_name, "plugins/chat", 1001)
check.equal(by_name["plugins/chat"].files, 2)
has(by_name, "socket", 501)
check.equal(by_name.socket.files, 1)
has(by_name, "quick", 251)
check.equal(by_name.quick.files, 0)
has(by_name, "resty.lrucache", 301)
has(by_name, "content_by_lua(nginx.conf:59)", 351)
has(by_name, "AddOns/Bag", 451)
check.equal(has(by_name, "shared", 551).kind, "code")
has(by_name, "mods/\255\27", 651)
has(by_name, "mods/wait", 851)
check.equal(by_name["mods/templates"].count >= 500, true)
check.matches(has(by_name, "plugins/chat", 1001).example, "log$")
-- The portable engine sees the end of a long path alone, and here a single file below it.
has(by_name, is_native and "telescope.nvim" or "window.lua", 401)
if is_native then
  has(by_name, "mods/rooms", 951)
  check.equal(by_name["(shared)"].count >= 1051 + 751, true)
  check.equal(by_name["(unknown)"].count >= 1151, true)
else
  -- It sees no constants: of globals it knows the functions in them.
  check.equal(by_name["(shared)"].count >= 751, true)
  check.equal(by_name["(unknown)"].count >= 951 + 1051 + 1151, true)
end
-- Who shares what, most first.
do
  local sharers, sum = by_name["(shared)"].sharers, 0
  local by_words = {}
  for k, row in ipairs(sharers) do
    check.equal(k == 1 or row.size <= sharers[k - 1].size, true)
    by_words[row.words], sum = row, sum + row.count
  end
  local both_mods = by_words["by mods/one and mods/two"]
  check.equal(both_mods.count >= 751 and both_mods.count < 760, true)
  check.equal(table.concat(both_mods.owners, " "), "mods/one mods/two")
  check.equal(both_mods.share > 0 and both_mods.share < 1, true)
  if is_native then check.equal(by_words["by mods/guests and mods/rooms"].count >= 1051, true) end
  check.equal(sum <= by_name["(shared)"].count, true)
  check.equal(by_name["mods/one"].sharers, nil)
end
check.equal(by_name["(lua)"].count > 0, true)
for k = 2, #rows do check.equal(rows[k - 1].size >= rows[k].size, true) end

-- So many rows as asked, and a difference has owners too.
check.equal(#snapshot.top(snapshot.snapshot(), { by = "owner", n = 2 }), 2)
do
  local before = snapshot.snapshot()
  local log = chat.say()
  for i = 1001, 1100 do log[i] = {} end
  local difference = snapshot.incr(before, snapshot.snapshot())
  local count = 0
  for _, row in ipairs(snapshot.top(difference, { by = "owner" })) do count = count + row.count end
  check.equal(count, snapshot.stats(difference).objects.count)
end
check.equal(#snapshot.top(snapshot.snapshot({ 1 }, "value"), { by = "owner" }) > 0, true)

-- A file of it says the same.
do
  check.collect()
  local s = snapshot.snapshot()
  snapshot.save(s, "owners.luasnap")
  local saved, loaded = snapshot.top(s, { by = "owner" }), snapshot.top(snapshot.load "owners.luasnap", { by = "owner" })
  check.equal(#saved, #loaded)
  for k, row in ipairs(saved) do
    for _, field in ipairs { "kind", "name", "files", "count", "size", "example" } do
      check.equal(row[field], loaded[k][field])
    end
  end
  os.remove "owners.luasnap"
end

check.equal(type(picker), "function")
check.equal(type(cache), "function")
check.equal(type(handler), "function")
check.equal(type(windows), "function")
check.equal(type(odd), "function")
check.equal(type(bytes), "function")
check.equal(type(templates), "function")
check.equal(type(one), type(two))
