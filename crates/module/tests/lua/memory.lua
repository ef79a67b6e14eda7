-- Lua's allocator fails at the nth request, for every n: Lua's own error comes out, nothing is lost
-- and nothing is broken.
--
-- This prints snapshots; the test looks at that only to see that they are whole.

if jit then jit.off() end -- it has memory of its own where c_bytes counts

--- f(...) with `fail` at every request until it needs no more; answers what came of it then, and
--- how often it failed. An error of its own must match `pattern`.
local function exhaust(fail, pattern, f, ...)
  local failures = 0
  for n = 1, 1e5 do
    local before = host.refusals()
    local ok, result = fail(n, f, ...)
    if host.refusals() == before then
      if not ok and not (pattern and result:find(pattern)) then error(result, 2) end
      return result, failures
    end
    if not ok and not (pattern and result:find(pattern)) then
      failures = failures + 1
      if result ~= "not enough memory" then
        error(("request %d: %s"):format(n, tostring(result)), 2)
      end
    end
    result = nil
  end
  error("it never ends", 2)
end

-- Loading the module for the first time.
local function load()
  package.loaded.snapshot = nil -- where 5.1 notes that it failed before
  return require "snapshot"
end
local snapshot, failures = exhaust(host.pcall_failing_at, nil, load)
assert(failures > 10, failures)
assert(type(snapshot) == "table" and _G.snapshot == snapshot and require "snapshot" == snapshot)
-- Once more, as if for the first time, with one failure each.
for key in pairs(debug.getregistry()) do
  if type(key) == "string" and key:match "^snapshot" then debug.getregistry()[key] = nil end
end
_G.snapshot = nil
snapshot = exhaust(host.pcall_failing_once, nil, load)
assert(type(snapshot) == "table" and _G.snapshot == snapshot and require "snapshot" == snapshot)

local check = require "check"

-- A heap with something of everything.
heap = { deep = {}, wide = {}, strings = {}, coroutines = {} }
local deep = heap.deep
for i = 1, 200 do
  deep.next = { i }
  deep = deep.next
end
for i = 1, 300 do
  heap.wide[i] = { function() return i, heap end, name = "name" .. i }
  heap.strings["key" .. i] = {}
end
-- Coroutines whose stacks have just room for what is on them.
local function recurse(n, ...)
  if n > 0 then
    local result = recurse(n - 1, {}, ...)
    return result
  end
  coroutine.yield()
  return ...
end
for i = 1, 40 do
  heap.coroutines[i] = coroutine.create(recurse)
  coroutine.resume(heap.coroutines[i], i)
end
local key = {}
heap.first = key
heap.ephemerons = setmetatable({}, { __mode = "k" })
for _ = 1, 100 do
  heap.ephemerons[key] = { {} }
  key = heap.ephemerons[key]
end
heap.values = setmetatable({ {}, {}, {} }, { __mode = "v" })
heap.userdata = host.userdata(10, 2)

local empty = snapshot.snapshot({}, "empty")
local before = snapshot.snapshot(heap, "heap")
heap.more = { {}, {}, {} }
local after = snapshot.snapshot(heap, "heap")
local text = check.text(after)
local count = #after
assert(count > 1000)

snapshot.save(after, "kept.luasnap")

-- The native engine asks Lua for no memory but that of the userdata and its marker.
local is_native = os.getenv "LUASNAP_ENGINE" == "native"

