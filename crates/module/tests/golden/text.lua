-- The first sample of the manual.
local snapshot = require "snapshot"

tbl = { a = { 1, 2, 3 }, c = "this is a string in table",
  d = { aa = {}, ab = "this is a string in a table in table" } }
snapshot.print(snapshot.snapshot(tbl, "tbl"))

print "The same as a file, and of a method call:"
local s = snapshot.snapshot(tbl, "tbl")
s:print()
snapshot.to_file(s, "/dev/stdout")

print "Nothing but the root, which is held once more by itself:"
local loop = {}
loop[1] = loop
snapshot.print(snapshot.snapshot(loop, "the name, with a blank and [brackets]"))

print "A name is escaped like any key:"
snapshot.print(snapshot.snapshot({ {} }, "a\nb\tc\255"))

print "A freed one:"
s:free()
s:print()
