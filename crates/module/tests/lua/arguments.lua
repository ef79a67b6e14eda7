-- Wrong arguments, in every function: an error in Lua's usual words, and never a crash.

local snapshot = require "snapshot"
local check = require "check"

local one = snapshot.snapshot({}, "one")

-- Every function by its name, and how many snapshots it takes.
local SNAPSHOTS = {
  print = 1, print_json = 1, print_jsonfmt = 1,
  to_file = 1, to_jsonfile = 1, to_jsonfilefmt = 1,
  copy = 1, free = 1, incr = 2, decr = 2, report = 1, stats = 1, waste = 1,
  save = 1, top = 1, path = 1, retainers = 1,
}

-- Values that are no snapshots, by what the message calls them.
local function no_snapshots()
  return {
    ["nil"] = nil,
    boolean = true,
    number = 1,
    string = "one",
    table = {},
    ["function"] = print,
    thread = coroutine.create(function() end),
    userdata = io.stdout,
    ["light userdata"] = host.lightuserdata(16),
  }
end

for name, snapshots in pairs(SNAPSHOTS) do
  local f = snapshot[name]
  for number = 1, snapshots do
    local function wrong(kind, ...)
      check.raises(
        ("bad argument #%d to '%s' (snapshot expected, got %s)"):format(number, name, kind), f, ...
      )
    end
    for kind, value in pairs(no_snapshots()) do
      if number == 1 then wrong(kind, value, one) else wrong(kind, one, value) end
    end
    if number == 1 then
      wrong "no value"
      wrong("nil", nil, one)
    else
      wrong("no value", one)
      wrong("nil", one, nil)
    end
  end
end

-- The roots of a snapshot, and their names.
local function no_root(kind, ...)
  check.raises("bad argument #1 to 'snapshot' (table expected, got " .. kind .. ")",
    snapshot.snapshot, ...)
end
local function no_name(kind, ...)
  check.raises("bad argument #2 to 'snapshot' (string expected, got " .. kind .. ")",
    snapshot.snapshot, ...)
end
no_root("number", 1)
no_root("number", 1, "name")
no_root("nil", nil)
no_root("nil", nil, "name")
no_root("boolean", true, "name")
no_root("string", "root", "name")
no_root("light userdata", host.lightuserdata(16), "name")
no_root("snapshot", one, "name")
no_root("number", 1, 2)
no_name("no value", {})
no_name("nil", {}, nil)
no_name("number", {}, 1)
no_name("table", {}, {})
no_name("snapshot", {}, one)
check.raises("wrong number of arguments to 'snapshot' (0 or 2 expected, got 200)",
  snapshot.snapshot, (unpack or table.unpack)({ [200] = {} }, 1, 200))

