-- What Neovim holds of ours: callbacks of commands, keys, events and timers.
local snapshot = require "snapshot"

local function name(object)
  return (tostring(object):gsub(": ", ":", 1))
end

local names, timer = {}, nil
local function closure(what)
  local leaked = {}
  names[what] = name(leaked)
  return function() return leaked end
end

assert(type(vim.api.nvim_get_current_buf()) == "number")
local before = snapshot.snapshot()
vim.api.nvim_create_autocmd("BufEnter", { callback = closure "event" })
vim.api.nvim_create_user_command("Test", closure "command", {})
vim.keymap.set("n", "x", closure "key")
vim.defer_fn(closure "later", 1e6)
timer = vim.loop.new_timer()
timer:start(1000000, 0, closure "timer")

local grown = before:incr(snapshot.snapshot())
grown:to_file "rows.txt"
local links = {}
for line in io.lines "rows.txt" do
  local name, link = line:match "^ *([^\t]*)\t[^\t]*\t[^\t]*\t(.*)$"
  links[name] = link
end
for _, what in ipairs { "event", "command", "key", "later", "timer" } do
  local link = links[names[what]]
  assert(link, what .. " was not found")
  -- Neovim and libuv keep functions by numbers in the registry.
  assert(link:find "^%[REGISTRY%]%.%[%d+%]%..*leaked$", what .. ": " .. link)
end
timer:close()

-- From inside of a callback: a timer's, an event's, a command's.
local counts = {}
local function take() counts[#counts + 1] = #snapshot.snapshot() end
vim.schedule(take)
vim.api.nvim_create_autocmd("User", { pattern = "Take", callback = take })
vim.cmd "doautocmd User Take"
vim.api.nvim_create_user_command("Take", take, {})
vim.cmd "Take"
assert(vim.wait(10000, function() return #counts == 3 end), #counts)
for _, count in ipairs(counts) do assert(count > 100, count) end
