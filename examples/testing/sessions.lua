-- The module under test: who is online.

local sessions = {}

-- Leaks are told by class, where objects have one that says its name.
local Session = { __name = "Session" }
Session.__index = Session

local online = {}
local closed = {}

--- Opens the session of somebody.
function sessions.open(name)
  local session = setmetatable({ name = name }, Session)
  online[name] = session
  return session
end

--- Closes a session.
function sessions.close(session)
  online[session.name] = nil
  -- The leak: somebody once needed this for statistics.
  closed[#closed + 1] = session
end

local greetings = {}

--- The greeting for somebody, made once and then kept: a cache, and no leak.
function sessions.greeting(name)
  greetings[name] = greetings[name] or { text = "Welcome back, " .. name .. "!" }
  return greetings[name].text
end

return sessions
