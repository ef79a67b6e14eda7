-- The native engine accounts for every byte of the program that this runs in.
local snapshot = require "snapshot"

local function equal(got, expected, what)
  if got ~= expected then
    error(("%s: got %s instead of %s"):format(what, tostring(got), tostring(expected)), 2)
  end
end

--- What a capture counts, once it was seen that it adds up.
local function exact(where)
  local s = snapshot.snapshot()
  local counted = s:stats()
  s:free()
  equal(counted.engine, "native", where)
  equal(counted.exact, true, where)
  equal(counted.unaccounted, 0, where)
  equal(counted.accounted, counted.total, where)
  return counted
end

local first = exact "at first"
equal(type(first.layout), "string", "the layout's name")

-- With more of everything.
local kept = {}
for i = 1, 200 do
  kept[i] = {
    i, name = "name" .. i, nested = { { ("long"):rep(i) } },
    f = function() return i, kept end,
    co = coroutine.create(function(...) local t = { ... } coroutine.yield(t) return i end),
    weak = setmetatable({ [{}] = i }, { __mode = "k" }),
    compiled = (loadstring or load)("local a = ... return function() return a, " .. i .. " end"),
  }
  coroutine.resume(kept[i].co, i, {})
  kept[i].made = kept[i].compiled(kept)
end
local more = exact "with more"
equal(more.kinds.thread.count - first.kinds.thread.count, 200, "coroutines")
equal(more.kinds.table.count >= first.kinds.table.count + 1000, true, "tables")

-- While a collection is under way.
for round = 1, 100 do
  collectgarbage("step", 1)
  kept[round] = { round, function() return round end, tostring(round) }
  exact("in step " .. round)
end

-- Inside a coroutine, a sort, an error's handler.
coroutine.wrap(function() exact "in a coroutine" end)()
table.sort({ 2, 1, 3 }, function(a, b) exact "in a sort" return a < b end)
xpcall(error, function() exact "in a handler" end)

-- Garbage is counted, and goes.
collectgarbage "stop"
local before = exact "before there is garbage"
local held = {}
for i = 1, 500 do held[i] = {} end
held = nil
local after = exact "with garbage"
local function garbage_tables(counted) return counted.kinds.table.garbage_count end
local more_garbage = garbage_tables(after) - garbage_tables(before)
-- 501, but for the few that LuaJIT's compiled code leaves in the stack's slots or takes from there.
equal(more_garbage > 490 and more_garbage < 1000, true, "more garbage: " .. more_garbage)
collectgarbage "restart"
collectgarbage()
collectgarbage()
equal(exact "collected".garbage.count < after.garbage.count, true, "garbage after a collection")

-- What is new is told apart from what lay at its address before.
local slots = {}
for i = 1, 3000 do slots[i] = { i } end
collectgarbage()
local old = snapshot.snapshot()
for i = 1, 3000 do slots[i] = false end
collectgarbage()
for i = 1, 3000 do slots[i] = { i } end
local new = snapshot.snapshot()
local count = #old:incr(new)
equal(count >= 3000 and count < 3020, true, "new objects: " .. count)
