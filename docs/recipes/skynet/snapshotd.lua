-- A service of skynet that takes a snapshot of every service in Lua, one after the other: no moment at which all of them
-- stand still. Start it with the path of take.lua, and call it from the debug console:
--
--   start snapshotd /opt/luasnap/take.lua
--   call .snapshotd "all", "/var/tmp/node"

local skynet = require "skynet"
require "skynet.manager" -- for skynet.register

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

local take = read((...))
local command = {}

--- Saves a snapshot of the service at an address (":0000000a") to a file. Returns what take.lua prints.
function command.one(address, file)
  local ok, said = skynet.call(address, "debug", "RUN", take, "take.lua", file)
  if not ok then error(said) end
  return said
end

--- Saves a snapshot of every service in Lua to a folder that exists. Returns how many, and the addresses of those that
--- did not answer with one.
function command.all(folder)
  local saved, failed = 0, {}
  for address, launched in pairs(skynet.call(".launcher", "lua", "LIST")) do
    local name = launched:match "^snlua ([^%s/]+)"
    if name and skynet.localname ".snapshotd" ~= tonumber("0x" .. address:sub(2)) then
      local file = ("%s/%s-%s.luasnap"):format(folder, name, address:sub(2))
      if pcall(command.one, address, file) then
        saved = saved + 1
      else
        failed[#failed + 1] = address
      end
    end
  end
  return saved, table.concat(failed, " ")
end

skynet.start(function()
  skynet.dispatch("lua", function(_, _, name, ...)
    skynet.retpack(assert(command[name], "no such command")(...))
  end)
  skynet.register ".snapshotd"
end)
