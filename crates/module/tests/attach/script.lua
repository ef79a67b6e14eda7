-- Makes a heap that has objects of every kind, writes down what a snapshot from inside finds of it, and
-- waits while somebody looks from outside.
local snapshot = require "snapshot"
local zoo = require "zoo"

kept = { suspended = {} }
for name, make in pairs(zoo) do
  if type(make) == "function" and name ~= "luajit" then kept[name] = make() end
end
for i = 1, 3 do
  local co = coroutine.create(function(first, ...)
    local held, also = { "held" }, { i }
    for turn = 1, 2 do
      local inner = { turn }
      coroutine.yield(inner)
    end
    return held, also, first, ...
  end)
  coroutine.resume(co, { "first" }, { "extra" }, { "another" })
  kept.suspended[i] = co
end
collectgarbage()
collectgarbage()
collectgarbage "stop"
snapshot.to_file(snapshot.snapshot(), "inside.txt")
io.stdout:write("ready\n")
io.stdout:flush()
io.read()
