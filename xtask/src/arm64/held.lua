-- Sessions that only a local variable holds, below a C function that calls back.
Session = {}
Session.__index = Session

local function sessions(count)
  local made = {}
  for i = 1, count do
    made[i] = setmetatable({ name = "session " .. i, at = i / 2, number = i }, Session)
  end
  return made
end

local function wait(held)
  local said = ("x"):gsub("x", function()
    io.stdout:write("ready\n")
    io.stdout:flush()
    return io.read()
  end)
  return said, #held
end

-- A coroutine that waits, and one that has ended.
waiting = coroutine.wrap(function(...) return coroutine.yield(...) end)
waiting(1, 2, 3)
done = coroutine.create(function() end)
coroutine.resume(done)

wait(sessions(1000))
