-- Tables that are weak and yet keep their entries.

local snapshot = require "snapshot"
local check = require "check"

local is_native = snapshot.stats(snapshot.snapshot()).engine == "native"

--- What is said of a global table.
local function weakness(name)
  local rows = snapshot.retainers(snapshot.snapshot(), "_G." .. name).weakness
  if not rows or #rows == 0 then return nil end
  return rows[1].why .. " " .. rows[1].entries .. " " .. rows[1].path
end

local weak_keys = { __mode = "k" }
local function weak() return setmetatable({}, weak_keys) end

-- Strings and numbers as keys never go.
by_name = weak()
check.equal(weakness "by_name", nil)
by_name.a, by_name.b, by_name[1] = {}, {}, {}
check.equal(weakness "by_name", is_native and "no_object_keys 3 _G.by_name" or nil)
local object = {}
by_name[object] = true
check.equal(weakness "by_name", nil)
by_name[object] = nil

-- Nor do they in a table with weak values too, but there the values go.
by_name = setmetatable({ a = object }, { __mode = "kv" })
check.equal(weakness "by_name", nil)

-- A value that refers to its key: directly, as a closure, or as the key itself.
owners = weak()
local keys = {}
for at = 1, 3 do
  local key = {}
  keys[at] = key
  owners[key] = ({ { key = key }, function() return key end, key })[at]
end
local expected = check.is_51_api and "values_hold_keys 3 _G.owners" or nil
check.equal(weakness "owners", expected)
keys = nil
check.collect()
check.equal(weakness "owners", expected)
-- What holds an object says so too.
if check.is_51_api then
  local address
  do
    local first = next(owners)
    address = tostring(first)
    first = nil
  end
  local s = snapshot.snapshot()
  check.equal(snapshot.retainers(s, address).weakness[1].path, "_G.owners")
end

-- What is held by C code is said to be what it is.
if is_native then
  local registry = debug.getregistry()
  registry[#registry + 1] = setmetatable({ a = {} }, { __mode = "k" })
  local s = snapshot.snapshot()
  local row = snapshot.retainers(s, "[REGISTRY].[" .. #registry .. "]").weakness[1]
  check.equal(row.path, "[REGISTRY].[" .. #registry .. "]")
  check.equal(row.what, "table with 1 entry, weak keys")
  registry[#registry] = nil
end

-- A value that does not: the entry goes when the key does.
owners = weak()
owners[object] = { "value" }
check.equal(weakness "owners", nil)
