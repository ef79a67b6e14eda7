-- A server: sessions by names, and a loop that makes garbage. The number of sessions is its argument.
server = { sessions = {} }
for i = 1, tonumber(arg[1]) do
  server.sessions["player" .. i] = {
    id = i,
    name = "p" .. i,
    inventory = { i, i + 1, { slot = i } },
    pos = { x = i, y = i * 0.5 },
  }
end
print("ready")
io.stdout:flush()
while true do
  local _ = { text = "message " .. os.clock() }
end
