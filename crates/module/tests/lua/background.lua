-- Snapshots that another process saves: they are what `save` would have written, whatever becomes of the job, and what
-- goes wrong is said.

local snapshot = require "snapshot"
local check = require "check"

local message = "cannot write '%s': %s"
local portable = "only the native engine can read a heap in another process, and it is not available here: "
  .. "LUASNAP_ENGINE asks for the portable one; use `snapshot.snapshot` and `save` instead"

if os.getenv "LUASNAP_ENGINE" == "portable" then
  check.raises(portable, snapshot.background, "job.luasnap")
  check.equal(io.open "job.luasnap", nil)
  return
end

-- An emulator makes no process without a signal.
if os.getenv "LUASNAP_HOSTS_RUNNER" then
  check.matches(select(2, pcall(snapshot.background, "job.luasnap")), "no process was made .*: Invalid argument")
  return
end

--- Waits without `wait`, and returns how it ended.
local function ended(job)
  local before = os.time()
  while not job:done() do assert(os.time() - before < 60, "the process does not end") end
  return job:error()
end

--- The number of processes that this thread has made and nobody has waited for.
local function children()
  local file = io.open "/proc/thread-self/children"
  if not file then return 0 end
  local _, count = file:read("*a"):gsub("%d+", "")
  file:close()
  return count
end

heap = { names = {}, tables = {}, [1.5] = {}, secret = ("a secret text "):rep(5), text = "key\0" }
for i = 1, 300 do
  heap.tables[i] = { i, function() return i, heap end }
  heap.names["name " .. i] = setmetatable({ "text of " .. i }, { __name = "Class" })
end
heap.co = coroutine.wrap(function(...) local held = { ... } coroutine.yield(held) end)
heap.co({}, {})
heap.userdata, heap.closure = host.userdata(20, 1), host.cclosure({}, "bound")
check.collect()

