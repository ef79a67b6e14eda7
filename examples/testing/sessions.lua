-- The module under test: who is online, and who wants to hear what is said.

local sessions = {}

local online = {}
local listeners = {}

--- Opens the session of somebody, who hears from now on what is said to all.
function sessions.open(name)
  local session = { name = name, heard = {} }
  online[name] = session
  listeners[#listeners + 1] = function(text) table.insert(session.heard, text) end
  return session
end

--- Closes a session.
function sessions.close(session)
  online[session.name] = nil
  -- The leak: the listener stays, and holds the session.
end

--- Says something to all.
function sessions.say(text)
  for _, listener in ipairs(listeners) do listener(text) end
end

local greetings = {}

--- The greeting for somebody, which is made once and then kept: a cache, and no leak.
function sessions.greeting(name)
  greetings[name] = greetings[name] or { text = "Welcome back, " .. name .. "!" }
  return greetings[name].text
end

return sessions
