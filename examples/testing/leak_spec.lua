-- Leaks as failures of tests, with busted (in Debian: lua-busted). In this folder, where DIRECTORY has
-- snapshot.so:
--
--     LUA_CPATH="DIRECTORY/?.so;;" busted .

local snapshot = require "snapshot"
local sessions = require "sessions"

local function greet() sessions.greeting "Alice" end
local function visit() sessions.close(sessions.open "Alice") end

describe("sessions", function()
  it("keep a greeting for each name, and no more", function()
    -- A first run does not count, so that caches can fill.
    snapshot.check(greet)
  end)

  it("stay when they are closed", function()
    -- A test of your own says `snapshot.check(visit)`, and fails until the leak is mended. This one
    -- shows that it does, and what it says.
    local function check() snapshot.check(visit) end
    assert.error_matches(check, "1 leak, accumulating at ")
    assert.error_matches(check, "%+5 table %(1 a run, .*%): class Session\n")
    assert.error_matches(check, "for example [^\n]*closed%.%[%d+%]\n")
  end)

  it("leave nothing but what is known", function()
    -- By its name, or by the fingerprint that the message gives.
    snapshot.check(visit, { runs = 3, allow = { "class Session" } })
    snapshot.check(visit, { runs = 3, allow = { "772a3de8f6ed" } })
  end)
end)
