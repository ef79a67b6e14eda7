-- Snapshots that were collected: what took the place of their markers is no marker.
local snapshot = require "snapshot"
local check = require "check"

for round = 1, 3000 do
  local object = {}
  local kept = { object, setmetatable({ object }, { __mode = "v" }), { round } }
  local taken = snapshot.snapshot(kept, "kept", { engine = "native" })
  -- The list, the object, the weak table, its metatable, and what holds the number.
  check.equal(#taken, 5, "in round " .. round)
end
