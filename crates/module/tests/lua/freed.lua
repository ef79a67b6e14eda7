-- A freed snapshot is an empty one, everywhere.

local snapshot = require "snapshot"
local check = require "check"

local tree = { {}, {}, {} }
local whole, freed = snapshot.snapshot(tree, "tree"), snapshot.snapshot(tree, "tree")
check.equal(tostring(freed), "snapshot: 4 objects")
check.equal(select("#", snapshot.free(freed)), 0)
check.equal(select("#", snapshot.free(freed)), 0, "freeing twice")
freed:free()

local function is_empty(s, text)
  check.equal(#s, 0)
  check.equal(tostring(s), text)
  check.equal(check.text(s), check.HEADER)
  for _, write in ipairs { snapshot.to_jsonfile, snapshot.to_jsonfilefmt } do
    write(s, "rows.json")
    check.equal(check.read "rows.json", "null\n")
  end
end

is_empty(freed, "snapshot: freed")
is_empty(snapshot.copy(freed), "snapshot: 0 objects")
is_empty(snapshot.incr(freed, whole), "snapshot: 0 objects")
is_empty(snapshot.incr(whole, freed), "snapshot: 0 objects")
is_empty(snapshot.incr(freed, freed), "snapshot: 0 objects")
is_empty(snapshot.decr(freed, whole), "snapshot: 0 objects")
is_empty(snapshot.decr(whole, freed), "snapshot: 0 objects")
is_empty(snapshot.decr(freed, freed), "snapshot: 0 objects")
is_empty(snapshot.copy(snapshot.incr(freed, whole)), "snapshot: 0 objects")
is_empty(snapshot.incr(whole, whole), "snapshot: 0 objects")

-- A difference with nothing is nothing, but not a difference with what has nothing in common.
check.equal(#snapshot.incr(snapshot.snapshot({}, "other"), whole), 4)
check.equal(#snapshot.decr(whole, snapshot.snapshot({}, "other")), 4)

-- Either of a snapshot and its copy goes on without the other.
local text = check.text(whole)
local copy = snapshot.copy(whole)
snapshot.free(whole)
check.equal(check.text(copy), text)
local again = snapshot.copy(copy)
copy:free()
copy = nil
check.collect()
check.equal(check.text(again), text)

-- So do a difference and what it was made of.
local before = snapshot.snapshot(tree, "tree")
tree[4] = {}
local after = snapshot.snapshot(tree, "tree")
local grown = snapshot.incr(before, after)
text = check.text(grown)
-- (Its report is made now, and that of an equal one when both are gone.)
local report = snapshot.incr(before, after):report()
before:free()
after:free()
check.equal(check.text(grown), text)
check.equal(#grown, 2)
check.matches(report, "new")
check.equal(grown:report(), report)
check.equal(grown:report(), report)

-- The metamethods free too; what they are given beside the snapshot does not matter.
local metatable = debug.getmetatable(again)
metatable.__gc(again, nil, {})
is_empty(again, "snapshot: freed")
metatable.__close(grown, "an error")
is_empty(grown, "snapshot: freed")