-- (A closure that cannot be made leaves something behind in LuaJIT itself.)
local kept
local function leak() kept[#kept + 1] = {} end
local LEAK = "1 leak, accumulating at [^\n]*, in each of 2 runs:\n"
local framework = { fail = function(message) error(message, 0) end }

-- Calls by name: what is called with what, what comes of it, how often it can fail at the least.
-- In 5.1 and LuaJIT a string that still exists is not made again, so it must not be held here.
local calls = {
  { "snapshot", function() return #snapshot.snapshot() > count end, true, least = is_native and 2 or 10 },
  { "snapshot of a root", function() return #snapshot.snapshot(heap, "heap") end, count,
    least = is_native and 2 or 10 },
  { "print", snapshot.print, nil, empty },
  { "print_json", snapshot.print_json, nil, empty },
  { "print_jsonfmt", snapshot.print_jsonfmt, nil, empty },
  { "to_file", snapshot.to_file, nil, after, "kept.txt" },
  { "to_jsonfile", snapshot.to_jsonfile, nil, after, "kept.txt" },
  { "to_jsonfilefmt", snapshot.to_jsonfilefmt, nil, after, "kept.txt" },
  { "options", function() return #snapshot.snapshot(nil, nil, {}) > count end, true, least = 3 },
  { "stats", function() return after:stats().objects.count >= count end, true, least = 5 },
  { "report", function() return #after:report() > 100 end, true, least = 1 },
  { "copy", function() return #snapshot.copy(after) end, count, least = 1 },
  { "incr", function() return #snapshot.incr(before, after) end, 5, least = 1 },
  { "decr", function() return #snapshot.decr(after, before) end, 5, least = 1 },
  { "free", function() snapshot.free(snapshot.copy(after)) end, nil, least = 1 },
  { "#", function() return #after end, count },
  { "save", snapshot.save, nil, after, "new.luasnap" },
  { "load", function() return #snapshot.load "kept.luasnap" end, count, least = 1 },
  { "top", function() return #after:top { n = 3, by = "size" } end, 3, least = 10 },
  { "growth", function() return #before:growth(after, after).sizes end, 3, least = 10 },
  { "path", function() return after:path(heap.wide) end, "heap.wide" },
  { "path of a word", function() return after:path("heap." .. "wide.[1]") end, "heap.wide.[1]" },
  { "path of nothing", function() return after:path "heap.wild" end, nil },
  { "retainers", function() return after:retainers(heap.wide).retainer_count end, 1, least = 10 },
  { "check", function() return snapshot.check(function() return {} end, { runs = 2 }) end, nil, least = 1 },
  { "check with allowed", function()
    return snapshot.check(function() end, { runs = 2, allow = { "class A" .. 1, "class B" } })
  end, nil, least = 2 },
  { "tostring", function() return #tostring(after) > 15 end, true, least = 1 },
  -- Errors of our own need memory too.
  { "bad argument", snapshot.copy, pattern = "^bad argument #1", least = 1 },
  { "bad count", function() snapshot.snapshot(1, 2, 3) end, pattern = "wrong number", least = 1 },
  { "a leak", function() kept = {} snapshot.check(leak, { runs = 2 }) end, pattern = LEAK, least = 1 },
  { "a failure", function()
    kept, package.loaded.luaunit = {}, framework
    local _, message = pcall(snapshot.check, leak, { runs = 2 })
    package.loaded.luaunit = nil
    error(message, 0)
  end, pattern = LEAK, least = 1 },
  { "a bad file", function() return snapshot.load "check.lua" end, pattern = "it is not a luasnap file", least = 1 },
  { "no file to load", snapshot.load, nil, "missing", pattern = "No such file", least = 1 },
  { "bad path", snapshot.to_file, nil, after, "missing/file", pattern = "No such file", least = 1 },
}

local function all(fail)
  for _, call in ipairs(calls) do
    local name, f, expected = call[1], call[2], call[3]
    -- The first time makes what is made once and stays.
    pcall(f, call[4], call[5])
    check.write("kept.txt", "older")
    local bytes, result, failures
    -- A thread leaves something for the next one, in a block that may be a little larger than is asked
    -- for. What is lost each time never comes to rest.
    for _ = 1, 5 do
      check.collect()
      bytes = host.c_bytes()
      result, failures = exhaust(fail, call.pattern, f, call[4], call[5])
      if not call.pattern then check.equal(result, expected, name) end
      if fail == host.pcall_failing_at and failures < (call.least or 0) then
        error(("%s failed %d times only"):format(name, failures))
      end
      result = nil
      check.collect()
      if host.c_bytes() == bytes then break end
    end
    check.equal(host.c_bytes(), bytes, "bytes after " .. name)
    if name:find "^to_" == nil then check.equal(check.read "kept.txt", "older") end
    check.equal(check.text(after), text)
  end
end
all(host.pcall_failing_at)
all(host.pcall_failing_once)

-- While a file is being written, no older one is touched.
for _, write in ipairs { snapshot.save, snapshot.to_file } do
  local n, old = 0, "older"
  check.write("kept.txt", old)
  repeat
    n = n + 1
    local refusals = host.refusals()
    local ok = host.pcall_failing_at(n, write, after, "kept.txt")
    if not ok then check.equal(check.read "kept.txt", old) end
  until host.refusals() == refusals
  check.equal(check.read "kept.txt" == old, false)
end
check.equal(check.read "kept.txt", text)
check.equal(check.text(snapshot.load "kept.luasnap"), text)
assert(os.remove "kept.luasnap" and os.remove "new.luasnap")
local listing = io.popen "ls -A"
local names = listing:read "*a"
listing:close()
check.equal(names, "check.lua\nkept.txt\nrows.txt\nscript.lua\n")