-- The same as an ordinary snapshot that is saved.
do
  collectgarbage "stop"
  local job = snapshot.background "job.luasnap"
  local s = snapshot.snapshot()
  collectgarbage "restart"
  check.equal(select("#", job:wait()), 0)
  check.equal(job:done(), true)
  check.equal(job:error(), nil)
  check.equal(tostring(job), "snapshot job: done")
  s:save "saved.luasnap"
  local got, expected = snapshot.load "job.luasnap", snapshot.load "saved.luasnap"
  check.equal(#got, #expected)
  check.equal(check.text(got), check.text(expected))
  check.equal(got:path "heap.tables" ~= nil, true)
  local a, b = got:stats(), expected:stats()
  check.equal(a.engine, "native")
  check.equal(a.unaccounted, b.unaccounted)
  -- Of one process, at one moment: what was the same object is.
  check.equal(#got:incr(expected), 0)
  check.equal(#got:decr(expected), 0)
end

-- The heap of the call, whatever is done to it afterwards.
do
  local job = snapshot.background "job.luasnap"
  local kept = heap.tables
  heap.tables, heap.later = nil, { {} }
  check.collect()
  check.equal(ended(job), nil)
  job:wait()
  local s = snapshot.load "job.luasnap"
  check.equal(s:path "heap.tables" ~= nil, true)
  check.equal(s:path "heap.later", nil)
  heap.tables, heap.later = kept, nil
end

-- The options of `save`.
do
  local job = snapshot.background("job.luasnap", { strings = false, sync = true })
  job:wait()
  local other = snapshot.background("other.luasnap", { names = false })
  other:wait()
  local s, t = snapshot.load "job.luasnap", snapshot.load "other.luasnap"
  check.equal(s:path "heap.names" ~= nil, true)
  check.equal(t:path "heap.names", nil)
  check.equal(#s > 900 and #t > 900, true)
end

-- Many at once, in one another's way.
do
  local jobs = {}
  for i = 1, 8 do jobs[i] = snapshot.background(i % 2 == 0 and "same.luasnap" or i .. ".luasnap") end
  for i = #jobs, 1, -1 do
    jobs[i]:wait()
    check.equal(jobs[i]:error(), nil)
  end
  for _, name in ipairs { "same", 1, 3, 5, 7 } do
    check.equal(snapshot.load(name .. ".luasnap"):path "heap.names" ~= nil, true)
  end
  check.equal(children(), 0)
end

-- A job that nobody asks for: the file is written all the same, and nothing stays.
do
  for _ = 1, 3 do snapshot.background "dropped.luasnap" end
  local freed = snapshot.background "freed.luasnap"
  freed:free()
  freed:free()
  check.raises("bad argument #1 to 'done' (job expected, got snapshot)", freed.done, freed)
  freed = nil
  if check.version >= 5.4 then
    local chunk = "local job <close> = require 'snapshot'.background 'closed.luasnap'"
    assert(load(chunk))()
    assert(load "for _ in pairs {} do end")()
  end
  local before = os.time()
  local function is_there(name)
    local file = io.open(name, "rb")
    return file and file:close()
  end
  repeat
    check.collect()
    assert(os.time() - before < 60, "a process is left behind")
  until children() == 0
  check.equal(is_there "dropped.luasnap" and is_there "freed.luasnap", true)
  check.equal(check.version < 5.4 or is_there "closed.luasnap", true)
end

-- From a coroutine, and from a finalizer.
do
  local job = coroutine.wrap(function() return snapshot.background "coroutine.luasnap" end)()
  job:wait()
  check.equal(snapshot.load "coroutine.luasnap":path "heap.names" ~= nil, true)
  local found
  local function finalizer() found = snapshot.background "finalizer.luasnap" end
  if newproxy then
    getmetatable(newproxy(true)).__gc = finalizer
  else
    setmetatable({}, { __gc = finalizer })
  end
  check.collect()
  found:wait()
  check.equal(snapshot.load "finalizer.luasnap":path "heap.names" ~= nil, true)
end

-- What cannot be written is said at once where it is known at once, and by the job otherwise.
do
  local name = "nowhere/job.luasnap"
  check.raises(message:format(name, "No such file or directory"), snapshot.background, name)
  check.raises(message:format(".", "Is a directory"), snapshot.background, ".")
  check.raises("bad argument #1 to 'background' (string expected, got no value)", snapshot.background)
  check.raises("bad argument #1 to 'background' (a path cannot contain a zero byte)", snapshot.background, "a\0b")
  check.raises("bad argument #2 to 'background' (table expected, got number)", snapshot.background, "a", 5)
  check.raises(
    "bad argument #2 to 'background' (option 'names' is a boolean, got string)",
    snapshot.background, "a", { names = "" }
  )
  check.equal(io.open "a", nil)
  local job = snapshot.background "/dev/full"
  local full = message:format("/dev/full", "No space left on device")
  check.equal(ended(job), full)
  check.equal(tostring(job), "snapshot job: failed")
  for _ = 1, 2 do check.raises(full, job.wait, job) end
  -- Jobs and snapshots are told apart.
  local s = snapshot.snapshot({}, "t")
  for _, of_job in ipairs { "done", "wait", "error" } do
    check.raises(("bad argument #1 to '%s' (job expected, got snapshot)"):format(of_job), snapshot[of_job], s)
    check.raises(("bad argument #1 to '%s' (job expected, got table)"):format(of_job), snapshot[of_job], {})
  end
  for _, of_snapshot in ipairs { "top", "save", "stats", "report", "copy", "incr", "print" } do
    local expected = ("bad argument #1 to '%s' (snapshot expected, got job)"):format(of_snapshot)
    check.raises(expected, snapshot[of_snapshot], job, "x", "y")
  end
  check.equal(io.open "x", nil)
end

-- An older file keeps its permissions, and stays where a process is killed. Nothing is left beside it.
do
  check.write("older.luasnap", "older")
  os.execute "chmod 640 older.luasnap; mkfifo pipe"
  snapshot.background("older.luasnap"):wait()
  check.equal(snapshot.load "older.luasnap":path "heap.names" ~= nil, true)
  local function shown(command)
    local of = io.popen(command)
    local text = of:read "*a"
    of:close()
    return text
  end
  check.matches(shown "ls -l older.luasnap", "^%-rw%-r%-%-%-%-%-")
  check.matches(shown "ls -l job.luasnap", "^%-rw%-%-%-%-%-%-%-")

  -- It waits until somebody reads more than a pipe holds, and is killed before. (Nobody can compress these names.)
  heap.many = {}
  for i = 1, 6000 do
    local name = {}
    for at = 1, 40 do name[at] = string.char(math.random(97, 122)) end
    heap.many[table.concat(name)] = i
  end
  local reader = io.popen("cat 3<>pipe >/dev/null", "w")
  local job = snapshot.background "pipe"
  local folder
  repeat
    check.equal(job:done(), false)
    check.equal(job:error(), nil)
    for id in check.read("/proc/thread-self/children"):gmatch "%d+" do
      if check.read("/proc/" .. id .. "/comm") == "luasnap\n" then folder = "/proc/" .. id end
    end
  until folder
  check.equal(tostring(job), "snapshot job: running")
  -- It has no descriptor but what it writes to, and is the first to go where memory runs out.
  local before = os.time()
  repeat assert(os.time() - before < 60) until check.read(folder .. "/oom_score_adj") == "1000\n"
  check.matches(shown("ls -l " .. folder .. "/fd"), "^total 0\n[^\n]*/pipe\n$")
  os.execute("kill -9 " .. folder:match "%d+")
  local killed = message:format(
    "pipe", "the process that was to write it was ended by signal 9; the system does that (by signal 9) where memory runs out"
  )
  check.raises(killed, job.wait, job)
  check.equal(job:error(), killed)
  reader:close()
  check.equal(shown "ls -A | grep -F .luasnap-", "")
end
