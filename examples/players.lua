-- For luasnap's answers: the game server of leak.lua, when as many players as the argument says have come
-- and gone. Three snapshots of it are the manual's example:
--
--     luasnap run --quiet --save 1.luasnap examples/players.lua 10000
--     luasnap run --quiet --save 2.luasnap examples/players.lua 20000
--     luasnap run --quiet --save 3.luasnap examples/players.lua 30000
--     luasnap diff 1.luasnap 2.luasnap 3.luasnap

server = { online = 0, sessions = {} }

function server.log_in(name)
  server.online = server.online + 1
  server.sessions[name] = { name = name, inventory = { "sword", "map" } }
end

function server.log_out(name)
  server.online = server.online - 1
  -- The leak: the session stays in server.sessions.
end

for number = 1, tonumber((...)) or 10000 do
  server.log_in("player" .. number)
  server.log_out("player" .. number)
end
