-- The three samples of the manual. No address is used twice here, as the test numbers them.
local snapshot, _ = require "snapshot", collectgarbage "stop"

tbl = { a = { 1, 2, 3 }, c = "this is a string in table",
  d = { aa = {}, ab = "this is a string in a table in table" } }
snapshot.print(snapshot.snapshot(tbl, "tbl"))

snapshot.print_json(snapshot.snapshot(tbl, "tbl"))
snapshot.print_jsonfmt(snapshot.snapshot(tbl, "tbl"))
tbl = nil

local S1 = snapshot.snapshot(_G, "_G")
tbl = { a = { 1, 2, 3 }, c = "this is a string in table",
  d = { aa = {}, ab = "this is a string in a table in table" } }
a = {}
c = {}
a.b = c
c.d = a
foo = function()
  print(msg)
end
co = coroutine.create(function()
  print(msg)
end)
local S2 = snapshot.snapshot(_G, "_G")
snapshot.print(snapshot.incr(S1, S2))
tbl, a, c, foo, co = nil
collectgarbage "restart"
