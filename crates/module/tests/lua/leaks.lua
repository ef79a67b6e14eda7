-- `check`: a function that leaves nothing passes, one that leaves something more each time does not,
-- and nothing of its surroundings matters.

local snapshot = require "snapshot"
local check = require "check"

-- The portable engine sees no strings, and what closures share only by its names.
local is_native = os.getenv "LUASNAP_ENGINE" == "native"
local load = loadstring or load

--- No leak is found.
local function passes(f, options)
  local ok, message = pcall(function() check.equal(select("#", snapshot.check(f, options)), 0) end)
  if not ok then error(message, 2) end
end

--- A leak is found; answers the message. Each pattern is in it.
local function leaks(f, options, ...)
  local ok, message = pcall(snapshot.check, f, options)
  if ok then error("no leak was found", 2) end
  if type(message) ~= "string" then error("no message: " .. tostring(message), 2) end
  for _, pattern in ipairs { "^%d+ leaks?,?[^\n]* in each of %d+ runs:\n", ... } do
    if not message:find(pattern) then error(message .. "\nhas no " .. pattern, 2) end
  end
  return message
end

--- The fingerprint that a message gives for the leak with the group of that name.
local function fingerprint_of(message, name)
  local plain = name:gsub("%p", "%%%0")
  local found = message:match("all%): " .. plain .. '\n[^"]*to allow it: "(%x+)"')
  if not found then error(message .. "\nhas no fingerprint of " .. name, 2) end
  check.equal(#found, 12)
  return found
end

-- What leaves nothing.
passes(function() end)
passes(function() return {}, function() end, "results are dropped" end)
passes(host.lightfunction())
passes(host.cclosure({}))
passes(function() local t = {} for i = 1, 100 do t[i] = { i, "text " .. i } end end)
passes(function() local t = {} t.t, t[t] = t, function() return t end end)
passes(function() collectgarbage() end)
passes(function() setmetatable({}, { __index = {}, __mode = "k" }) end)
passes(function() host.userdata(100) host.thread({}) host.cclosure({}) end)
passes(function() load "local a = {} return function() return a end"() end)

-- What is raised and caught.
passes(function()
  pcall(error, { "an object" })
  pcall(error, "text")
  pcall(function() local t = {} t = t .. "no" end)
  pcall(load, "this is no Lua")
end)

-- Coroutines, at an end or not.
passes(function()
  local function body(...) local held = { ... } coroutine.yield(held) end
  coroutine.create(body)
  coroutine.wrap(body)({})
  local co = coroutine.create(body)
  coroutine.resume(co, {})
  coroutine.resume(co)
  coroutine.resume(co)
  pcall(coroutine.wrap(function() error "in a coroutine" end))
end)

-- Finalizers, and what they let go; one that makes another one.
do
  local function gc() local _ = { {} } end
  passes(function()
    for _ = 1, 3 do
      debug.setmetatable(host.userdata(8), { __gc = gc, held = { {} } })
      if not check.is_51_api then setmetatable({ { {} } }, { __gc = gc }) end
    end
  end)
  passes(function() debug.setmetatable(host.userdata(8), { __gc = error }) end)
end

-- Weak tables are emptied.
do
  local weak = setmetatable({}, { __mode = "k" })
  local values = setmetatable({}, { __mode = "v" })
  passes(function() weak[{}] = true values[#values + 1] = {} end)
end

-- A cache that is filled by the first call, and one that has a limit.
do
  local cache, recent, at = {}, {}, 0
  passes(function()
    for i = 1, 50 do cache[i] = cache[i] or { "made once " .. i } end
    at = at % 3 + 1
    recent[at] = { at }
  end)
  local loaded
  passes(function() loaded = loaded or load "return { function() end }"() end)
end

-- What grows now and then only, shrinks, or comes and goes.
do
  local calls, kept = 0, {}
  passes(function()
    calls = calls + 1
    if calls % 2 == 0 then kept[#kept + 1] = { calls } end
  end)
  kept = { {}, {}, {}, {}, {}, {}, {}, {} }
  passes(function() kept[#kept] = nil end)
  passes(function() kept = { { calls } } end)
end

-- The message, to the letter.
do
  leaked = {}
  local function leak() leaked[#leaked + 1] = {} end
  local line = debug.getinfo(1, "l").currentline + 1
  local ok, message = pcall(function() snapshot.check(leak) end)
  check.equal(ok, false)
  local size = snapshot.snapshot({}, "t", { engine = os.getenv "LUASNAP_ENGINE" }):stats().objects.bytes
  check.equal((message:gsub('"%x+"', '"FINGERPRINT"')), ([[
script.lua:%d: 1 leak, accumulating at _G.leaked, in each of 5 runs:
  +5 table (1 a run, %d B in all): _G.leaked.[*]
  for example _G.leaked.[2]
  to allow it: "FINGERPRINT"]]):format(line, 5 * size))
  -- And the first run more.
  check.equal(#leaked, 6)
end

-- One cause is one block, and causes are told apart: where each accumulates, its groups, how to allow it.
do
  local function told(f)
    local ok, message = pcall(function() snapshot.check(f, { runs = 2 }) end)
    check.equal(ok, false)
    message = message:gsub("^script%.lua:%d+:", "script.lua:LINE:")
    message = message:gsub("[%d,]+ B in all", "N B in all"):gsub("[%d.]+ KiB in all", "N B in all")
    return (message:gsub('"%x+"', '"FINGERPRINT"'))
  end
  local handlers = { tick = {}, draw = {} }
  package.loaded.mylib = { on = { handlers = handlers } }
  local function listen(event) handlers[event][#handlers[event] + 1] = { of = { event } } end
  check.equal(told(function() listen "tick" end), [[
script.lua:LINE: 1 leak, accumulating at package.loaded.mylib.on.handlers.tick, in each of 2 runs:
  +2 table (1 a run, N B in all): package.loaded.mylib.on.handlers.tick.[*]
  +2 table (1 a run, N B in all): package.loaded.mylib.on.handlers.tick.[*].of
  for example package.loaded.mylib.on.handlers.tick.[2]
  to allow it: "FINGERPRINT"]])
  check.equal(told(function() listen "tick" listen "draw" listen "draw" end), [[
script.lua:LINE: 2 leaks in each of 2 runs:
  accumulating at package.loaded.mylib.on.handlers.draw:
    +4 table (2 a run, N B in all): package.loaded.mylib.on.handlers.draw.[*]
    +4 table (2 a run, N B in all): package.loaded.mylib.on.handlers.draw.[*].of
    for example package.loaded.mylib.on.handlers.draw.[3]
    to allow it: "FINGERPRINT"
  accumulating at package.loaded.mylib.on.handlers.tick:
    +2 table (1 a run, N B in all): package.loaded.mylib.on.handlers.tick.[*]
    +2 table (1 a run, N B in all): package.loaded.mylib.on.handlers.tick.[*].of
    for example package.loaded.mylib.on.handlers.tick.[5]
    to allow it: "FINGERPRINT"]])
  package.loaded.mylib = nil
end

-- How often it runs.
for _, runs in ipairs { 2, 3, 20 } do
  local calls, leaked = 0, {}
  passes(function() calls = calls + 1 end, { runs = runs })
  check.equal(calls, runs + 1)
  leaks(function() leaked[#leaked + 1] = {} end, { runs = runs }, "in each of " .. runs .. " runs:\n  %+" .. runs
    .. " table %(1 a run, ")
end
passes(function() end, { runs = 1000 })
passes(function() end, {})
passes(function() end, nil)
passes(function() end, { other = true })
-- Not the same number in each run.
do
  local n, kept = 0, {}
  leaks(function()
    n = n + 1
    for _ = 1, n % 2 + 1 do kept[#kept + 1] = {} end
  end, { runs = 3 }, "  %+4 table %(1%.3 a run, ")
end

-- Leaks of all sorts: what is leaked, how the group is called, how a member is held.
do
  -- Objects of a class.
  local Player = { __name = "Player" }
  players = {}
  leaks(function() players[#players + 1] = setmetatable({}, Player) end, nil,
    "%+5 table %(1 a run, [^\n]*%): class " .. (is_native and "Player\n" or "[^\n]*Player:script%.lua%]\n")
    .. "  for example _G%.players%.%[2%]\n")
  players = nil

  -- Callbacks.
  callbacks = {}
  local line = debug.getinfo(1, "l").currentline + 3
  leaks(function()
    local n = {}
    callbacks[#callbacks + 1] = function() return n end
  end, nil,
    "%+5 function %(1 a run, [^\n]*%): script%.lua:" .. line .. "\n",
    "for example _G%.callbacks%.%[2%][^\n]*\n",
    "%+5 table %(1 a run, [^\n]*%): _G%.callbacks%.%[%*%]%.n\n")
  callbacks = nil

  -- Coroutines that never come to an end.
  waiting = {}
  local function body() local held = {} coroutine.yield() return held end
  line = debug.getinfo(body, "S").linedefined
  leaks(function()
    local co = coroutine.create(body)
    coroutine.resume(co)
    waiting[#waiting + 1] = co
  end, nil,
    "%+5 thread %(1 a run, [^\n]*%): coroutine at script%.lua:" .. line .. "[^\n]*\n", "\n  for example _G%.waiting%.%[2%]\n",
    "%+5 table %(1 a run, [^\n]*%): _G%.waiting%.%[%*%]%.%[held:script%.lua%]")
  waiting = nil

  -- Userdata, and what hangs on one.
  handles = {}
  leaks(function() handles[{}] = host.userdata(100) end, nil,
    "%+5 userdata %(1 a run, [^\n]*%): _G%.handles%.%[%*%]", "%+5 table %(1 a run, [^\n]*%): _G%.handles%.%[key%]")
  handles = nil

  -- What is held by the registry alone, as C libraries do it.
  local registry = debug.getregistry()
  local before = #registry
  leaks(function() registry[#registry + 1] = {} end, nil, "%): %[REGISTRY%]%.%[ref%]\n")
  for i = #registry, before + 1, -1 do registry[i] = nil end

  -- Held by a local variable, by an upvalue.
  local mine = {}
  leaks(function() mine[{}] = {} end, nil, "%[mine:script%.lua%]%.%[%*%]\n", "%[mine:script%.lua%]%.%[key%]\n")

  -- Code that is loaded again and again.
  chunks = {}
  leaks(function() chunks[#chunks + 1] = load("return 1", "@again.lua") end, nil, "%): again%.lua:0\n")
  chunks = nil

  -- By names that come in as data, and texts under names.
  local n = 0
  sessions = {}
  local message = leaks(function()
    for _ = 1, 20 do
      n = n + 1
      sessions["session of " .. n] = { name = "player number " .. n }
    end
  end, nil, "%+100 table %(20 a run, [^\n]*%): _G%.sessions%.%*\n")
  if is_native then
    check.matches(message, "%+%d+ string %([^\n]*%): strings of _G%.sessions%.%*\n")
  end
  sessions = nil

  -- Text alone: keys that are never taken away. The portable engine sees no strings, and the slots of
  -- their table double now and then only.
  seen = {}
  local function see()
    for _ = 1, 100 do
      n = n + 1
      seen["seen number " .. n] = true
    end
  end
  if is_native then
    leaks(see, { runs = 3 }, "%+300 string %(100 a run, [^\n]*%): strings of _G%.seen\n")
  else
    -- The portable engine sees no strings, but their table gains entries.
    leaks(see, { runs = 3 }, "%+300 entries %(100 a run[^\n]*%): table _G%.seen\n")
  end
  seen = nil

  -- A table that only gets more slots.
  numbers = { 1 }
  leaks(function() for i = 1, #numbers do numbers[#numbers + 1] = i end end, nil,
    "\n  %+62 entries %(12%.4 a run[^\n]*%): table _G%.numbers\n  to allow it: \"%x+\"$")
  numbers = nil
end

-- Many leaks: the first ten are told, the ones that grew most first.
do
  local load_one = load "local t = ... return function() t[#t + 1] = {} end"
  local adders = {}
  many = {}
  for i = 1, 12 do
    local t = {}
    many[i] = t
    -- Each has a name of its own, which is in the code.
    adders[i] = load(("return function() many.list%d[#many.list%d + 1] = {} end"):format(i, i))()
    many["list" .. i] = t
    many[i] = nil
  end
  local message = leaks(function() for _, add in ipairs(adders) do add() end end, nil,
    "^12 leaks in each of 5 runs:\n  accumulating at _G%.many%.list%d+:\n    %+5 table ", "\n  %.%.%. and 2 more$")
  local _, named = message:gsub("to allow it", "")
  check.equal(named, 10)
  check.equal(type(load_one), "function")
  -- Two of three are allowed.
  local message = leaks(function() for i = 1, 3 do adders[i]() end end, nil, "^3 leaks in each")
  leaks(function() for i = 1, 3 do adders[i]() end end, {
    allow = { fingerprint_of(message, "_G.many.list1.[*]"), "_G.many.list3.[*]" },
  }, "^1 leak, accumulating at _G%.many%.list2, ", ": _G%.many%.list2%.%[%*%]\n")
  many = nil
end

-- What is known and allowed: by name, by fingerprint.
do
  known = { list = {} }
  local function leak() known.list[#known.list + 1] = { {} } end
  local message = leaks(leak, nil, "^1 leak, accumulating at _G%.known%.list, ")
  local outer, inner = "_G.known.list.[*]", "_G.known.list.[*].[*]"
  passes(leak, { allow = { outer, inner } })
  passes(leak, { allow = { inner, "other", outer } })
  message = leaks(leak, { allow = { inner } }, "^1 leak", ": _G%.known%.list%.%[%*%]\n")
  check.equal(message:find(": " .. inner .. "\n", 1, true), nil)
  -- The example is one of what is not allowed.
  leaks(leak, { allow = { outer } }, "for example _G%.known%.list%.%[%d+%]%.%[1%]\n")
  local both = "_G%.known%.list%.%[%*%]\n  %+5 table %(1 a run, [^\n]*%): _G%.known%.list%.%[%*%]%.%[%*%]\n"
  leaks(leak, { allow = { "_G.known" } }, both)
  leaks(leak, { allow = { "" } }, both)
  message = leaks(leak, { allow = {} }, both)
  -- One fingerprint allows what accumulates at the same place.
  check.equal(fingerprint_of(message, outer), fingerprint_of(message, inner))
  passes(leak, { runs = 3, allow = { fingerprint_of(message, outer) } })
  -- By a name that is not text.
  odd = { ["\255\n"] = {} }
  local function strange() local t = odd["\255\n"] t[#t + 1] = {} end
  message = leaks(strange)
  passes(strange, { allow = { message:match 'to allow it: "(%x+)"' } })
  known, odd = nil, nil
end

-- A fingerprint that an older release gave for coroutines is replaced, not obeyed: it said less.
do
  jobs = {}
  local body = load("return function() coroutine.yield() end", "=jobs")()
  local function leak()
    local job = coroutine.create(body)
    coroutine.resume(job)
    jobs[#jobs + 1] = job
  end
  local replaced = ' %(which replaces "aaba2cddcbcc", a fingerprint of an older release%)'
  local message = leaks(leak, { allow = { "aaba2cddcbcc" } }, 'to allow it: "%x+"' .. replaced)
  passes(leak, { allow = { message:match('"(%x+)"' .. replaced) } })
  jobs = nil
end

-- So is that of code without a name, which was that of its text.
do
  loaded = {}
  local function leak() loaded[#loaded + 1] = load "return function() return 12345 end" end
  local replaced = ' %(which replaces "18c533063987", a fingerprint of an older release%)'
  leaks(leak, { allow = { "18c533063987" } }, 'to allow it: "%x+"' .. replaced)
  -- By rule 2 it was that of all code at the line where it begins.
  replaced = replaced:gsub("18c533063987", "f11579adfccd")
  leaks(leak, { allow = { "f11579adfccd" } }, 'to allow it: "%x+"' .. replaced)
  loaded = nil
end

-- In a test framework that is loaded a leak is a failure, raised by the framework's own `fail`.
do
  local kept = {}
  local function leak() kept[#kept + 1] = {} end
  local function said() return select(2, pcall(function() snapshot.check(leak) end)) end
  local LEAK = "^script%.lua:%d+: 1 leak, accumulating at [^\n]*%[kept:script%.lua%], in each of 5 runs:\n"
  check.matches(said(), LEAK)
  -- As busted has it: behind a function, with a table as the value of the error. The message has its position.
  local failure = {}
  local function fail(message, level)
    check.equal(level, 0)
    failure.message = message
    error(failure, level)
  end
  local keys = {}
  package.loaded.busted = setmetatable({}, { __index = function(self, key)
    check.equal(self, package.loaded.busted)
    keys[#keys + 1] = key
    return key == "fail" and fail or nil
  end })
  check.equal(said(), failure)
  check.matches(failure.message, LEAK)
  check.equal(table.concat(keys, " "), "fail")
  -- It goes before luaunit, which has it in its table.
  package.loaded.luaunit = { fail = function(message) error("FAILURE: " .. message, 0) end }
  check.equal(said(), failure)
  package.loaded.busted = nil
  check.matches(said(), "^FAILURE: " .. LEAK:sub(2))
  -- By way of another table.
  package.loaded.luaunit = setmetatable({}, { __index = package.loaded.luaunit })
  check.matches(said(), "^FAILURE: " .. LEAK:sub(2))
  -- Other errors are errors, and what leaks nothing succeeds.
  passes(function() end)
  check.raises("mine", snapshot.check, function() error("mine", 0) end)
  check.raises("bad argument #1 to 'check' (function expected, got table)", snapshot.check, {})
  -- What is no framework is left alone: it is a message as without.
  for _, other in ipairs { true, {}, { fail = true }, { fail = function() end }, setmetatable({}, { __index = error }),
      setmetatable({}, { __index = true }), setmetatable({}, { __index = { fail = {} } }), setmetatable({}, {}) } do
    package.loaded.busted, package.loaded.luaunit = other, other
    check.matches(said(), LEAK)
  end
  package.loaded.busted, package.loaded.luaunit = nil, nil
  -- None is loaded to find out.
  package.preload.busted, package.preload.luaunit = error, error
  check.matches(said(), LEAK)
  package.preload.busted, package.preload.luaunit = nil, nil
end

-- Wrong arguments.
for kind, value in pairs { table = {}, number = 5, string = "f", boolean = true } do
  check.raises("bad argument #1 to 'check' (function expected, got " .. kind .. ")", snapshot.check, value)
end
check.raises("bad argument #1 to 'check' (function expected, got no value)", snapshot.check)
do
  local function wrong(reason, options)
    local function unwanted() error "was called" end
    check.raises("bad argument #2 to 'check' (" .. reason .. ")", snapshot.check, unwanted, options)
  end
  wrong("table expected, got number", 5)
  wrong("table expected, got function", print)
  for _, runs in ipairs { 0, 1, 1001, 1e15 } do
    wrong(("option 'runs' is from 2 to 1000, got %.0f"):format(runs), { runs = runs })
  end
  for _, runs in ipairs { -1, 2.5, 0 / 0 } do
    wrong("option 'runs' is a whole number from 0 on, got number", { runs = runs })
  end
  wrong("option 'runs' is a whole number from 0 on, got string", { runs = "5" })
  wrong("option 'allow' is a table of strings, got string", { allow = "_G.leaked" })
  wrong("option 'allow' is a table of strings, got table", { allow = { 5 } })
  wrong("option 'allow' is a table of strings, got table", { allow = { "one", {} } })
  -- A list that is too long is not cut: what was left out would be reported as a leak.
  local long = {}
  for i = 1, 10000 do long[i] = "one" end
  snapshot.check(function() end, { allow = long })
  long[10001] = "one"
  wrong("option 'allow' is a table of at most 10000 strings, got 10001", { allow = long })
end

-- What the function raises comes out as it is.
do
  local object = setmetatable({}, { __tostring = error })
  for _, value in ipairs { object, "text", 5, false } do
    local ok, got = pcall(snapshot.check, function() error(value, 0) end)
    check.equal(ok, false)
    check.equal(got, value)
  end
  local ok, got = pcall(snapshot.check, error)
  check.equal(ok, false)
  check.equal(got, select(2, pcall(error))) -- 5.5 puts words in the place of nil
  -- Also in a later run.
  for fails = 1, 6 do
    local calls = 0
    check.raises("call " .. fails, snapshot.check, function()
      calls = calls + 1
      if calls == fails then error("call " .. fails, 0) end
    end)
    check.equal(calls, fails)
  end
  -- And what it says of a stack that is full.
  local function deep() return 1 + deep() end
  local ok, got = pcall(snapshot.check, deep)
  check.equal(ok, false)
  check.matches(got, "stack overflow")
end

-- A function that yields.
do
  local co = coroutine.create(function()
    local ok, message = pcall(snapshot.check, coroutine.yield)
    check.equal(ok, false)
    check.matches(message, "attempt to yield across ")
    -- Within its own coroutines it may.
    passes(function()
      local turns = coroutine.wrap(function() for i = 1, 3 do coroutine.yield({ i }) end end)
      turns() turns()
    end)
    coroutine.yield "alive"
    return "done"
  end)
  local ok, said = coroutine.resume(co)
  check.equal(said, "alive")
  ok, said = coroutine.resume(co)
  check.equal(said, "done")
end

-- Where programs call.
do
  local kept = {}
  local function leak() kept[{}] = true end
  local function both() passes(function() end) leaks(leak) end
  both()
  coroutine.wrap(both)()
  coroutine.wrap(function() coroutine.wrap(both)() end)()
  assert(pcall(both))
  assert(xpcall(both, print));
  ("a"):gsub("a", both)
  local _ = setmetatable({}, { __index = function() both() end }).x
  -- One within another.
  passes(function() passes(function() end) end, { runs = 2 })
  passes(function() pcall(snapshot.check, function() error "inner" end) end)
  passes(function() leaks(function() kept[{}] = true end, { runs = 2 }) kept = {} end, { runs = 2 })
  leaks(function() snapshot.check(function() end) leak() end, { runs = 2 })
  -- With snapshots about, and made and freed in it.
  local s = snapshot.snapshot()
  passes(function() s:incr(snapshot.snapshot()):free() end, { runs = 3 })
  passes(function() s:save "s.luasnap" snapshot.load "s.luasnap":report() end, { runs = 3 })
  -- In a finalizer, something comes of it or the other, and the state lives on.
  local said
  local function gc() said = pcall(snapshot.check, function() local _ = {} end) end
  debug.setmetatable(host.userdata(8), { __gc = gc })
  check.collect()
  check.equal(type(said), "boolean")
  both()
end

-- The collector: stopped or not, it is as it was.
do
  local runs = check.collector_runs
  local kept = {}
  local function leak() kept[#kept + 1] = {} end
  if jit then jit.off() end
  collectgarbage "stop"
  passes(function() local _ = { {} } end)
  check.equal(runs(), false)
  leaks(leak)
  check.equal(runs(), false)
  pcall(snapshot.check, error)
  check.equal(runs(), false)
  collectgarbage "restart"
  passes(function() end)
  check.equal(runs(), true)
  -- Whatever the function does with it stays.
  passes(function() collectgarbage "stop" end)
  check.equal(runs(), false)
  passes(function() collectgarbage "restart" end)
  check.equal(runs(), true)
  if jit and not host.checked then jit.on() end
end

-- What LuaJIT compiles while it runs is no leak: each run makes other code hot.
if jit and jit.status() then
  local loops, at = {}, 0
  for i = 1, 50 do
    loops[i] = load "local sum, t = 0, {} for i = 1, 200 do sum = sum + i t[i] = { sum } end return sum"
  end
  passes(function()
    for _ = 1, 5 do
      at = at % #loops + 1
      for _ = 1, 100 do loops[at]() end
    end
  end)
end
