-- JSON on one line and indented; on standard output and in files.
local snapshot = require "snapshot"

local tbl = { a = { 1, 2, 3 }, c = "text", d = { aa = {}, ab = "more", [1] = { {} } } }
local s = snapshot.snapshot(tbl, "tbl")
snapshot.print_json(s)
snapshot.print_jsonfmt(s)
snapshot.to_jsonfile(s, "/dev/stdout")
snapshot.to_jsonfilefmt(s, "/dev/stdout")
s:print_json()
s:print_jsonfmt()

print "One object:"
snapshot.print_json(snapshot.snapshot({}, ""))
snapshot.print_jsonfmt(snapshot.snapshot({}, ""))

print "None:"
s:free()
snapshot.print_json(s)
snapshot.print_jsonfmt(s)
