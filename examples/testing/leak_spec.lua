-- Leaks as failures of tests, with busted (in Debian: lua-busted). In this folder:
--
--     LUA_CPATH="DIRECTORY OF snapshot.so/?.so;;" busted .

local snapshot = require "snapshot"
local sessions = require "sessions"

local function greet() sessions.greeting "Alice" end
local function visit() sessions.close(sessions.open "Alice") end

describe("sessions", function()
  it("keep one greeting for each name", function()
    -- What the first call leaves does not count: a cache fills once.
    snapshot.check(greet)
  end)

  it("are gone when they are closed", function()
    -- In tests of your own this is `snapshot.check(visit)` and fails until the leak is mended; here it
    -- is shown that it does, and what it says.
    assert.error_matches(function() snapshot.check(visit) end,
      "each of 5 runs:.*%+5 function %(1 a run, .*: %./sessions%.lua:12\n")
  end)

  it("leave nothing but what is known", function()
    -- By the name or the fingerprint that the message gave. What hangs on the listeners is held by
    -- them, so it is a leak of its own as long as it is not named as well.
    snapshot.check(visit, { runs = 3, allow = {} })
  end)
end)
