-- A service of the model of skynet, in which the files of the recipe run as they stand, with as much of skynet's own modules as
-- they call. The recipe's service and those that it asks are one state here: a message is a call.

local name, number = ...
local handle = number + 9
local snapshotd = ":000000ff"

local function read(path)
  local file <close> = assert(io.open(path))
  return file:read "a"
end

--- What the debug console's `inject` does in a service: runs code, and answers with what it prints.
local function run(source, file, ...)
  local printed = {}
  local function print(...)
    local values = table.pack(...)
    for i = 1, values.n do values[i] = tostring(values[i]) end
    printed[#printed + 1] = table.concat(values, "\t")
  end
  local ok, said = pcall(assert(load(source, "@" .. file, "bt", setmetatable({ print = print }, { __index = _ENV }))), ...)
  if not ok then return false, tostring(said) end
  return true, table.concat(printed, "\n")
end

local address = (":%08x"):format(handle)
-- As the launcher lists them: one that is not in Lua, one that fails, and the recipe's own.
local services = {
  [address] = "snlua " .. name .. " 7",
  [":000000fe"] = "snlua broken",
  [":00000005"] = "harbor 0 4",
  [snapshotd] = "snlua snapshotd /opt/luasnap/take.lua",
}

local dispatch, registered
local skynet = {}
function skynet.self() return handle end
function skynet.localname(wanted) return wanted == registered and tonumber("0x" .. snapshotd:sub(2)) or nil end
function skynet.register(wanted) registered = wanted end
function skynet.start(f) f() end
function skynet.dispatch(kind, f)
  assert(kind == "lua")
  dispatch = f
end
function skynet.retpack(...) return ... end
function skynet.call(called, kind, ...)
  if called == ".launcher" then
    assert(kind == "lua" and ... == "LIST")
    return services
  end
  assert(kind == "debug" and services[called]:find "^snlua ", called)
  local command, source, file = ...
  assert(command == "RUN" and called ~= snapshotd)
  if called ~= address then return false, "it has ended" end
  return run(source, file, select(4, ...))
end

-- The command of skynet's dispatch returns what is packed as the answer.
local function ask(...)
  local answer
  skynet.retpack = function(...) answer = table.pack(...) end
  dispatch(nil, nil, ...)
  return table.unpack(answer, 1, answer.n)
end

package.preload["skynet"] = function() return skynet end
package.preload["skynet.manager"] = function() return skynet end

local function check_file(path)
  assert(read(path):sub(1, 8) == "\x89LUASNAP", path)
  local snapshot = require "snapshot"
  local loaded = snapshot.load(path)
  local counted = loaded:stats()
  assert(counted.engine == "native" and counted.unaccounted == 0, counted.engine)
  loaded:free()
end

kept = {}
for i = 1, 2000 do kept[i] = { i } end

-- take.lua, as the console injects it: with a name, and without.
local take = read "take.lua"
local ok, said = run(take, "take.lua", "named.luasnap")
assert(ok, said)
assert(said:find("_G.kept", 1, true) and said:find "saved to named.luasnap$", said)
assert(select(2, said:gsub("%d+ bytes\t", "")) == 5, said)
check_file "named.luasnap"
ok, said = run(take, "take.lua")
assert(ok, said)
check_file(("%s%s.luasnap"):format(name, address:gsub(":", "-")))

-- snapshotd.lua asks each service in Lua but itself.
assert(loadfile "snapshotd.lua")("take.lua")
assert(registered == ".snapshotd" and dispatch)
os.execute "mkdir node"
local saved, failed = ask("all", "node")
assert(saved == 1 and failed == ":000000fe", failed)
check_file(("node/%s-%s.luasnap"):format(name, address:sub(2)))
assert(ask("one", address, "one.luasnap"):find "saved to one.luasnap$")
check_file "one.luasnap"
for _, wrong in ipairs { { "none" }, { "one", ":000000fe", "x.luasnap" } } do
  assert(not pcall(ask, table.unpack(wrong)))
end

io.open("done", "w"):close()
