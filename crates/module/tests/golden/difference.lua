-- What grew and what shrank.
local snapshot = require "snapshot"

local g = { kept = {}, list = { {}, {}, 3 }, deep = { { {} } } }
g.same = g.kept
local gone = g.list[1] -- what is made later shall not take its place
local S1 = snapshot.snapshot(g, "g")

g.tbl = { a = { 1, 2, 3 }, c = "text", d = { aa = {}, ab = "text" } }
g.a, g.c = {}, {}
g.a.b, g.c.d = g.c, g.a
g.list[4] = {}
g.list[1] = nil
g.list[5] = true
g.deep[1][1][1] = { "new" }
local S2 = snapshot.snapshot(g, "g")

print "incr(S1, S2)"
snapshot.print(snapshot.incr(S1, S2))
snapshot.print_json(snapshot.incr(S1, S2))
print "decr(S1, S2)"
snapshot.print(snapshot.decr(S1, S2))
snapshot.print_jsonfmt(snapshot.decr(S1, S2))
print "incr(S2, S1)"
snapshot.print(snapshot.incr(S2, S1))
print "decr(S2, S1)"
snapshot.print(snapshot.decr(S2, S1))
print "Nothing:"
snapshot.print(snapshot.incr(S1, S1))
snapshot.print_json(snapshot.decr(S1, S1))

print "{1,2,3,4} less one entry:"
local four = { 1, 2, 3, 4 }
local before = snapshot.snapshot(four, "four")
four[4] = nil
local after = snapshot.snapshot(four, "four")
snapshot.print(snapshot.decr(before, after))
snapshot.print(snapshot.incr(after, before))

print "A difference is a snapshot like any other:"
local grown = S1:incr(S2)
print(#grown, tostring(grown))
snapshot.print(grown:copy())
g.tbl.d.aa[1] = {}
local S3 = snapshot.snapshot(g, "g")
snapshot.print(snapshot.incr(grown, S1:incr(S3)))
snapshot.print(snapshot.decr(S1:incr(S3), grown))
