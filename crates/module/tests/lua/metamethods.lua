-- The module's metatable and its functions in the hands of somebody who has the debug library:
-- refused with an error, or without effect, but never a crash.

local snapshot = require "snapshot"
local check = require "check"

local function one() return snapshot.snapshot({ {} }, "one") end
local metatable = debug.getmetatable(one())

-- Metamethods called by hand.
for _, name in ipairs { "__gc", "__close", "__len", "__tostring" } do
  local function wrong(kind, ...)
    check.raises("bad argument #1 to '" .. name .. "' (snapshot expected, got " .. kind .. ")",
      metatable[name], ...)
  end
  wrong "no value"
  wrong("nil", nil)
  wrong("number", 5)
  wrong("table", {})
  local borrower = setmetatable({}, metatable)
  wrong("table", borrower)
  setmetatable(borrower, nil) -- or its own __gc would raise, from 5.2 on
  wrong("userdata", io.stdout)
  wrong("userdata", host.userdata(0))
  wrong("light userdata", host.lightuserdata(64))
end
check.equal(metatable.__len(one()), 2)
check.equal(metatable.__tostring(one()), "snapshot: 2 objects")
check.equal(metatable.__index, snapshot)

-- Userdata of others that were given our metatable, of all sizes. (Zero-filled: no payload may
-- pass for a snapshot.)
for size = 0, 200 do
  local foreign = host.userdata(size)
  debug.setmetatable(foreign, metatable)
  for _, f in ipairs { snapshot.print, snapshot.copy, snapshot.free, metatable.__len } do
    local ok, message = pcall(f, foreign)
    check.equal(ok, false)
    check.matches(message, "^bad argument #1 to '[%a_]+' %(snapshot expected, got userdata%)$")
  end
  debug.setmetatable(foreign, nil)
end
if debug.setmetatable(host.lightuserdata(4096), metatable) then
  check.raises("bad argument #1 to 'copy' (snapshot expected, got light userdata)",
    snapshot.copy, host.lightuserdata(4096))
  debug.setmetatable(host.lightuserdata(4096), nil)
end

-- A snapshot that lost its metatable is a userdata like any other.
local lost = one()
debug.setmetatable(lost, nil)
check.raises("bad argument #1 to 'copy' (snapshot expected, got userdata)", snapshot.copy, lost)
debug.setmetatable(lost, metatable)
check.equal(#snapshot.copy(lost), 2)

-- Upvalues of the functions, where the debug library shows those of C functions.
local function upvalue(f, n) return select(2, debug.getupvalue(f, n)) end
local inner = upvalue(snapshot.copy, 3)
if inner then
  check.equal(type(inner), "function")
  -- The function that the others call in protected mode has nothing to do now.
  check.equal(select("#", inner()), 0)
  check.equal(select("#", inner(one(), 5)), 0)
  check.equal(select("#", coroutine.wrap(inner)()), 0)

  -- Nor in the middle of another call: a hook runs before it does.
  local hooked = false
  debug.sethook(function()
    debug.sethook()
    hooked = true
    inner({}, 5)
    check.collect()
  end, "c")
  local s = one()
  debug.sethook()
  if hooked and s then check.text(s) end
  -- The same when it is the inner call that the hook sees.
  for count = 1, 6 do
    for _, f in ipairs {
      one, function() return lost:copy() end, function() return tostring(lost) end,
    } do
      local calls = 0
      debug.sethook(function()
        calls = calls + 1
        if calls == count then
          inner({}, 5)
          check.collect()
        end
      end, "c")
      local _, result = pcall(f)
      debug.sethook()
      if type(result) == "userdata" then pcall(check.text, result) end
      check.collect()
    end
  end

  -- Other values in their place. What comes of it is nobody's business, but the process lives.
  local values = {
    nil, false, 7, -1, 1e300, 0 / 0, "three", {}, type, function() end, io.stdout, one(), inner,
    host.userdata(64), host.lightuserdata(8), coroutine.create(function() end),
    function(...) inner(...) check.collect() return 5 end,
    function(...) return 5, inner(...) end,
    function(...) inner(...) error "oh" end,
    function() coroutine.yield(5) end,
    setmetatable({}, { __call = function() return 5 end }),
    host.cclosure(), host.lightfunction(), -- last: nothing
  }
  local function use(f, name)
    local arguments = name:match "^to_" and { lost, "upvalue.txt" } or { lost, lost }
    if name == "snapshot" then arguments = { {}, "root" } end
    -- Where standard output is not to be written to.
    if name:match "^print" then arguments = { 5 } end
    local _, result = pcall(f, (unpack or table.unpack)(arguments))
    if type(result) == "userdata" then
      pcall(check.text, result)
      pcall(tostring, result)
      pcall(snapshot.free, result)
    end
    pcall(coroutine.wrap(f), (unpack or table.unpack)(arguments))
    result = nil
    check.collect()
  end
  local functions = {}
  for name, f in pairs(snapshot) do functions[name] = f end
  functions.__len, functions.__tostring, functions.inner =
    metatable.__len, metatable.__tostring, inner
  for name, f in pairs(functions) do
    for number = 1, 4 do
      local kept = upvalue(f, number)
      if kept ~= nil then
        for i = 1, 23 do
          debug.setupvalue(f, number, values[i])
          use(f, name)
          if f == inner then
            use(snapshot.snapshot, "snapshot")
            use(snapshot.copy, "copy")
            use(metatable.__tostring, "__tostring")
          end
        end
        debug.setupvalue(f, number, kept)
      end
    end
  end
end

-- All is well again after that.
check.equal(tostring(one()), "snapshot: 2 objects")
