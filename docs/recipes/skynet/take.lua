-- In skynet's debug console: inject :0000000a take.lua [FILE]
-- Saves a snapshot of that service, and answers with what retains most.

local snapshot = require "snapshot"
local skynet = require "skynet"

local file = ... or ("%s-%08x.luasnap"):format(SERVICE_NAME:gsub("[^%w_-]", "_"), skynet.self())
local taken = snapshot.snapshot()
snapshot.save(taken, file)
for _, row in ipairs(snapshot.top(taken, { n = 5 })) do
  print(("%d bytes"):format(row.retained), row.count, row.type, row.name)
end
taken:free()
print("saved to " .. file)
