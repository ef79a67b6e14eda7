-- Keys of all types as steps, and their order: numbers by value, strings by bytes, booleans,
-- objects, and the objects that are keys themselves.
local snapshot = require "snapshot"

local key = {}
local t = {
  [1] = {}, [2] = {}, [10] = {}, [-1] = {}, [0] = {}, [2.5] = {}, [-0.25] = {}, [0.1] = {},
  [1e15] = {}, [1e100] = {}, [-1e-7] = {}, [1 / 0] = {}, [-1 / 0] = {}, [2 ^ 53] = {},
  [""] = {}, a = {}, aa = {}, b = {}, B = {}, ["1"] = {}, ["two words"] = {}, ["a.b"] = {},
  ["[1]"] = {}, ["[key]"] = {}, ["new\nline"] = {}, ["tab\t"] = {}, ["quo\"te"] = {},
  ["back\\slash"] = {}, ["zero\0byte"] = {}, ["\27[31m"] = {}, ["\127"] = {},
  ["\255\254"] = {}, ["caf\195\169"] = {}, ["\195"] = {}, ["\239\191\189"] = {},
  [("long"):rep(20)] = {},
  [true] = {}, [false] = {}, [key] = {},
}
setmetatable(t, { __index = {} })
snapshot.print(snapshot.snapshot(t, "t"))
snapshot.print_json(snapshot.snapshot(t, "t"))

print "An object that is only a key, and one that is both:"
local both = {}
snapshot.print(snapshot.snapshot({ [{ 1, 2 }] = 3, [both] = both }, "t"))
