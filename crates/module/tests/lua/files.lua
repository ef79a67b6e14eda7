-- What is written to files, and what happens when they cannot be written.

local snapshot = require "snapshot"
local check = require "check"

local WRITERS = { "to_file", "to_jsonfile", "to_jsonfilefmt" }
local one = snapshot.snapshot({ {} }, "one")

for _, name in ipairs(WRITERS) do
  local write = snapshot[name]
  local function fails(path, reason)
    check.raises(("cannot write '%s': %s"):format(path, reason), write, one, path)
  end

  -- Over an older file that is longer, and beside none.
  check.equal(select("#", write(one, "new.txt")), 0)
  local text = check.read "new.txt"
  check.write("old.txt", ("older "):rep(1000))
  write(one, "old.txt")
  check.equal(check.read "old.txt", text)
  one[name](one, "./method.txt")
  check.equal(check.read "method.txt", text)

  -- Paths are bytes.
  for _, path in ipairs { "with blank", "with\nline", "缓存", "\1\127", "-", "%s" } do
    write(one, path)
    check.equal(check.read(path), text, path)
    assert(os.remove(path))
  end

  -- The system's reasons.
  fails("missing/rows.txt", "No such file or directory")
  fails("new.txt/rows.txt", "Not a directory")
  fails(".", "Is a directory")
  fails("./", "Is a directory")
  fails("", "No such file or directory")
  fails("/dev/full", "No space left on device")
  fails(("long"):rep(100), "File name too long")

  -- An error leaves no trace, and freed snapshots are written like all others.
  check.equal(check.read "new.txt", text)
  local freed = one:copy()
  freed:free()
  freed[name](freed, "new.txt")
  check.equal(check.read "new.txt", name == "to_file" and check.HEADER or "null\n")

  -- Devices are written to, and stay.
  write(one, "/dev/null")
  check.equal(check.read "/dev/null", "")
end

-- Nothing lies about that was not asked for.
local listing = io.popen "ls -A"
local names = listing:read "*a"
listing:close()
check.equal(names, "check.lua\nmethod.txt\nnew.txt\nold.txt\nscript.lua\n")
