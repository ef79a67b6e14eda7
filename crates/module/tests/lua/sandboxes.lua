-- Scripts whose globals are a table of their own: the environment that a host gave them has a name that people know.

local snapshot = require "snapshot"
local check = require "check"

local registry = debug.getregistry()
local load_in = _VERSION == "Lua 5.1" and function(text, name, environment)
  return setfenv(assert(loadstring(text, name)), environment)
end or function(text, name, environment) return assert(load(text, name, "t", environment)) end

local function taken()
  check.collect()
  return snapshot.snapshot()
end

local function names_of(rows, pattern)
  local names = {}
  for _, row in ipairs(rows) do
    if row.name:find(pattern) then names[#names + 1] = row.name .. " " .. row.type .. " " .. row.count end
  end
  table.sort(names)
  return table.concat(names, "\n")
end

--- Keeps a value as C code does.
local function reference(value)
  registry[#registry + 1] = value
  return #registry
end

local chat_text = [[
  history, seen = {}, {}
  function say(text) history[#history + 1] = { text } end
  for i = 1, 20 do say(i) end
  return function(n) for _ = 1, n do say "more" end end
]]

-- A host keeps what scripts return by references of C code; nothing else has the environments.
local before = #registry
local host = {}
local function start(name)
  local environment = setmetatable({}, { __index = _G })
  local run = load_in(chat_text, name, environment)()
  reference(run)
  -- What is on this stack is no name that lasts.
  environment = nil
  return run
end
host.chat = start "@./plugins/chat.lua"
host.mail = start "=mail (tenant 1)"
host.named = start "plugin1"
host.unnamed = start(chat_text)
do
  local s = taken()
  local rows = s:top { n = 10000, by = "size" }
  check.equal(names_of(rows, "^%[environment of %./plugins/chat%.lua%]"), [[
[environment of ./plugins/chat.lua] table 1
[environment of ./plugins/chat.lua].[metatable] table 1
[environment of ./plugins/chat.lua].history table 1
[environment of ./plugins/chat.lua].history.[*] table 20
[environment of ./plugins/chat.lua].seen table 1]])
  for _, name in ipairs { "./plugins/chat.lua", "mail (tenant 1)", "plugin1", "code without a name" } do
    local path = "[environment of " .. name .. "]"
    local held = s:retainers(path .. ".history")
    check.equal(held.path, path .. ".history")
    check.equal(held.count, 1)
    check.equal(held.object.entries, 20)
    check.equal(s:retainers(path).object.type, "table")
    check.equal(s:retainers(path .. ".history.[*]").count, 20)
    check.equal(s:retainers(path .. ".history.[3]").path, path .. ".history.[3]")
  end
  -- A wrong name is corrected.
  local path, reason = s:path "[environment of ./plugins/chta.lua]"
  check.equal(path, nil)
  check.matches(reason, "is it %[environment of %./plugins/chat%.lua%]", reason)
end

-- What grows there is told so, and its fingerprint is the same in every run and by both engines.
do
  local growth = snapshot.growth(taken(), (host.chat(50) or taken()), (host.chat(50) or taken()))
  local row = growth.growing[1]
  check.equal(row.name, "[environment of ./plugins/chat.lua].history.[*]")
  check.equal(row.count_change, 100)
  check.equal(growth.suspects[1].point, "[environment of ./plugins/chat.lua].history")
  local first = taken()
  host.chat(10)
  local difference = snapshot.incr(first, taken())
  check.matches(snapshot.report(difference), "%[environment of %./plugins/chat%.lua%]%.history%.%[%*%]")
  local rows = difference:top { n = 100 }
  check.equal(names_of(rows, "history"), "[environment of ./plugins/chat.lua].history.[*] table 10")
  check.equal(difference:retainers("[environment of ./plugins/chat.lua].history.[*]").count, 10)
end

-- The first sentence names an object, not the upvalue that has the environment.
do
  host.mail(20000)
  local verdict = taken():top().verdict
  check.matches(verdict, "^One table, %[environment of mail %(tenant 1%)%]%.history, retains .* In it are 20,020 tables")
end

-- Many environments of one chunk are one group, and asked about together.
do
  for _ = 1, 30 do start "=(request)" end
  local s = taken()
  local rows = s:top { n = 10000, by = "count" }
  check.equal(names_of(rows, "%(request%)%]$"), "[environment of (request)] table 30")
  check.equal(names_of(rows, "%(request%)%]%.history%.%[%*%]$"), "[environment of (request)].history.[*] table 600")
  check.equal(s:retainers("[environment of (request)]").count, 30)
  check.equal(s:retainers("[environment of (request)].history").count, 30)
end

-- An environment that has a name in the program keeps it; so does a module's, and what is found through one.
do
  sandboxes = { plugin1 = setmetatable({}, { __index = _G }) }
  load_in(chat_text, "@./plugins/listed.lua", sandboxes.plugin1)()
  package.loaded.own = load_in("local M = ... M.all = { {} } function M.get() return all end return M", "@own.lua", {})
  local M = {}
  package.loaded.own = load_in("list = { {} } function get() return list end return 1", "@own.lua", M)() and M
  M = nil
  local rows = taken():top { n = 10000, by = "size" }
  check.equal(names_of(rows, "environment of %.?/?plugins/listed") .. names_of(rows, "environment of own"), "")
  check.matches(names_of(rows, "sandboxes"), "_G%.sandboxes%.plugin1%.history%.%[%*%] table 20")
  check.matches(names_of(rows, "own"), "package%.loaded%.own%.list table 1")
  package.loaded.own, sandboxes = nil, nil
end

-- An environment on a stack, and one that functions alone have.
do
  local environment = setmetatable({}, { __index = _G })
  holder = { run = load_in("local own = ... state = { own, {} } return function() return state end", "@held.lua",
    environment)({}) }
  local rows = taken():top { n = 10000, by = "size" }
  check.matches(names_of(rows, "environment of held"), "%[environment of held%.lua%]%.state table 1")
  environment = nil
  rows = taken():top { n = 10000, by = "size" }
  check.matches(names_of(rows, "environment of held"), "%[environment of held%.lua%]%.state table 1")
  check.equal(names_of(rows, "_ENV%.state") .. names_of(rows, "environment%]%.state"), "")
  holder = nil
end

-- Saved and read again it is the same.
do
  local s = taken()
  s:save "sandboxes.luasnap"
  local again = snapshot.load "sandboxes.luasnap"
  check.equal(names_of(again:top { n = 10000 }, "environment of"), names_of(s:top { n = 10000 }, "environment of"))
  os.remove "sandboxes.luasnap"
end

for i = #registry, before + 1, -1 do registry[i] = nil end
