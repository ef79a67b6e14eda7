-- Objects in all the places where a Lua program has some, and a loop that never ends in the midst of
-- them. Each `mark` is a table that one place alone holds; its text is no constant of any function.
local function mark(place)
  return { "held by " .. place }
end

kept = {}
for i = 1, 1000 do
  kept[i] = { number = i, name = "item " .. i }
end
kept.deep = { under = { a = { mark("chain") } } }
setmetatable(kept, { __index = { mark("metatable") } })

local function with_upvalue()
  local hidden = mark("upvalue")
  return function() return hidden end
end
closure = with_upvalue()

if host and host.userdata then
  userdata = host.userdata(16, 1)
  host.setuservalue(userdata, mark("user value"))
else
  userdata = mark("user value")
end

weak = setmetatable({ mark("nobody") }, { __mode = "v" })

local suspended = coroutine.create(function(...)
  local held = mark("suspended coroutine")
  coroutine.yield()
  return held, ...
end)
coroutine.resume(suspended, mark("extra argument"))

local new = coroutine.create((function()
  local value = mark("new coroutine")
  return function() return value end
end)())

local dead = coroutine.create(function()
  local gone = mark("dead coroutine")
  return #gone
end)
coroutine.resume(dead)

local failed = coroutine.create(function()
  local kept = mark("failed coroutine")
  error("on purpose" .. #kept)
end)
coroutine.resume(failed)

threads = { suspended, new, dead, failed }
collectgarbage()
collectgarbage()

local function work(outer)
  local inner = mark("innermost call")
  local turn = 0
  while true do
    turn = turn + 1
    local temporary = { turn, "temporary " .. turn % 100 }
    outer.last = temporary[2] .. #inner
    if turn == 1000 then
      -- The loop is warm, and compiled where there is a compiler.
      io.stdout:write("ready\n")
      io.stdout:flush()
    end
  end
end

-- One coroutine runs another, so that one is neither running nor suspended.
local function outer_coroutine()
  local held = mark("coroutine that runs another")
  local running = coroutine.wrap(function()
    local mine = mark("running coroutine")
    work(mine)
  end)
  running()
  return held
end

local mine = mark("main thread")
coroutine.wrap(outer_coroutine)()
return mine
