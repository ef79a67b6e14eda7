-- A file that cannot be written to its end: an error that says why, the older file as it was, and
-- nothing beside it. The argument is the reason, as the system has it.

local snapshot = require "snapshot"
local check = require "check"

local reason = ...

-- Some 300 KB of text, and in names that nobody can compress; there is room for a few.
local heap = {}
for i = 1, 4000 do
  local name = {}
  for at = 1, 40 do name[at] = string.char(math.random(97, 122)) end
  heap[table.concat(name)] = {}
end
local large = snapshot.snapshot(heap, "heap")
local small = snapshot.snapshot({ {} }, "small")

for _, name in ipairs { "to_file", "to_jsonfile", "to_jsonfilefmt", "save" } do
  local write = snapshot[name]
  local message = "cannot write 'kept.txt': " .. reason
  write(small, "kept.txt")
  local text = check.read "kept.txt"
  for _ = 1, 3 do
    check.raises(message, write, large, "kept.txt")
    check.equal(check.read "kept.txt", text)
  end
  assert(os.remove "kept.txt")
  check.raises(message, write, large, "kept.txt")
  check.equal(io.open "kept.txt", nil)
end

-- The same by a process of its own. (An emulator makes none.)
if not os.getenv "LUASNAP_HOSTS_RUNNER" then
  local message = "cannot write 'kept.txt': " .. reason
  kept = heap
  for _ = 1, 2 do
    small:save "kept.txt"
    local text = check.read "kept.txt"
    local job = snapshot.background "kept.txt"
    check.raises(message, job.wait, job)
    check.equal(job:error(), message)
    check.equal(check.read "kept.txt", text)
    assert(os.remove "kept.txt")
    job = snapshot.background "kept.txt"
    check.raises(message, job.wait, job)
    check.equal(io.open "kept.txt", nil)
  end
end

local listing = io.popen "ls -A"
local names = listing:read "*a"
listing:close()
check.equal(names, "check.lua\nscript.lua\n")
