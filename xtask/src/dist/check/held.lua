-- A program with something to find: says that it is ready by making the file it is given, and waits until that is gone.
held = {}
for number = 1, 1000 do
  held[number] = { name = "kept " .. number }
end
local ready = ...
assert(io.open(ready, "w")):close()
while true do
  local file = io.open(ready)
  if not file then
    break
  end
  file:close()
  os.execute("sleep 0.1")
end
