-- What coroutines are doing: their status, where they wait or died, and the groups of them.

local snapshot = require "snapshot"
local check = require "check"

local yield, create, resume = coroutine.yield, coroutine.create, coroutine.resume
local load = rawget(_G, "loadstring") or load

local is_native = snapshot.stats(snapshot.snapshot()).engine == "native"

--- The line of the caller.
local function here() return debug.getinfo(2, "l").currentline end

--- What a snapshot says that a coroutine is doing.
local function doing(co, s) return snapshot.retainers(s or snapshot.snapshot(), co).coroutine end

--- Everything but the error's text, in one line.
local function words(co, s) return doing(co, s).words end

kept = {}
local function keep(co, ...)
  kept[#kept + 1] = co
  resume(co, ...)
  return co
end

-- Not started, in Lua and in C; done; closed.
do
  local line = here() + 1
  local co = create(function() end)
  kept[#kept + 1] = co
  check.equal(words(co), "not started, of script.lua:" .. line)
  check.equal(doing(co).status, "not_started")
  check.equal(doing(co).at, "script.lua:" .. line)
  resume(co)
  check.equal(words(co), "dead")
  check.equal(doing(co).at, nil)
  if not check.is_51_api then
    co = create(print)
    kept[#kept + 1] = co
    check.equal(words(co), "not started, in C")
  end
  if coroutine.close then
    co = keep(create(function() yield() end))
    coroutine.close(co)
    check.equal(words(co), "dead")
  end
end

-- Suspended: in a local function, a global one, a method, the body itself, below pcall, in recursion.
do
  local waits, calls
  local function wait()
    yield() waits = here()
  end
  local co = keep(create(function()
    local _ = wait() calls = here()
  end))
  local s = snapshot.snapshot()
  resume(co) -- to know the lines
  check.equal(words(co), "dead")
  check.equal(words(co, s), ("suspended at script.lua:%d, in wait, called at script.lua:%d"):format(waits, calls))
  local found = doing(co, s)
  check.equal(found.status, "suspended")
  check.equal(found.at, "script.lua:" .. waits)
  check.equal(found.called_at, "script.lua:" .. calls)
  check.equal(found["function"], "wait")
  check.equal(found.defined_at, "script.lua:" .. waits - 1)

  local line = here() + 1
  function wait_in_global() yield() end
  co = keep(create(function() wait_in_global() return true end))
  check.equal(words(co), ("suspended at script.lua:%d, in wait_in_global, called at script.lua:%d"):format(line, line + 1))

  local Object = {}
  line = here() + 1
  function Object.method(self) yield(self) return self end
  co = keep(create(function(object) object:method() return object end), Object)
  check.equal(words(co), ("suspended at script.lua:%d, in method, called at script.lua:%d"):format(line, line + 1))

  co = keep(create(function() yield() end))
  check.equal(words(co), "suspended at script.lua:" .. here() - 1)

  if check.version > 5.1 or check.is_luajit then
    co = keep(create(function()
      pcall(function()
        yield()
        return 1
      end)
    end))
    line = here() - 4
    check.equal(words(co), ("suspended at script.lua:%d, called at script.lua:%d"):format(line, line - 1))
  end

  line = here() + 1
  local function down(n) if n == 0 then yield() else down(n - 1) end return n end
  co = keep(create(function() down(30) end))
  check.equal(words(co), ("suspended at script.lua:%d, in down, called at script.lua:%d"):format(line, line))
  if not check.is_51_api then
    co = keep(create(yield))
    check.equal(words(co), "suspended, in C")
  end
end

-- In wrap the coroutine is an upvalue of a function in C.
do
  wrapped = coroutine.wrap(function() yield() return 1 end)
  wrapped()
  local line = here() - 2
  local found = {}
  for _, row in ipairs(snapshot.top(snapshot.snapshot(), { n = 1000 })) do
    if row.type == "thread" then found[row.name] = row.example end
  end
  check.matches(found["coroutine at script.lua:" .. line], "^_G%.wrapped%.")
  wrapped = nil
end

-- Far down in a file, where lines are stored in another way; in a main chunk; stripped.
do
  local code = ("\n"):rep(300) .. "local x = 1\n" .. ("x = x + 1\n"):rep(1000) .. "coroutine.yield()"
  check.equal(words(keep(create(load(code, "@far.lua")))), "suspended at far.lua:1302")
  code = "local x = 1\n" .. ("\n"):rep(70000) .. "coroutine.yield()\n" .. ("x = x + 1\n"):rep(5)
  check.equal(words(keep(create(load(code, "@gap.lua")))), "suspended at gap.lua:70002")
  local stripped = string.dump(function() local x = 1 coroutine.yield() return x end, true)
  if not check.is_51_api and check.version > 5.2 then
    check.equal(words(keep(create(load(stripped)))), ("suspended in the function of ?:%d"):format(here() - 2))
  end
end

-- Dead by an error: the text and the place stay.
do
  local raises
  local co = keep(create(function(x)
    raises = here() error("no " .. x)
    return 1
  end), "answer")
  local found = doing(co)
  check.equal(found.status, "failed")
  check.equal(found.words, "dead by an error at script.lua:" .. raises)
  if not check.is_luajit then check.equal(found.error, ("script.lua:%d: no answer"):format(raises)) end

  local line = here() + 1
  co = keep(create(function(x) local held = { x } return x.field, held end), nil)
  found = doing(co)
  check.equal(found.status, "failed")
  if check.is_luajit then -- only the error's text says where, as long as it is there
    check.matches(found.words, "^dead by an error ")
  else
    check.equal(found.words, "dead by an error at script.lua:" .. line)
    check.matches(found.error, "attempt to index")
  end

  co = keep(create(function() error({}) return 1 end))
  check.equal(words(co), "dead by an error at script.lua:" .. here() - 1)
  check.equal(doing(co).error, nil)
  if not check.is_luajit then
    co = keep(create(function() error("plain", 0) return 1 end))
    check.equal(doing(co).error, "plain")
    local long = ("ä"):rep(200)
    co = keep(create(function() error(long, 0) return 1 end))
    check.equal(doing(co).error, ("ä"):rep(100))
  end
  if not check.is_51_api then
    co = keep(create(error), "of C")
    check.equal(words(co), "dead by an error, in C")
    check.equal(doing(co).error, "of C")
  end
  check.equal(words(kept[#kept]):match "^dead by an error" and "dead", "dead")
end

-- The locals of what an error ended keep their names.
do
  local object = {}
  local co = keep(create(function()
    local text = { object }
    error("no answer for " .. tostring(text))
  end))
  check.collect()
  check.equal(snapshot.path(snapshot.snapshot(co, "co"), object), "co.[text:script.lua].[1]")
end

-- Running, and waiting for one that it resumed.
do
  local inner, s
  local outer = create(function()
    inner = create(function()
      s = snapshot.snapshot() return here()
    end)
    resume(inner)
    return 1
  end)
  kept[#kept + 1] = outer
  resume(outer)
  check.equal(doing(outer, s).status, "normal")
  check.matches(doing(outer, s).words, "^waiting for one that it resumed at script%.lua:%d+$")
  check.equal(doing(inner, s).status, "running")
  check.matches(doing(inner, s).words, "^running at script%.lua:%d+$")
end

-- Six thousand that wait at one line are one group, whatever their functions; the same is said after
-- saving. Those of other states are others.
do
  kept = nil
  check.collect()
  jobs = {}
  local function wait() yield() return 1 end
  for at = 1, 6000 do
    jobs[at] = create(function() wait() return at end)
    if at <= 5000 then resume(jobs[at]) end
  end
  local line = here() - 5
  local s = snapshot.snapshot()
  local function rows(s)
    local found = {}
    for _, row in ipairs(snapshot.top(s, { by = "count", n = 100 })) do
      if row.type == "thread" and row.count > 500 then found[#found + 1] = row.count .. " " .. row.name end
    end
    table.sort(found)
    return table.concat(found, "\n")
  end
  local expected = ("1000 coroutine of script.lua:%d, not started\n5000 coroutine at script.lua:%d (in wait, called at script.lua:%d)")
    :format(line + 2, line, line + 2)
  check.equal(rows(s), expected)
  check.matches(snapshot.report(s),
    ("5,000 +[^\n]*_G%%.jobs%%.%%[%%*%%]  %%(suspended at script%%.lua:%d, in wait, called at script%%.lua:%d%%)"):format(line, line + 2))
  local counts = snapshot.stats(s).coroutines
  check.equal(counts.suspended, 5000)
  check.equal(counts.not_started, 1000)
  check.equal(counts.running, nil) -- the main thread is no coroutine
  local fingerprint
  for _, row in ipairs(snapshot.top(s, { by = "count", n = 100 })) do
    if row.count == 5000 and row.type == "thread" then
      fingerprint = row.fingerprint
      check.equal(row.coroutine.status, "suspended")
      check.equal(row.coroutine["function"], "wait")
    end
  end
  snapshot.save(s, "jobs.luasnap")
  local again = snapshot.load("jobs.luasnap")
  check.equal(rows(again), expected)
  check.equal(snapshot.stats(again).coroutines.suspended, 5000)
  local group = snapshot.retainers(again, fingerprint)
  check.equal(group.count, 5000)
  -- What is printed can be asked for.
  check.equal(snapshot.retainers(again, ("coroutine at script.lua:%d (in wait, called at script.lua:%d)"):format(line, line + 2)).count, 5000)
  if is_native then -- errors are texts
    jobs = { create(function() error("SECRET", 0) end) }
    resume(jobs[1])
    snapshot.save(snapshot.snapshot(), "jobs.luasnap", { strings = false })
    local row = snapshot.retainers(snapshot.load("jobs.luasnap"), "_G.jobs.[1]")
    check.equal(row.coroutine.status, "failed")
    check.equal(row.coroutine.error, nil)
  end
end
