-- A cache that never forgets: a game server keeps the session of everybody who ever played.

local snapshot = require "snapshot"

server = { online = 0, sessions = {} }

function server.log_in(name)
  server.online = server.online + 1
  server.sessions[name] = { name = name, inventory = { "sword", "map" } }
end

function server.log_out(name)
  server.online = server.online - 1
  -- The leak: the session stays in server.sessions.
end

local function play(first, last)
  for number = first, last do
    server.log_in("player" .. number)
    server.log_out("player" .. number)
  end
end

-- A server that has run for long should not grow when players come and go.
play(1, 10000)
local before = snapshot.snapshot(server, "server")
play(10001, 10003)
local after = snapshot.snapshot(server, "server")

print("10,000 players came and went. Then 3 more did, and " .. server.online .. " are online.")
print("This is new all the same:")
print()
snapshot.print(snapshot.incr(before, after))
print()
print("Who holds it: server.sessions, which got 3 entries more (+3), a session for each player.")
print("The fix: server.log_out must also do   server.sessions[name] = nil")
