-- A leak that only suspended coroutines hold: players leave in the middle of a dialog.

local snapshot = require "snapshot"

game = { online = {}, dialogs = {} }

-- A dialog is a coroutine, which waits for what the player says next.
local function dialog(player)
  local scene = { player = player, picture = { width = 640, height = 480 } }
  scene.name = coroutine.yield("Who are you?")
  scene.quest = coroutine.yield("What do you seek?")
end

function game.join(player)
  game.online[player] = true
  game.dialogs[player] = coroutine.create(dialog)
  coroutine.resume(game.dialogs[player], player)
end

function game.say(player, text)
  local routine = game.dialogs[player]
  coroutine.resume(routine, text)
  if coroutine.status(routine) == "dead" then
    game.dialogs[player] = nil
  end
end

function game.leave(player)
  game.online[player] = nil
  -- The leak: a dialog that has not come to its end waits forever.
end

local function visit(player, ...)
  game.join(player)
  for at = 1, select("#", ...) do
    game.say(player, (select(at, ...)))
  end
  game.leave(player)
end

for number = 1, 1000 do
  visit("visitor" .. number, "Nobody")
end
local before = snapshot.snapshot(game, "game")
visit("ada", "Ada", "A cup")
visit("bob", "Bob")
visit("cid")
local after = snapshot.snapshot(game, "game")

print("Three more players came and went; Bob and Cid left before the dialog was over.")
print("This is new:")
print()
snapshot.print(snapshot.incr(before, after))
print()
print("Who holds it: two suspended coroutines in game.dialogs, which wait for players who are")
print("gone. No table has the scenes; each is a local variable, 'scene', of its coroutine.")
print("The fix: game.leave must also do   game.dialogs[player] = nil")
