-- Reports, growth and groups name the culprit: what came, where it is, by names that people know.

local snapshot = require "snapshot"
local check = require "check"

local is_native = os.getenv "LUASNAP_ENGINE" == "native"
local load_text = loadstring or load
local registry = debug.getregistry()

local function taken()
  check.collect()
  return snapshot.snapshot()
end

--- The report of what came while a function ran.
local function report_of(change)
  local before = taken()
  change()
  return snapshot.report(snapshot.incr(before, taken()))
end

--- Growth over three snapshots, a change before each.
local function growth_of(change)
  local s = {}
  for k = 1, 3 do
    change(k)
    s[k] = taken()
  end
  return snapshot.growth(s[1], s[2], s[3]), s[3]
end

local function suspect_at(growth, point)
  for _, suspect in ipairs(growth.suspects) do
    if suspect.point == point then return suspect end
  end
  error("no suspect at " .. point, 2)
end

local function row_of(rows, name)
  for _, row in ipairs(rows) do
    if row.name == name then return row end
  end
end

local function row_of_fingerprint(rows, fingerprint)
  for _, row in ipairs(rows) do
    if row.fingerprint == fingerprint then return row end
  end
end

local function has(text, words) check.equal(text:find(words, 1, true) ~= nil, true, words .. " in\n" .. text) end

--- check() of a function fails, and its message has these words.
local function leaks(change, words)
  local ok, message = pcall(snapshot.check, change)
  check.equal(ok, false)
  has(message, words)
end

-- Links go by names, though a stack has the same objects at this moment.
server = { sessions = {} }
do
  local own = server
  local before = taken()
  own.sessions.player1 = { id = 1 }
  local new = own.sessions.player1
  local difference = snapshot.incr(before, taken())
  local text = check.text(difference)
  has(text, "[REGISTRY]._LOADED._G.server.sessions.player1\n")
  check.equal(text:find("%.%[%w+:script%.lua%]%.sessions"), nil)
  has(snapshot.report(difference), "_G.server.sessions.player1\n")
  check.equal(new.id, 1)
end

-- Memory that grows without a new table, function, thread or userdata.
nums, settings = {}, { motd = "hello" }
do
  local report = report_of(function()
    settings.motd = ("x"):rep(2 ^ 20)
    for i = 1, 100000 do nums[i] = i end
    for i = 1, 100000 do nums[i] = nil end
  end)
  if is_native then
    check.matches(report, "\n  _G%.nums grew by [%d%.]+ MiB to [%d%.]+ MiB\n")
    -- In 5.5 texts that `rep` makes are outside of what the VM counts.
    has(report, "strings of _G.settings\n")
    has(report, "e.g. _G.settings.motd\n")
  end
  nums, settings = nil, nil
end

-- A cache of two levels is one group, and so are the tables that grew.
cache = {}
do
  for f = 1, 100 do cache["file" .. f] = {} end
  local report = report_of(function()
    for f = 1, 100 do
      for i = 1, 20 do cache["file" .. f]["node" .. i] = { i, f } end
    end
  end)
  check.matches(report, "\n        2,000 [^\n]*_G%.cache%.%*%.%*\n")
  check.matches(report, "\n  100 tables _G%.cache%.%* grew by 2,000 entries to 2,000")
  cache = nil
end

-- Code that is loaded without a name: by who holds it.
compiled = {}
do
  local n = 0
  local function render(count)
    for _ = 1, count do
      n = n + 1
      compiled[n] = assert(load_text("local user = 'u" .. n .. "'\nreturn function(text) return text .. user end"))
    end
  end
  local growth = growth_of(function() render(50) end)
  local row = row_of(growth.growing, '[string "..."]:0 of _G.compiled.[*]')
  check.equal(row.type, "function")
  check.equal(row.count_change, 100)
  -- The largest that came, and only the first 50 were there before.
  check.equal(tonumber(row.example:match "^_G%.compiled%.%[(%d+)%]$") > 50, true, row.example)
  -- Functions are what people know, not what only the VM sees of them.
  local suspect = suspect_at(growth, "_G.compiled")
  local lead = row_of_fingerprint(growth.growing, suspect.fingerprint)
  check.equal(lead.type ~= "proto" and lead.type ~= "upvalue", true, lead.type)
  leaks(function() render(1) end, '[string "..."]:0 of _G.compiled.[*]\n')
  compiled = nil
