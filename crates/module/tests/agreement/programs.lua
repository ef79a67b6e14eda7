-- Random Lua programs, on which the two engines have to agree: `lua programs.lua FIRST LAST` makes
-- and runs those with the seeds FIRST to LAST.
--
-- A program makes objects of every kind and compares the engines wherever it happens to be: in
-- nested calls, in coroutines, in metamethods, in finalizers, in the reader of a `load`. It has what
-- its VM has of the language, so that the programs of a seed differ from VM to VM.

local compare = require "compare"
local first, last = tonumber((...)), tonumber((select(2, ...)))
local load_text = loadstring or load
local unpack = unpack or table.unpack
-- Traces of machine code stay on LuaJIT's stacks, and the API reads them as nil.
if jit and host.checked then jit.off() end

local version, is_luajit = tonumber(_VERSION:match "%d%.%d"), jit ~= nil
-- What the VM has.
local has = {
  goto_ = version >= 5.2 or is_luajit,
  yields_anywhere = version >= 5.2 or is_luajit,
  integers = version >= 5.3,
  close = version >= 5.4,
  stripping = version >= 5.3,
  finalizers = version >= 5.2 and not is_luajit,
}

local seed, programs, comparisons = 0, 0, 0
-- A program that goes round and round compares no more than so often.
local LIMIT = 100
local left = 0
-- Nor does it call its own functions more often: each would call others for ever.
local MOST_CALLS = 3000
local calls = 0

-- The same numbers in every VM.
local function random(n)
  seed = (seed * 16807) % 2147483647
  return seed % n + 1
end

