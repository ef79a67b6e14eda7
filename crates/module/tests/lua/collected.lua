-- Snapshots that were collected: what took the place of their markers is no marker.
local snapshot = require "snapshot"
local check = require "check"

local native = { engine = "native" }
collectgarbage "stop"
for _ = 1, 20 do
  for _ = 1, 20 do snapshot.snapshot(nil, nil, native):free() end
  collectgarbage() -- their finalizers run
  -- Now the collector frees them, and with each step new tables take their places.
  local tables = {}
  for _ = 1, 100 do
    local ended = collectgarbage("step", 0)
    for _ = 1, 4 do tables[#tables + 1] = {} end
    local taken = snapshot.snapshot(tables, "tables", native)
    check.equal(#taken, #tables + 1)
    taken:free()
    if ended then break end
  end
end