end

-- What is at other lines, or has other upvalues, is other code.
compiled = {}
do
  local texts = {
    "local t, u = ... return {\nfunction() return t end, function() return t, u end, function()\nreturn t\nend }",
    "local t, u = ...\nreturn {\n\nfunction() return t end }",
  }
  local before = taken()
  for i = 1, 40 do
    -- The text itself tells nothing.
    for _, text in ipairs(texts) do compiled[#compiled + 1] = assert(load_text("local id = " .. i .. " " .. text))(i) end
  end
  local after = taken()
  local rows = snapshot.top(after, { n = 10000 })
  local counts = {}
  for _, row in ipairs(rows) do
    if row.type == "function" and row.name:find("_G.compiled", 1, true) then
      counts[#counts + 1] = row.count .. " " .. row.name
    end
  end
  table.sort(counts)
  check.equal(table.concat(counts, "\n"), ([[
40 [string "..."]:2 of _G.compiled.[*].[*]
40 [string "..."]:2 of _G.compiled.[*].[*]
40 [string "..."]:2-4 of _G.compiled.[*].[*]
40 [string "..."]:4 of _G.compiled.[*].[*] ]]):gsub(" $", ""))
  -- Such a name finds them in a snapshot, and what came in a difference.
  check.equal(snapshot.retainers(after, '[string "..."]:2-4 of _G.compiled.[*].[*]').count, 40)
  local new = snapshot.retainers(snapshot.incr(before, after), '[string "..."]:2-4 of _G.compiled.[*].[*]')
  check.equal(new.count, 40)
  compiled = nil
end

-- Entries, though the memory stays.
stamps = {}
do
  local function tick()
    for _ = 1, 100 do stamps[#stamps + 1] = 1 end
  end
  for _ = 1, 11 do tick() end
  local growth = growth_of(tick)
  local row = row_of(growth.growing, "_G.stamps")
  check.equal(row.entry_change, 200)
  check.equal(suspect_at(growth, "_G.stamps").entries, 200)
  leaks(tick, "+500 entries (100 a run")
  stamps = nil
end

-- Examples came, and are below the point where it piles up.
do
  Stanza = { __name = "stanza" }
  first = setmetatable({}, Stanza)
  deep = { sessions = {} }
  local n = 0
  local growth = growth_of(function()
    for _ = 1, 100 do
      n = n + 1
      deep.sessions["user" .. n] = { presence = setmetatable({}, Stanza) }
    end
  end)
  check.matches(suspect_at(growth, "_G.deep.sessions").example, "^_G%.deep%.sessions%.user%d+")
  for _, row in ipairs(growth.growing) do
    if row.name:find "[sS]tanza$" then check.matches(row.example, "^_G%.deep%.sessions%.user%d+%.presence$") end
  end
  first, deep, Stanza = nil, nil, nil
end

-- Strings of two owners name both.
if is_native then
  users, audit = {}, {}
  local n = 0
  local growth = growth_of(function()
    for _ = 1, 100 do
      n = n + 1
      local id = ("id-"):rep(20) .. n
      users[id], audit[#audit + 1] = n, id
    end
  end)
  check.equal(row_of(growth.growing, "strings of _G.audit and _G.users").count_change, 200)
  users, audit = nil, nil
end

-- A step without a name says what it is, also of what grows by itself.
do
  local Queue = { __name = "Queue" }
  local queue = setmetatable({}, Queue)
  registry[#registry + 1] = queue
  local report = report_of(function() for i = 1, 100 do queue[i] = 1 end end)
  check.matches(report, "%[REGISTRY%]%.%[%d+%] %(table[^\n]*100 entries[^\n]*%) grew by 100 entries to 100")
  registry[#registry] = nil
end

-- References of C code are one suspect, led by what they hold.
do
  local line = debug.getinfo(1, "l").currentline + 3
  local function subscribe(i)
    local state = { id = i, items = { { 1 }, { 2 } } }
    registry[#registry + 1] = function() return state end
  end
  local before = #registry
  local growth, last = growth_of(function()
    for i = 1, 50 do subscribe(i) end
  end)
  local suspect = suspect_at(growth, "[REGISTRY].[ref]")
  check.equal(suspect.held_by, "C code (luaL_ref)")
  check.equal(row_of(growth.growing, "script.lua:" .. line).fingerprint, suspect.fingerprint)
  check.matches(suspect.example, "^%[REGISTRY%]%.%[%d+%]$")
  check.equal(#suspect.groups >= 4, true)
  for _, other in ipairs(growth.suspects) do
    check.equal(other.point ~= "[REGISTRY]", true, other.example)
  end
  -- Names that were printed are taken.
  check.equal(snapshot.retainers(last, "[REGISTRY].[ref]").count >= 150, true)
  for i = #registry, before + 1, -1 do registry[i] = nil end
end

-- What is large, or grows, keeps its name among many.
do
  local function run(source) assert(load_text(source))() end
  run "for i = 1, 20 do _G['plugin' .. i] = { id = i } end"
  run "world = {} for i = 1, 20000 do world[i] = { x = i } end"
  run "leaking_cache = {}"
  local growth, last = growth_of(function(k)
    run(("for i = %d, %d do leaking_cache['session' .. i] = { id = i } end"):format(k * 1000, k * 1000 + 299))
  end)
  suspect_at(growth, "_G.leaking_cache")
  check.equal(row_of(growth.growing, "_G.leaking_cache.*").count_change, 600)
  local rows = snapshot.top(last, { n = 1000 })
  check.equal(row_of(rows, "_G.world").count, 1)
  check.equal(row_of(rows, "_G.world.[*]").count, 20000)
  -- Beside the rows there is what is said of all.
  local top = snapshot.top(last)
  check.equal(#top, 20)
  check.matches(top.verdict, "_G%.world[^\n]*%.$")
  check.equal(top.fingerprint_rule, growth.fingerprint_rule)
  check.equal(top.group_count > #top and top.size > 0 and top.count > 20000, true)
  check.equal(snapshot.top(last, { by = "size" }).verdict, nil)
  run "for i = 1, 20 do _G['plugin' .. i] = nil end world, leaking_cache = nil, nil"
end

-- What retains most is told first: a dead coroutine in a list is small, and has a large text.
do
  sleeping = {}
  local function task()
    local text = ("t"):rep(4 * 1024 * 1024)
    error("no answer for " .. #text)
  end
  local before = taken()
  sleeping.session1 = coroutine.create(task)
  coroutine.resume(sleeping.session1)
  local report = snapshot.report(snapshot.incr(before, taken()))
  local first = report:match "^[^\n]+"
  if is_native then
    -- (The collector of 5.5 clears the stack of what is dead.)
    local retained = check.version < 5.5 and "4%.0 MiB" or ".*"
    check.matches(first, "^One new coroutine, _G%.sleeping%.session1 %(dead by an error at script%.lua:%d+%), retains "
      .. retained .. "%.$")
  else
    check.matches(first, "^One new coroutine, _G%.sleeping%.session1 %(.*%), retains about .*%.$")
  end
  sleeping = nil
end

-- Since when: what began to grow late grows in so many of the last steps.
do
  early, late = {}, {}
  local growth = growth_of(function(k)
    for i = 1, 100 do
      early[#early + 1] = { i }
      if k > 2 then late[#late + 1] = { i } end
    end
  end)
  check.equal(row_of(growth.changed, "_G.early.[*]").growing_steps, 2)
  check.equal(row_of(growth.changed, "_G.late.[*]").growing_steps, 1)
  early, late = nil, nil
end

-- A class by its short name, as a report of a difference calls it.
Panel = {}
Panel.__index = Panel
panels = {}
for i = 1, 50 do panels[i] = setmetatable({ id = i }, Panel) end
for _, name in ipairs { "class Panel", "class _G.Panel", "_G.panels.[*]" } do
  check.equal(snapshot.retainers(taken(), name).count, 50, name)
end
