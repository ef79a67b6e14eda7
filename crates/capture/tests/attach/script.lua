kept = {}
for i = 1, 1000 do
  kept[i] = { number = i, name = "item " .. i }
end

local suspended = coroutine.create(function(a)
  local held = { "on a suspended stack" }
  coroutine.yield(held, a)
  return held
end)
coroutine.resume(suspended, { "argument" })
threads = { suspended, coroutine.create(function() end) }

io.stdout:write("ready\n")
io.stdout:flush()

local function work(outer)
  local inner = { "on the innermost stack" }
  local turn = 0
  while true do
    turn = turn + 1
    local temporary = { turn, "temporary " .. turn % 100 }
    outer.last = temporary[2] .. #inner
  end
end

local mine = { "on the outer stack" }
work(mine)