local function one_of(list) return list[random(#list)] end

-- What programs call --------------------------------------------------------------------------

--- What is said where objects wait for their finalizers, which the API does not show.
compare_pending = "finalizers are pending"

--- Compares the engines here and now.
function C()
  left = left - 1
  if left < 0 then return end
  local differences = compare.differences()
  if differences == compare_pending then return end
  comparisons = comparisons + 1
  if differences then error("the engines differ:\n" .. differences, 0) end
end

--- What each function calls first.
function G()
  calls = calls + 1
  if calls > MOST_CALLS then error("too many calls", 0) end
end

--- Compares what is reachable from an object; gives it back.
function P(object)
  local kind = type(object)
  if left > 0 and (kind == "table" or kind == "function" or kind == "thread" or kind == "userdata") then
    left = left - 1
    local is_light = kind == "userdata" and not pcall(compare.differences, object, "object")
    local differences = not is_light and compare.differences(object, "object")
    if differences then error("the engines differ:\n" .. differences, 0) end
  end
  return object
end

--- A coroutine that was started with some arguments; whatever it raises stays in it.
function started(f, ...)
  local co = coroutine.create(f)
  coroutine.resume(co, ...)
  return co
end

function yield(...) return coroutine.yield(...) end

function object(methods) return setmetatable({}, methods) end

function weak(mode, t)
  local mt = { __mode = mode }
  return setmetatable(t, mt)
end

function finalized(t)
  t = type(t) == "table" and t or {}
  if not has.finalizers then return t end
  return setmetatable(t, { __gc = function(o) last_finalized = o end })
end

function userdata(n, ...)
  local values = { ... }
  local u = host.userdata(n, version >= 5.4 and #values or 0)
  if version < 5.4 then
    local value = values[1]
    if value ~= nil then host.setuservalue(u, type(value) == "table" and value or { value }) end
    return u
  end
  for i, value in pairs(values) do host.setuservalue(u, value, i) end
  return u
end

--- The same function without its debug information, and with the same upvalues.
function stripped(f)
  if not has.stripping or type(f) ~= "function" or debug.getinfo(f, "S").what == "C" then return f end
  local bare = load_text(string.dump(f, true))
  for i = 1, debug.getinfo(f, "u").nups do debug.upvaluejoin(bare, i, f, i) end
  return bare
end

--- Calls a function below n others, each with values of its own.
function deep(n, f, ...)
  if n == 0 then return f(...) end
  local own = { n }
  local result = deep(n - 1, f, own, ...)
  return result, own
end

function closed(co)
  if has.close and type(co) == "thread" then pcall(coroutine.close, co) end
  return co
end

--- For a `for` loop: calls f once, whatever it gives.
function once(f, ...)
  local is_done = false
  return function(...)
    if is_done then return nil end
    is_done = true
    return f(...) or true
  end, ...
end

--- For a to-be-closed variable.
function closing(f)
  return setmetatable({}, { __close = f })
end

function operators(f)
  return setmetatable({}, {
    __index = f, __newindex = f, __add = f, __concat = f, __eq = f, __lt = f, __le = f, __len = f,
    __call = f, __unm = f,
  })
end

--- A table that had many entries, or that has room for many.
function shrunk(n, value)
  local t = {}
  for i = 1, n do
    t[i], t["name" .. i] = i, value
  end
  for i = n, 2, -1 do
    t[i], t["name" .. i] = nil, nil
    local _ = #t
  end
  return t
end

function with_holes(t)
  for i = 1, 12, 3 do t[i] = nil end
  t[7], t[100] = t, {}
  return t
end

function filled(t, n)
  for i = 1, n do t[#t + 1] = { i } end
  return t
end

--- A table that grew by some entries, and lost some then; asked without metamethods.
function resized(t, more, fewer)
  if type(t) ~= "table" then return t end
  local n = 0
  while rawget(t, n + 1) ~= nil do n = n + 1 end
  for i = n + 1, n + more do rawset(t, i, { i }) end
  for i = n + more, n + more - fewer, -1 do rawset(t, i, nil) end
  return t
end

--- A coroutine with a hook, in which the engines are compared.
function watched(f, mask)
  local co = coroutine.create(f)
  local count = 0
  debug.sethook(co, function()
    count = count + 1
    if count == 2 then C() end
  end, mask)
  coroutine.resume(co, {}, 1)
  return co
end

function in_environment(f)
  if setfenv and type(f) == "function" and f ~= C then pcall(setfenv, f, setmetatable({}, { __index = _G })) end
  return f
end

function compile(text)
  local done = false
  local f = load(function()
    C()
    if done then return nil end
    done = true
    return text
  end, "=reader")
  return f
end

function hooked(f)
  local entered = false
  debug.sethook(function()
    if not entered then entered = true; C() end
  end, "c")
  pcall(f)
  debug.sethook()
end

function sorted(list)
  local n = 0
  pcall(table.sort, list, function(a, b)
    n = n + 1
    if n == 2 then C() end
    return tostring(a) < tostring(b)
  end)
  return list
end

function substituted(s)
  local n = 0
  return (s:gsub("%w+", function(w)
    n = n + 1
    if n == 1 then C() end
    return w .. n
  end))
end

-- The generator -------------------------------------------------------------------------------

local names = { "a", "b", "c", "t", "u", "self", "value", "next" }
local globals = { "g1", "g2", "g3", "g4" }
local lines, scope, depth, budget, labels

local expression, block, nested

local function emit(line) lines[#lines + 1] = ("  "):rep(depth) .. line end

local function variable()
  if #scope > 0 and random(3) > 1 then return one_of(scope) end
  return one_of(globals)
end

local function key()
  local kind = random(8)
  if kind == 1 then return "[" .. random(6) .. "]" end
  if kind == 2 then return ("[%d.5]"):format(random(3)) end
  if kind == 3 then return "[" .. one_of { "true", "false" } .. "]" end
  if kind == 4 then return "[" .. one_of { "print", "C", "host.lightuserdata(16)", "{}", "-1", "2^60", "coroutine.create(print)" } .. "]" end
  if kind == 5 then
    return ('["%s%s"]'):format(("key "):rep(random(20)),
      one_of { "", "", "\\255", "\\195\\40", "\\0end", "\\n" })
  end
  return one_of(names)
end

local function list(n, level)
  local all = {}
  for i = 1, n do all[i] = expression(level) end
  return table.concat(all, ", ")
end

local function constructor(level)
  local fields = {}
  for i = 1, random(5) - 1 do
    fields[i] = random(2) == 1 and expression(level) or key() .. " = " .. expression(level)
  end
  return "{ " .. table.concat(fields, ", ") .. " }"
end

--- The text of a function, whose body is on lines of its own.
local function closure(level)
  local outer_lines, outer_scope, outer_depth = lines, scope, depth
  lines, scope, depth = {}, {}, depth + 1
  for i, name in ipairs(outer_scope) do scope[i] = name end
  local parameters = {}
  for i = 1, random(4) - 1 do
    parameters[i] = one_of(names)
    scope[#scope + 1] = parameters[i]
  end
  local is_vararg = random(2) == 1
  if is_vararg then parameters[#parameters + 1] = "..." end
  block(random(3), level + 1, is_vararg)
  local body = ("  "):rep(depth) .. "G()\n" .. table.concat(lines, "\n")
  lines, scope, depth = outer_lines, outer_scope, outer_depth
  return "function(" .. table.concat(parameters, ", ") .. ")\n" .. body .. "\n" .. ("  "):rep(depth) .. "end"
end

function expression(level)
  budget = budget - 1
  local kind = level > 4 and random(6) or budget < 0 and random(6) or random(34)
  if kind == 1 then return one_of { "nil", "true", "1", "2.5", '"text"', '("long "):rep(20)' } end
  if kind <= 4 then return variable() end
  if kind == 5 then return "{}" end
  if kind == 6 then return one_of { "print", "C", "io.stdout", "string", "host.cclosure()", "host.lightuserdata(8)", "math.huge", "host.lightfunction()" } end
  if kind <= 10 then return constructor(level + 1) end
  if kind <= 13 then return closure(level) end
  if kind == 14 then return "started(" .. closure(level) .. ", " .. list(random(3), level + 1) .. ")" end
  if kind == 15 then return "coroutine.wrap(" .. closure(level) .. ")" end
  if kind == 16 then return "coroutine.create(" .. closure(level) .. ")" end
  if kind == 17 then return ('weak("%s", %s)'):format(one_of { "k", "v", "kv" }, constructor(level + 1)) end
  if kind == 18 then return "object(" .. constructor(level + 1) .. ")" end
  if kind == 19 then return "finalized(" .. expression(level + 1) .. ")" end
  if kind == 20 then return ("userdata(%d, %s)"):format(random(40), expression(level + 1)) end
  if kind == 21 then return "in_environment(" .. closure(level) .. ")" end
  if kind == 22 then return "(pcall(" .. closure(level) .. "))" end
  if kind == 23 then return ("compile([[local a, b = {}, ... return function() return a, b end]])") end
  if kind == 24 then return "stripped(" .. closure(level) .. ")" end
  if kind == 25 then return ("userdata(%d, %s)"):format(random(40), list(random(6), level + 1)) end
  if kind == 26 then return ("shrunk(%d, %s)"):format(random(40), expression(level + 1)) end
  if kind == 27 then return "with_holes(" .. constructor(level + 1) .. ")" end
  if kind == 28 then return ("filled(%s, %d)"):format(constructor(level + 1), random(20)) end
  if kind == 29 then return "host.thread(" .. list(random(4), level + 1) .. ")" end
  if kind == 30 then return "closed(started(" .. closure(level) .. ", " .. list(random(2), level + 1) .. "))" end
  if kind == 31 then return ("started(deep, %d, %s)"):format(random(30), closure(level)) end
  if kind == 32 then return "operators(" .. closure(level) .. ")" end
  if kind == 33 then return ("watched(%s, '%s')"):format(closure(level), one_of { "c", "l", "cr", "crl" }) end
  return "setmetatable({}, { __index = " .. closure(level) .. ", __call = C, __tostring = " .. closure(level) .. " })"
end

--- The statements of a loop or another block, in which there are some more variables.
function nested(variables, level)
  local mark = #scope
  depth = depth + 1
  for i, name in ipairs(variables) do scope[mark + i] = name end
  block(random(2), level + 1)
  for i = #scope, mark + 1, -1 do scope[i] = nil end
  depth = depth - 1
end

local statements = {
  function(level) -- locals
    local made = {}
    for i = 1, random(3) do made[i] = one_of(names) end
    emit("local " .. table.concat(made, ", ") .. " = " .. list(random(#made), level))
    for _, name in ipairs(made) do scope[#scope + 1] = name end
  end,
  function(level) emit(one_of(globals) .. " = " .. expression(level)) end,
  function(level)
    emit(("if type(%s) == 'table' then rawset(%s, %s, %s) end"):format("g1", "g1",
      one_of { "1", "2", "'x'", "{}", "print", "C" }, expression(level)))
  end,
  function(level)
    local name = variable()
    emit(("if type(%s) == 'table' then %s[%d] = %s end"):format(name, name, random(9), expression(level)))
  end,
  function(level) emit("pcall(" .. closure(level) .. ", " .. list(random(3), level) .. ")") end,
  function(level) emit("local _ = (" .. closure(level) .. ")(" .. list(random(3), level) .. ")") end,
  function(level) emit("started(" .. closure(level) .. ", " .. list(random(2), level) .. ")") end,
  function(level)
    emit(("for i = 1, %d do"):format(random(3)))
    nested({ "i" }, level)
    emit "end"
  end,
  function(level)
    emit "for k, v in pairs { {}, x = {}, [print] = {} } do"
    nested({ "k", "v" }, level)
    emit "end"
  end,
  function(level)
    emit "do"
    nested({}, level)
    emit "end"
  end,
  function() emit "if coroutine.running() and select(2, coroutine.running()) ~= true then pcall(yield, {}, 1) end" end,
  function() emit "C()" end,
  function() emit "C()" end,
  function(level) emit("P(" .. expression(level) .. ")") end,
  function() emit("P(" .. variable() .. ")") end,
  function() emit(one_of { "collectgarbage()", "collectgarbage 'step'", "collectgarbage 'step'" }) end,
  function() emit "sorted { 'c', 'b', 'a' }" end,
  function() emit "substituted 'one two'" end,
  function(level) emit("hooked(" .. closure(level) .. ")") end,
  function(level)
    emit("g2 = setmetatable({}, { __index = " .. closure(level) .. " })")
    emit "pcall(function() return g2.missing end)"
  end,
  function(level) emit("pcall(error, " .. expression(level) .. ")") end,
  function(level)
    emit(("for k, v in %s, {} do"):format(one_of { "coroutine.wrap(" .. closure(level) .. ")", "once(" .. closure(level) .. ")", "next" }))
    nested({ "k", "v" }, level)
    emit "  break"
    emit "end"
  end,
  function(level)
    emit(("for k, v in once(%s, %s) do"):format(closure(level), list(random(2), level)))
    nested({ "k", "v" }, level)
    emit "end"
  end,
  function(level)
    emit "repeat"
    nested({}, level)
    emit("until C() or true")
  end,
  function(level) -- metamethods, which may yield
    local name = one_of(names)
    emit(("local %s = operators(%s)"):format(name, closure(level)))
    scope[#scope + 1] = name
    local uses = { "%s.x", "%s + 1", "1 + %s", "%s .. 'x'", "-%s", "%s(1, 2)", "%s < %s", "%s <= %s", "%s == {}", "#%s" }
    for _ = 1, random(3) do
      emit(("pcall(function() local a, b = {}, %s return a, b end)"):format((one_of(uses):gsub("%%s", name))))
    end
    emit(("pcall(function() %s.field = {} end)"):format(name))
  end,
  function(level) -- variables that several functions share
    local name = one_of(names)
    emit(("local %s = %s"):format(name, expression(level)))
    scope[#scope + 1] = name
    emit(("g3 = { function() return %s end, function(v) %s = v end, function() C() return %s end }"):format(name, name, name))
    emit "g3[3](g3[2]({}))"
    emit(("started(function(v) g4 = function() return v, %s end yield(v) return v end, {})"):format(name))
  end,
  function(level)
    emit(("xpcall(%s, function(m) C() return m end)"):format(closure(level)))
  end,
  function(level) emit(("pcall(deep, %d, %s)"):format(random(60), closure(level))) end,
  function(level)
    emit("local w = coroutine.wrap(" .. closure(level) .. ")")
    emit "pcall(w, {}, 1) pcall(w, {})"
    scope[#scope + 1] = "w"
  end,
  function(level)
    emit("local co = coroutine.create(" .. closure(level) .. ")")
    emit "for _ = 1, 3 do coroutine.resume(co, {}, co) C() end"
    scope[#scope + 1] = "co"
  end,
  function(level) -- a coroutine that runs another, in which the first is looked at
    emit("started(function(...) local co = started(" .. closure(level) .. ", ...) C() yield(co) C() return co end, {})")
  end,
  function()
    emit "pcall(function() host.yield_last({}, 2, {}) end)"
  end,
  function(level)
    local name = variable()
    emit(("resized(%s, %d, %d)"):format(name, random(12), random(12)))
  end,
  function(level)
    if has.goto_ then
      labels = labels + 1
      local label = labels
      emit(("do goto l%d"):format(label))
      emit "do"
      nested({}, level)
      emit(("end ::l%d:: end"):format(label))
    end
  end,
  function(level)
    if has.close then
      local name = one_of(names)
      emit(("do local %s <close>, const <const> = closing(%s), %s"):format(name, closure(level), expression(level)))
      nested({ name, "const" }, level)
      emit "end"
    end
  end,
  function()
    if has.integers then emit "local q = (7 // 2) | 1 << 3" end
  end,
}

function block(count, level, is_vararg)
  for _ = 1, count do
    if level <= 5 and budget > 0 then one_of(statements)(level) end
  end
  local ending = random(5)
  if ending == 1 then emit("do return " .. list(random(2), 6) .. " end")
  elseif ending == 2 and is_vararg then emit("local rest = { ... } do return " .. variable() .. ", ... end")
  elseif ending == 3 then emit("do return C(" .. expression(6) .. ") end")
  elseif ending == 4 and random(3) == 1 then emit("do error(" .. expression(6) .. ") end") end
end

local function program(of)
  seed = of * 7919 + 1
  for _ = 1, 5 do random(10) end
  lines, scope, depth, budget, labels = {}, {}, 0, 120, 0
  block(12, 0, true)
  return table.concat(lines, "\n")
end

for of = first, last do
  local text = program(of)
  local run, message = load_text(text, "=program")
  if not run then error(("seed %d: %s\n%s"):format(of, message, text)) end
  g1, g2, g3, g4, last_finalized = {}, nil, nil, nil, nil
  left, calls = LIMIT, 0
  -- What a program raises by itself is its own affair.
  local ok, raised = pcall(run, {}, {})
  debug.sethook()
  if not ok and type(raised) == "string" and raised:find "engines differ" then
    error(("seed %d: %s\n%s"):format(of, raised, text), 0)
  end
  local after = compare.differences()
  if after and after ~= compare_pending then error(("seed %d, after it: %s\n%s"):format(of, after, text), 0) end
  programs = programs + 1
end
if programs ~= last - first + 1 or comparisons < programs then
  error(("%d programs, %d comparisons"):format(programs, comparisons))
end
print(programs, comparisons)
