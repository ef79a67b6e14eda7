-- What the scripts have in common: assertions that say what they got, and snapshots as rows.
--
-- An error points to the script's own line, so that a failure says at once what failed.

local snapshot = require "snapshot"

-- Machine code of LuaJIT's compiler leaves traces on stacks, which are no values for its API. It
-- calls them nil; its checked build calls that a mistake.
local jit = rawget(_G, "jit") -- where globals are guarded, too
if jit and host.checked then jit.off() end

local check = {}

--- The C API is that of 5.1: environments, no ephemerons, no user values.
check.is_51_api = _VERSION == "Lua 5.1"

check.is_luajit = jit ~= nil

--- The main thread's chain, as a pattern: where the registry has the thread, it is that entry.
check.MAIN = "^%[REGISTRY%]%.%[mainthread%]"

--- The version as a number, 5.1 for LuaJIT.
check.version = tonumber(_VERSION:match "%d%.%d")

if check.version >= 5.5 then
  check.MAIN = "^%[REGISTRY%]%.%[3%]"
elseif check.version >= 5.2 then
  check.MAIN = "^%[REGISTRY%]%.%[1%]"
end

local function show(value)
  return type(value) == "string" and ("%q"):format(value) or tostring(value)
end

function check.equal(got, expected, what)
  if got ~= expected then
    local about = what and what .. ": " or ""
    error(about .. "got " .. show(got) .. " instead of " .. show(expected), 2)
  end
end

function check.matches(got, pattern)
  if type(got) ~= "string" or not got:find(pattern) then
    error("got " .. show(got) .. " which does not match " .. show(pattern), 2)
  end
end

--- f(...) raises exactly this.
function check.raises(message, f, ...)
  local ok, got = pcall(f, ...)
  if ok then error("no error instead of " .. show(message), 2) end
  if got ~= message then error("got " .. show(got) .. " instead of " .. show(message), 2) end
end

--- Everything that nothing holds goes, finalizers and what they held as well.
function check.collect()
  for _ = 1, 3 do collectgarbage() end
end

--- Whether the collector works by itself: then garbage goes.
function check.collector_runs()
  local weak = setmetatable({ {} }, { __mode = "v" })
  for _ = 1, 200 do
    if not weak[1] then return true end
    for _ = 1, 200 do local _ = { {}, {}, {} } end
  end
  return not weak[1]
end

function check.read(path)
  local file = assert(io.open(path, "rb"))
  local text = file:read "*a"
  file:close()
  return text
end

function check.write(path, text)
  local file = assert(io.open(path, "wb"))
  file:write(text)
  file:close()
end

--- An object as rows name it: as tostring shows it, less the blank.
function check.name(object)
  -- Fast functions of LuaJIT have names of their own in tostring.
  if jit then return type(object) .. ":" .. ("%p"):format(object) end
  local metatable = (type(object) == "table" or type(object) == "userdata")
    and debug.getmetatable(object)
  if metatable then debug.setmetatable(object, nil) end
  local name = tostring(object):gsub(": ", ":", 1)
  if metatable then debug.setmetatable(object, metatable) end
  return name
end

check.HEADER = ("%26s\t%6s\t%18s\t%s\n"):format("name", "refs", "desc", "link")

--- What snapshot.print prints.
function check.text(s)
  snapshot.to_file(s, "rows.txt")
  return check.read "rows.txt"
end

--- The rows in order; each can also be found by its name. A row's count is what it holds of name,
--- refs (a number), desc and link.
function check.rows(s)
  local rows = {}
  local text = check.text(s)
  check.equal(text:sub(1, #check.HEADER), check.HEADER)
  for line in text:sub(#check.HEADER + 1):gmatch "([^\n]*)\n" do
    local name, refs, desc, link = line:match "^ *([^\t]*)\t *(%d+)\t *([^\t]*)\t(.*)$"
    if not name then error("no row: " .. line) end
    check.equal(line, ("%26s\t%6s\t%18s\t%s"):format(name, refs, desc, link))
    local row = { name = name, refs = tonumber(refs), desc = desc, link = link }
    if rows[name] then error("two rows of " .. name) end
    rows[#rows + 1], rows[name] = row, row
  end
  check.equal(#rows, #s, "rows and #s")
  return rows
end

--- The links of all rows, in order, joined by blanks.
function check.links(s)
  local links = {}
  for i, row in ipairs(check.rows(s)) do links[i] = row.link end
  return table.concat(links, " ")
end

--- A snapshot of everything has a row of that name (as check.name gives it: a program that kept
--- the object would be holding it), and its link matches the pattern.
function check.found(name, pattern)
  local row = check.rows(snapshot.snapshot())[name]
  if not row then error(name .. " was not found", 2) end
  if pattern and not row.link:find(pattern) then
    error("got " .. show(row.link) .. " which does not match " .. show(pattern), 2)
  end
  return row
end

function check.not_found(name)
  local row = check.rows(snapshot.snapshot())[name]
  if row then error(name .. " was found: " .. row.link, 2) end
end

return check
