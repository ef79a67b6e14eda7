-- What Prosody holds of ours: a handler of an event, a session, a timer, an asynchronous task.
local snapshot = require "snapshot"
local async = require "util.async"
local timer = require "util.timer"

local names = {}
local function closure(what)
  local leaked = {}
  names[what] = tostring(leaked):gsub(": ", ":", 1)
  return function() return leaked end
end

-- The server guards its globals, and gives functions a metatable that calls Lua.
prosody.lock_globals()
local called = 0
local metatable = debug.getmetatable(print)
local index = metatable.__index
function metatable.__index(...) called = called + 1 return index(...) end

local before = snapshot.snapshot()
prosody.events.add_handler("test-event", closure "handler")
prosody.full_sessions["a@localhost/b"] = { send = closure "session" }
local task = timer.add_task(1e6, closure "timer")
local done
local runner = async.runner(function()
  local leaked, wait = {}, nil
  names.waiting = tostring(leaked):gsub(": ", ":", 1)
  wait, done = async.waiter()
  wait()
  return leaked
end)
runner:run(true)

local after = snapshot.snapshot()
before:incr(after):to_file "rows.txt"
local links = {}
for line in io.lines "rows.txt" do
  local name, link = line:match "^ *([^\t]*)\t[^\t]*\t[^\t]*\t(.*)$"
  links[name] = link
end
for what, pattern in pairs {
  handler = "test%-event.*leaked$",
  session = "full_sessions%.a@localhost/b%.send%.leaked$",
  timer = "leaked$",
  waiting = "%[leaked:script%.lua%]$",
} do
  local link = links[names[what]]
  assert(link, what .. " was not found")
  assert(link:find("^%[REGISTRY%]%..*" .. pattern), what .. ": " .. link)
end
assert(called == 0, "a metamethod was called")
metatable.__index = index

after:to_file "rows.txt"
local found
local name = tostring(metatable):gsub(": ", ":", 1)
for line in io.lines "rows.txt" do found = found or line:find(name, 1, true) end
assert(found, "the metatable of functions was not found")

done()
timer.stop(task)
prosody.full_sessions["a@localhost/b"] = nil
