local snapshot = require "snapshot"
local hostile = {
  "\27]0;title\7\27[31mred", "c1 \194\15531m", "raw c1 \15531m", "bidi \226\128\174live\226\128\172",
  "zero\226\128\139width", "line\226\128\168separator", "new\nline", "mark\239\187\191",
}
before = snapshot.snapshot()
before:save "before.luasnap"
before:free()
for _, name in ipairs(hostile) do _G[name] = { {}, {}, {} } end
local class = { __name = "Class\27[2J\226\128\174\194\155H" }
objects, functions = {}, {}
local make = (loadstring or load)(
  "return function() return function() end end", "@chunk\27[2J\226\128\174\194\155H.lua")()
for i = 1, 50 do
  objects[i] = setmetatable({ ("\226\128\174 a long text that is there many times \194\155 "):rep(2) .. i % 2 }, class)
  functions[i] = make()
end
snapshot.snapshot():save "hostile.luasnap"
