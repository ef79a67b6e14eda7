-- A snapshot that another process saves is the one that would be taken here.
local snapshot = require "snapshot"

local job = snapshot.background "background.luasnap"
local s = snapshot.snapshot()
job:wait()
local saved = snapshot.load "background.luasnap"
print(saved:stats().engine, job:error(), job:done(), math.abs(#saved - #s) <= 20)
