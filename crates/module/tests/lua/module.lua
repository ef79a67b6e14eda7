-- What require gives, and what a snapshot can do by itself.

local loaded = require "snapshot"
local check = require "check"

check.equal(type(loaded), "table")
check.equal(snapshot, loaded, "the global")
check.equal(require "snapshot", loaded)
check.equal(package.loaded.snapshot, loaded)
for _, name in ipairs {
  "snapshot", "print", "print_jsonfmt", "print_json", "to_file", "to_jsonfile", "to_jsonfilefmt",
  "copy", "incr", "decr", "free", "report", "stats", "waste", "save", "load", "save_page", "top", "growth", "path",
  "retainers", "check", "printable",
} do
  check.equal(type(loaded[name]), "function", name)
end

-- Loaded once more the table is the same, and the global comes back.
package.loaded.snapshot, snapshot = nil, nil
check.equal(require "snapshot", loaded)
check.equal(snapshot, loaded)
-- Functions that a program put into it stay.
loaded.own = print
package.loaded.snapshot = nil
check.equal(require("snapshot").own, print)
loaded.own = nil

-- A snapshot of everything starts at the registry.
local whole = snapshot.snapshot()
local rows = check.rows(whole)
check.equal(rows[1].link, "[REGISTRY]")
check.equal(rows[1].name, check.name(debug.getregistry()))
check.equal(select("#", snapshot.snapshot()), 1)
check.equal(type(whole), "userdata")

-- Names are those that tostring shows.
do
  local t, u, co, f = {}, host.userdata(3), coroutine.create(function() end), function() end
  local names = {}
  for _, object in ipairs { t, u, co, f } do names[#names + 1] = tostring(object):gsub(": ", ":") end
  local rows = check.rows(snapshot.snapshot({ t, u, co, f }, "root"))
  for i, name in ipairs(names) do
    check.equal(rows[name] and rows[name].link, "root.[" .. i .. "]", name)
  end
end

-- Descriptions.
do
  local root = { {}, { 1, 2 }, { a = 1, 2, [{}] = 3 }, function() end, coroutine.create(function() end),
    host.userdata(1), host.cclosure(1) }
  local line = debug.getinfo(root[4], "S").linedefined
  local rows = check.rows(snapshot.snapshot(root, "root"))
  local function desc(n) return rows[check.name(root[n])].desc end
  check.equal(rows[1].desc, "(size: 7)")
  check.equal(desc(1), "(size: 0)")
  check.equal(desc(2), "(size: 2)")
  check.equal(desc(3), "(size: 3)")
  check.equal(desc(4), ("(func: script.lua:%d)"):format(line))
  check.equal(desc(5), "(vars: 0)")
  check.equal(desc(6), "")
  check.equal(desc(7), "")
  -- Sources by their short names, whatever they are.
  local load = loadstring or load
  local function source(chunk, name)
    local f = assert(load(chunk, name))
    return check.rows(snapshot.snapshot(f, "f"))[1].desc
  end
  check.equal(source("return 1", "=name"), "(func: name:0)")
  check.equal(source("return 1", "@dir/file.lua"), "(func: dir/file.lua:0)")
  check.equal(source "return 1", '(func: [string "return 1"]:0)')
  check.matches(source("return 1", "@" .. ("long/"):rep(50)), "^%(func: %.%.%..*long/:0%)$")
  -- Without debug information.
  local stripped = load(string.dump(function(a) local b = a return b, root end, true))
  local row = check.rows(snapshot.snapshot(stripped, "f"))[1]
  check.matches(row.desc, "^%(func: .*:%d+%)$")
end

-- Keys that are no objects but have addresses, and what only LuaJIT has.
do
  local function links(t) return check.links(snapshot.snapshot(t, "t")) end
  check.equal(links { [host.lightuserdata(4096)] = {} }, "t t.[userdata:0x1000]")
  check.equal(links { host.lightuserdata(4096) }, "t")
  if not check.is_51_api then
    check.equal(links { [print] = {} }, "t t.[" .. check.name(print) .. "] t.[key]")
  end
  if check.is_luajit then
    local ffi = require "ffi"
    check.matches(links { [ffi.new "int[2]"] = {} }, "^t t%.%[cdata:0x%x+%]$")
    check.equal(links { ffi.new "int", x = ffi.typeof "int" }, "t")
  end
end

-- Entries that were removed do not count.
do
  local t = {}
  for i = 1, 100 do t[i] = i end
  for i = 1, 99 do t[i] = nil end
  check.equal(check.rows(snapshot.snapshot(t, "t"))[1].desc, "(size: 1)")
end

-- Methods.
local t = { {} }
local s = snapshot.snapshot(t, "t")
check.equal(tostring(s), "snapshot: 2 objects")
check.equal(tostring(snapshot.snapshot({}, "t")), "snapshot: 1 object")
check.equal(#s, 2)
check.equal(s.snapshot, snapshot.snapshot)
check.equal(s.nothing, nil)
check.equal(check.text(s:copy()), check.text(s))
t[2] = {}
check.equal(check.links(s:incr(snapshot.snapshot(t, "t"))), "t t.[2]")
check.equal(check.links(snapshot.snapshot(t, "t"):decr(s)), "t t.[2]")
check.equal(pcall(function() s.x = 1 end), false)

-- Files say what printing says (the other half of that is a golden test).
s:to_file "one"
snapshot.to_file(s, "two")
check.equal(check.read "one", check.read "two")

-- A stripped upvalue has no name, and a function in C none for its own.
do
  local load = loadstring or load
  local f = load(string.dump(function() return t, s end, true))
  debug.setupvalue(f, 1, { "held" })
  if debug.setfenv then debug.setfenv(f, {}) end
  if check.version >= 5.3 then -- string.dump can strip
    local row = check.rows(snapshot.snapshot(f, "f"))[2]
    check.equal(row.link, "f.[upvalue]")
  end
end
