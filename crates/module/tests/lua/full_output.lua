-- Printing to a full device raises, where Lua's own print says nothing.

local snapshot = require "snapshot"
local check = require "check"

local heap = {}
for i = 1, 5000 do heap[i] = {} end
for _, root in ipairs { {}, heap } do
  local s = snapshot.snapshot(root, "root")
  for _, name in ipairs { "print", "print_json", "print_jsonfmt" } do
    check.raises("cannot write to standard output: No space left on device", snapshot[name], s)
  end
end
