-- The process may have only so much memory: the heap fits, what is made of it does not. Each call works, or raises
-- "not enough memory", and nothing worse. The argument is the number of objects.
local snapshot = require "snapshot"
heap = {}
for i = 1, tonumber((...)) do heap[i] = { i, name = "item " .. i } end
print "ready"
io.stdout:flush()

local file = "little_memory.luasnap"
local failed = false
local function try(name, work)
  local ok, result = pcall(work)
  if not ok then
    failed = true
    local text = tostring(result)
    if not text:find("not enough memory", 1, true) then error(name .. ": " .. text, 0) end
    result = nil
  end
  return result
end

local kept = try("snapshot", snapshot.snapshot)
try("portable", function() return snapshot.snapshot(nil, nil, { engine = "portable" }) end)
if kept then
  try("top", function() return snapshot.top(kept) end)
  try("stats", function() return snapshot.stats(kept) end)
  try("waste", function() return snapshot.waste(kept) end)
  try("report", function() return snapshot.report(kept) end)
  try("path", function() return snapshot.path(kept, "_G.heap") end)
  try("retainers", function() return snapshot.retainers(kept, "_G.heap") end)
  try("copy", function() return snapshot.copy(kept) end)
  local later = try("later", snapshot.snapshot)
  if later then
    try("incr", function() return snapshot.incr(kept, later) end)
    try("decr", function() return snapshot.decr(kept, later) end)
    try("growth", function() return snapshot.growth(kept, later) end)
  end
  local saved = try("save", function() snapshot.save(kept, file) return true end)
  if saved then try("load", function() return snapshot.load(file) end) end
  try("save_page", function() snapshot.save_page(kept, "little_memory.html") end)
  try("to_jsonfile", function() snapshot.to_jsonfile(kept, "little_memory.json") end)
  try("to_file", function() snapshot.to_file(kept, "little_memory.txt") end)
end
try("check", function() snapshot.check(function() end) end)
print(failed and "some failed" or "all done")
