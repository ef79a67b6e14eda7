-- A chain of as many tables as the argument says.

local snapshot = require "snapshot"
local check = require "check"

local count = tonumber((...))
collectgarbage "stop" -- Lua's own is not asked here
local chain = {}
for _ = 2, count do chain = { chain } end

local s = snapshot.snapshot(chain, "root")
check.equal(#s, count)
snapshot.to_jsonfile(s, "/dev/null")
local nothing = snapshot.snapshot({}, "root")
local grown = snapshot.incr(nothing, s)
check.equal(#grown, count)
grown:free()
check.equal(#snapshot.decr(s, s), 0)
