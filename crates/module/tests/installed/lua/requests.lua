-- Two kinds of request: one holds objects as long as it lasts, the other looks who holds them.
local snapshot = require "snapshot"

local requests = { kept = {} }
local names = setmetatable({}, { __mode = "k" }) -- holds nothing
local before

local function new(what)
  local object = {}
  names[object] = what
  return object
end

local function wait_for_timer()
  local late = new "timer"
  assert(ngx.timer.at(1000, function() return late end))
end

function requests.hold()
  before = snapshot.snapshot()
  -- By a table of this module.
  requests.kept[1] = new "module"
  -- By this request: its context, its coroutine, and a light thread that sleeps.
  ngx.ctx.object = new "context"
  local mine = new "request"
  ngx.thread.spawn(function()
    local held = new "light thread"
    ngx.sleep(1000)
    return held
  end)
  -- By a coroutine that waits, a timer that will come, one that runs.
  local waiting = coroutine.wrap(function()
    local held = new "coroutine"
    coroutine.yield()
    return held
  end)
  waiting()
  wait_for_timer()
  assert(ngx.timer.at(0, function()
    local held = new "running timer"
    ngx.sleep(1000)
    return held
  end))
  ngx.sleep(0.05)
  ngx.say "ready"
  ngx.flush(true)
  ngx.sleep(1000)
  return mine, waiting
end

local expected = {
  module = "^%[REGISTRY%]%._LOADED%.requests%.kept%.%[1%]$",
  context = "%.object$",
  request = "%.%[mine:[^%]]*requests%.lua%]$",
  ["light thread"] = "%.%[held:[^%]]*requests%.lua%]$",
  coroutine = "%.%[held:[^%]]*requests%.lua%]$",
  timer = "%.late$",
  ["running timer"] = "%.%[held:[^%]]*requests%.lua%]$",
}

function requests.look()
  local master = assert(io.open "nginx.pid"):read "*n"
  assert(ngx.worker.pid() ~= master, "this is no worker")
  local clock = os.clock()
  local after = snapshot.snapshot()
  local seconds = os.clock() - clock
  assert(#after > 100, tostring(after))
  assert(seconds < 20, "a snapshot took " .. seconds .. " s")
  before:incr(after):to_file "rows.txt"
  after:to_jsonfile "state.json"

  local links = {}
  for line in io.lines "rows.txt" do
    local name, link = line:match "^ *([^\t]*)\t[^\t]*\t[^\t]*\t(.*)$"
    links[name] = link
  end
  local found = 0
  for object, what in pairs(names) do
    local link = links[(tostring(object):gsub(": ", ":", 1))]
    assert(link, what .. " was not found")
    assert(link:find "^%[REGISTRY%]%.", what .. ": " .. link)
    assert(link:find(expected[what]), what .. ": " .. link)
    found = found + 1
  end
  assert(found == 7, found)
  ngx.say "found"
end

return requests
