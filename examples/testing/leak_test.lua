-- Leaks as failures of tests, with luaunit (in Debian: lua-unit). In this folder, where DIRECTORY has
-- snapshot.so:
--
--     LUA_CPATH="DIRECTORY/?.so;;" lua5.4 leak_test.lua

local luaunit = require "luaunit"
local snapshot = require "snapshot"
local sessions = require "sessions"

local function greet() sessions.greeting "Alice" end
local function visit() sessions.close(sessions.open "Alice") end

TestSessions = {}

function TestSessions.test_a_greeting_is_kept_for_each_name_and_no_more()
  -- A first run does not count, so that caches can fill.
  snapshot.check(greet)
end

function TestSessions.test_they_stay_when_they_are_closed()
  -- A test of your own says `snapshot.check(visit)`, and fails until the leak is mended. This one
  -- shows that it does, and what it says.
  luaunit.assertErrorMsgContains("1 leak, accumulating at ", snapshot.check, visit)
  luaunit.assertErrorMsgContains("): class Session\n", snapshot.check, visit)
  luaunit.assertErrorMsgMatches(".*for example [^\n]*closed%.%[%d+%]\n.*", snapshot.check, visit)
end

function TestSessions.test_they_leave_nothing_but_what_is_known()
  -- By its name, or by the fingerprint that the message gives.
  snapshot.check(visit, { runs = 3, allow = { "class Session" } })
  snapshot.check(visit, { runs = 3, allow = { "772a3de8f6ed" } })
end

os.exit(luaunit.LuaUnit.run())
