-- What Neovim's Lua holds.
--
--   :Luasnap         shows the largest groups, and what grew since the last time
--   :Luasnap FILE    saves a snapshot, for `luasnap top FILE`
--
-- Copy this to ~/.config/nvim/plugin/luasnap.lua, and libsnapshot.so to ~/.config/nvim/lua/snapshot.so.

local last -- the snapshot of the last time

local function save(s, file)
  file = vim.fn.fnamemodify(file, ":p")
  s:save(file)
  vim.notify("luasnap: saved " .. file)
end

local function show(text)
  vim.cmd "botright new"
  vim.bo.buftype, vim.bo.bufhidden, vim.bo.swapfile = "nofile", "wipe", false
  vim.api.nvim_buf_set_lines(0, 0, -1, false, vim.split(text, "\n"))
  vim.bo.modifiable, vim.wo.wrap = false, false
end

vim.api.nvim_create_user_command("Luasnap", function(command)
  local snapshot = require "snapshot"
  collectgarbage()
  local s = snapshot.snapshot()
  if command.args ~= "" then
    save(s, command.args)
    return s:free()
  end
  local text = s:report()
  if last then
    text = "Since the last time: " .. snapshot.growth(last, s).verdict .. "\n\n" .. text
    last:free()
  end
  last = s
  show(text)
end, { nargs = "?", complete = "file", desc = "What Neovim's Lua holds, or a snapshot of it to FILE" })
