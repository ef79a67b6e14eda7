-- In a busy program, at whose `clone` others have all locks: the process saves what it has to, and nobody sees it.

local snapshot = require "snapshot"
local check = require "check"

-- An emulator makes no process without a signal.
if os.getenv "LUASNAP_HOSTS_RUNNER" then return end

kept = {}
for i = 1, 100000 do kept[i] = { tostring(i), function() return i end } end
check.collect()

local job = snapshot.background "job.luasnap"
-- None of the program's handlers is there.
local is_seen
while not is_seen do
  assert(not job:done(), "it ends before it is seen")
  for id in check.read("/proc/thread-self/children"):gmatch "%d+" do
    local status = io.open("/proc/" .. id .. "/status")
    local text = status and status:read "*a" or ""
    if status then status:close() end
    is_seen = is_seen or (text:find "Name:%s*luasnap\n" and text:find "SigCgt:%s*0+\n")
  end
end
local other = snapshot.background "other.luasnap"
job:wait()
other:wait()
for _, name in ipairs { "job.luasnap", "other.luasnap" } do
  local got = snapshot.load(name)
  check.equal(got:stats().unaccounted, 0)
  check.equal(#got > 200000 and got:path "kept[100000][2]", "_G.kept.[100000].[2]")
end

-- An error is said as it is elsewhere, and older files are replaced.
local full = snapshot.background "/dev/full"
check.raises("cannot write '/dev/full': No space left on device", full.wait, full)
snapshot.background "job.luasnap":wait()
check.equal(snapshot.load "job.luasnap":path "kept" ~= nil, true)
