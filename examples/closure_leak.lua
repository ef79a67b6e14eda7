-- A leak by closures: event handlers that nobody removes hold all that they refer to.

local snapshot = require "snapshot"

events = { tick = {} }

function events.on(name, handler)
  table.insert(events[name], handler)
end

function events.fire(name)
  for _, handler in ipairs(events[name]) do
    handler()
  end
end

local function play_match(map)
  local match = { map = map, ticks = 0, players = { "ada", "bob" } }
  events.on("tick", function()
    match.ticks = match.ticks + 1
  end)
  events.fire("tick")
  -- The leak: the match is over, but its handler stays in events.tick.
end

for number = 1, 100 do
  play_match("arena" .. number)
end
local before = snapshot.snapshot(events, "events")
play_match("forest")
play_match("island")
local after = snapshot.snapshot(events, "events")

print("Two more matches were played to their end. This is new:")
print()
snapshot.print(snapshot.incr(before, after))
print()
print("Who holds it: events.tick, which got two handlers more. Each is a function, and its")
print("variable 'match' holds a whole match that is over.")
print("The fix: play_match must take its handler out of events.tick at the end")