-- Nils at the end stand for arguments that are not there, in every function: a program passes options on,
-- and has none.
do
  local all = #snapshot.snapshot()
  for _, whole in ipairs {
    snapshot.snapshot(nil, nil, nil), snapshot.snapshot(nil, nil, nil, nil),
    snapshot.snapshot(nil, nil, {}, nil), snapshot.snapshot(nil, nil, { engine = nil }),
    snapshot.snapshot((unpack or table.unpack)({}, 1, 200)),
  } do
    check.equal(#whole >= all, true)
  end
  check.equal(#snapshot.snapshot({ {} }, "name", nil), 2)
  check.equal(#snapshot.snapshot({ {} }, "name", nil, nil), 2)
  check.equal(#snapshot.snapshot({ {} }, "name", {}, nil), 2)
  -- Where the root or its name is nil, somebody misspelt it.
  no_name("nil", {}, nil, nil)
  no_root("nil", nil, "name", nil)
  no_root("nil", nil, nil)
  check.raises("wrong number of arguments to 'snapshot' (0 or 2 expected, got 4)",
    snapshot.snapshot, {}, "name", nil, {})

  local two = snapshot.snapshot({ {} }, "two")
  for name, snapshots in pairs(SNAPSHOTS) do
    if name ~= "free" and not name:find "file" and not name:find "^print" and name ~= "save"
      and name ~= "path" and name ~= "retainers" then
      if snapshots == 1 then snapshot[name](two, nil, nil) else snapshot[name](one, two, nil, nil) end
    end
  end
  check.equal(snapshot.path(two, "two", nil), "two")
  check.equal(snapshot.retainers(two, "two.[1]", nil).count, 1)
  check.equal(#snapshot.growth(one, one, nil, nil).sizes, 2)
  snapshot.check(function() end, nil, nil)
  for _, name in ipairs { "to_file", "to_jsonfile", "to_jsonfilefmt", "save" } do
    snapshot[name](two, "nils", nil, nil)
  end
  check.equal(#snapshot.load("nils", nil), 2)
  local copy = snapshot.copy(two, nil)
  snapshot.free(copy, nil)
  check.equal(#copy, 0)
end

-- The options: a table as a third argument.
do
  local function wrong(reason, ...)
    check.raises("bad argument #3 to 'snapshot' (" .. reason .. ")", snapshot.snapshot, ...)
  end
  for _, name in ipairs { "", "Native", "native ", "portable\0", "both" } do
    wrong("'" .. snapshot.printable(name) .. "' is no engine; there are 'native' and 'portable'",
      nil, nil, { engine = name })
  end
  wrong("option 'engine' is a string, got number", nil, nil, { engine = 5 })
  wrong("option 'engine' is a string, got boolean", nil, nil, { engine = false })
  wrong("option 'engine' is a string, got table", {}, "name", { engine = {} })
  wrong("option 'engine' is a string, got function", {}, "name", { engine = print })
  for kind, value in pairs(no_snapshots()) do
    if kind ~= "table" then
      check.raises("wrong number of arguments to 'snapshot' (0 or 2 expected, got 3)",
        snapshot.snapshot, nil, nil, value)
    end
  end
  check.raises("wrong number of arguments to 'snapshot' (0 or 2 expected, got 4)",
    snapshot.snapshot, nil, nil, {}, {})
  no_root("nil", nil, "name", {})
  no_root("number", 5, nil, {})
  no_root("number", 5, "name", { engine = "portable" })
  no_name("nil", {}, nil, {})
  no_name("number", {}, 5, { engine = "portable" })
  -- Without an engine, or with names that nobody knows, they change nothing. No metamethod is asked.
  check.equal(#snapshot.snapshot({ {} }, "root", {}), 2)
  check.equal(#snapshot.snapshot({ {} }, "root", { other = true }), 2)
  check.equal(#snapshot.snapshot({ {} }, "root", { engine = "portable" }), 2)
  check.equal(#snapshot.snapshot(nil, nil, {}) > 100, true)
  local asked = setmetatable({}, { __index = error })
  check.equal(#snapshot.snapshot(nil, nil, asked) > 100, true)
  check.equal(snapshot.snapshot(nil, nil, { engine = "portable" }):stats().engine, "portable")
end
if jit then
  local ffi = require "ffi"
  no_root("cdata", ffi.new "int[4]", "name")
  check.raises("bad argument #1 to 'print' (snapshot expected, got cdata)",
    snapshot.print, ffi.new "int[4]")
end

-- What else can be a root.
local thread = coroutine.create(function() end)
for _, root in ipairs { print, function() end, thread, io.stdout, host.userdata(8) } do
  check.equal(check.rows(snapshot.snapshot(root, "root"))[1].name, check.name(root))
  check.equal(check.rows(snapshot.snapshot(root, "root"))[1].link, "root")
end
check.equal(check.links(snapshot.snapshot({}, "")), "")

-- What is too much is ignored, as usual in Lua.
check.equal(#snapshot.copy(one, 2, nil, {}), 1)

-- The position is that of the call, as for any function of Lua.
local function raises_here(f, message)
  local line = debug.getinfo(f, "S").linedefined
  check.raises(("script.lua:%d: %s"):format(line, message), f)
end
raises_here(function() snapshot.print(1) end,
  "bad argument #1 to 'print' (snapshot expected, got number)")
raises_here(function() snapshot.snapshot(1, 2, 3) end,
  "wrong number of arguments to 'snapshot' (0 or 2 expected, got 3)")
-- Called as methods, self is no number.
raises_here(function() one:incr(5) end,
  "bad argument #1 to 'incr' (snapshot expected, got number)")
raises_here(function() one:to_file(5) end,
  "bad argument #1 to 'to_file' (string expected, got number)")
raises_here(function() snapshot:print() end,
  "calling 'print' on bad self (snapshot expected, got table)")
-- It is the function's own name that helps, whatever it was called by.
raises_here(function() local other = snapshot.copy other(5) end,
  "bad argument #1 to 'copy' (snapshot expected, got number)")

-- Paths.
for _, name in ipairs { "to_file", "to_jsonfile", "to_jsonfilefmt" } do
  local f = snapshot[name]
  local function wrong(reason, ...)
    check.raises("bad argument #2 to '" .. name .. "' (" .. reason .. ")", f, ...)
  end
  wrong("string expected, got no value", one)
  wrong("string expected, got number", one, 1)
  wrong("string expected, got nil", one, nil)
  wrong("string expected, got table", one, {})
  wrong("string expected, got snapshot", one, one)
  wrong("a path cannot contain a zero byte", one, "rows.txt\0.png")
end
