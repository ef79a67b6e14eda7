-- Runs a script as `lua` would and reports what it left behind, in the embedded Lua and in every
-- installed one. Arguments: what interrupts the script (`signals.rs`; nil where the module, once it is
-- loaded, gives that), the module's file ("" where it is loaded already), "quiet" or "", where a
-- last snapshot is saved (else ""), how many seconds lie between two snapshots (else "") and how the
-- names of their files begin, what is left out of the files ("strings", "names", both or ""), where the report
-- goes ("stdout", or "stderr" where the snapshot goes to standard output), what there is to say of the last
-- snapshot's file once it is saved (else ""), the report's language and title, what to say in that language where
-- there is no memory, where the module cannot be loaded, no snapshot taken and no report written ("{reason}" in it
-- is where the reason goes), and of a C module where none can be loaded (else ""; "{name}" in it is the module), how many words of the command line come before the script, those words, the script,
-- its arguments.

local signals = ...
local words = { select(2, ...) }
local module_file, quiet = words[1], words[2] == "quiet"
local save_to, seconds, save_as = words[3], tonumber(words[4]), words[5]
local left_out, report_to, warning = words[6], words[7], words[8]
local language, title = words[9], words[10]
local no_memory, no_module, no_snapshot, no_report = words[11], words[12], words[13], words[14]
local no_c_modules = words[15]
local first_word = 17
local script_at = first_word + tonumber(words[16])
local script = words[script_at]

-- A script may change the libraries, so what is needed after it is taken before it.
local collect, error, exit, pcall = collectgarbage, error, os.exit, pcall
local tonumber, tostring, type = tonumber, tostring, type
local getmetatable, traceback, sethook = debug.getmetatable, debug.traceback, debug.sethook
local format, gsub, sub, find = string.format, string.gsub, string.sub, string.find
local time = os.time
local stdout, stderr = io.stdout, io.stderr
local report_file = io[report_to]
local write, flush = stdout.write, stdout.flush
local unpack = table.unpack or unpack

-- Until the module is there, which knows what a terminal can show.
local printable = function(text)
  return (gsub(text, "[^ -~]", function(byte) return format("\\x%02X", byte:byte()) end))
end

-- A message as a terminal can show it. Its lines stay, but for those in the script's name.
local function readable(message)
  local name = script ~= "" and printable(script) or script
  local from, to = nil, 0
  if name ~= script then
    from, to = find(message, script, 1, true)
  end
  while from do
    message = sub(message, 1, from - 1) .. name .. sub(message, to + 1)
    from, to = find(message, script, from + #name, true)
  end
  return (gsub(message, "[^\n\t]+", printable))
end

local function say(text)
  pcall(flush, stdout) -- what the script printed comes first
  pcall(write, stderr, "luasnap: ", text, "\n")
end

-- Says what Lua or the module says.
local function complain(message)
  local shown, text = pcall(readable, message)
  say(shown and text or no_memory)
end

-- Says a sentence of ours, which a terminal can show. The reason in it may be anything.
local function complain_that(sentence, reason)
  local shown, text = pcall(function()
    local readable_reason = readable(tostring(reason))
    return (gsub(sentence, "{reason}", function() return readable_reason end))
  end)
  say(shown and text or no_memory)
end

local function fail(message)
  complain(message)
  exit(1, true)
end

local function load_module()
  if module_file == "" then
    return require "snapshot"
  end
  local open, problem = package.loadlib(module_file, "luaopen_snapshot")
  if not open then
    complain_that(no_module, problem)
    exit(1, true)
  end
  local opened, module, of_signals = pcall(open, "snapshot", module_file, "luasnap run")
  if not opened then
    fail(module)
  end
  signals = of_signals
  package.loaded.snapshot = module
  return module
end

-- Makes `require` of a C module an error that says why there can be none: a static program has no dynamic linker.
local function refuse_c_modules()
  local searchpath, match = package.searchpath, string.match
  local function refusal(name)
    local shown = gsub(tostring(name), "[^\n\t]+", printable)
    return (gsub(no_c_modules, "{name}", function() return shown end))
  end
  local function find_file(name, file_of)
    local file, tried = searchpath(file_of, package.cpath)
    if file then
      error(refusal(name), 0)
    end
    return tried
  end
  package.searchers[3] = function(name)
    return find_file(name, name)
  end
  package.searchers[4] = function(name)
    local root = match(name, "^([^.]*)%.")
    return root and find_file(name, root)
  end
  package.loadlib = function(file)
    return nil, refusal(file), "absent"
  end
end

-- As `lua` sets it: the script at 0, what comes before it on the command line below.
local function set_arguments()
  local was, new = arg or {}, {}
  for at = first_word, #words do
    new[at - script_at] = words[at]
  end
  for at, word in pairs(was) do
    if at < 0 then
      new[at] = word
    end
  end
  arg = new
  return { unpack(words, script_at + 1) }
end

-- The message of an error, and whether a traceback goes with it: as `lua` has it.
local function describe(problem)
  if type(problem) == "string" or type(problem) == "number" then
    return tostring(problem), true
  end
  local metatable = getmetatable(problem)
  if type(metatable) == "table" and metatable.__tostring then
    local text = tostring(problem)
    if type(text) == "string" then
      return text, false
    end
  end
  return "(error object is a " .. type(problem) .. " value)", true
end

local snapshot = load_module()
local take, incr, write_report = snapshot.snapshot, snapshot.incr, snapshot.report
local save, free = snapshot.save, snapshot.free
printable = snapshot.printable or printable
local arm, settle, disarm = signals.arm, signals.settle, signals.disarm
local arguments = set_arguments()
if no_c_modules ~= "" then
  refuse_c_modules()
end

local chunk, problem
if script == "-" then
  chunk, problem = loadfile()
else
  chunk, problem = loadfile(script)
end
if not chunk then
  fail(problem)
end

local before
local done = false

-- Twice: the first lets finalizers run, the second takes what they let go. What they raise is
-- theirs.
local function clean_up()
  pcall(collect)
  pcall(collect)
end

local saved, all_written = 0, true
local how = {
  strings = not find(left_out, "strings"),
  names = not find(left_out, "names"),
  sync = true,
}

local function save_or_complain(taken, path)
  pcall(flush, stdout) -- the snapshot may go there, too: behind what the script printed
  local done, why = pcall(save, taken, path, how)
  if not done then
    all_written = false
    complain(tostring(why))
  end
  return done
end

-- A snapshot in a file of its own, the next of many.
local function save_next(taken)
  saved = saved + 1
  save_or_complain(taken, format("%s%04d.luasnap", save_as, saved))
end

-- Saves a snapshot every so many seconds while the main thread runs Lua code. What LuaJIT has compiled
-- calls no hooks.
local function save_often()
  if jit then
    jit.off()
    jit.flush()
  end
  local next_time = time() + seconds
  sethook(function()
    if time() >= next_time then
      local taken = take()
      save_next(taken)
      free(taken)
      next_time = time() + seconds
    end
  end, "", 5000)
end

local function save_last(taken)
  if seconds then
    sethook()
    save_next(taken)
  elseif save_to ~= "" and save_or_complain(taken, save_to) and warning ~= "" then
    complain(warning)
  end
end

-- `EPIPE`: a reader that has seen enough is no failure.
local BROKEN_PIPE = 32

local function report(after)
  local text = write_report(incr(before, after), { language = language })
  local written, why, code = write(report_file, "\n", title, "\n", text)
  if written then
    written, why, code = flush(report_file)
  end
  if not written and code ~= BROKEN_PIPE then
    error(why, 0)
  end
end

local reporting = false

local function report_once()
  if done then
    return
  end
  reporting = true
  if settle then
    settle() -- what is written now is written to its end
  end
  clean_up() -- before `done`: a finalizer may call os.exit
  done = true
  local taken, after = pcall(take)
  if not taken then
    all_written = save_to == "" and not seconds
    complain_that(no_snapshot, after)
    return
  end
  save_last(after)
  if quiet or not before then
    return
  end
  local reported, why = pcall(report, after)
  if not reported then
    all_written = false
    complain_that(no_report, why)
  end
end

-- Ends the process: by the code of the signal that came, if one did. The handlers are gone before the
-- state is, which they look into.
local function leave(...)
  local signal = disarm and disarm()
  if signal then
    return exit(128 + signal, true)
  end
  return exit(...)
end

-- A signal came: called as a hook, wherever the script is, so that nothing can catch it.
local function interrupted(signal)
  if reporting then
    return -- that goes on to its end
  end
  report_once()
  leave(128 + signal, true)
end

-- From now on signals come to us. In PUC Lua each coroutine has a hook of its own, so it has to be known
-- which one runs.
local function take_signals()
  if not arm then
    return
  end
  coroutine.resume = signals.resume or coroutine.resume
  coroutine.wrap = signals.wrap or coroutine.wrap
  arm(interrupted)
end

local own_levels

local function run()
  local _, levels = gsub(traceback("", 1), "\n\t", "")
  own_levels = levels
  chunk(unpack(arguments)) -- no tail call, which would take this level away
end

-- Cuts our own levels off the end of a traceback, where `lua` has one of its own in C.
local function explain(problem)
  local message, traced = describe(problem)
  if not traced then
    return message
  end
  local text = traceback(message, 2)
  local start = #message + 1
  local _, levels = gsub(sub(text, start), "\n\t", "")
  for _ = 1, levels - own_levels do
    start = find(text, "\n\t", start + 1, true)
  end
  start = find(text, "\n\t", start + 1, true)
  text = gsub(sub(text, 1, start - 1), "in %a+ 'chunk'$", "in main chunk")
  return text .. "\n\t[C]: in ?"
end

local function is_exit_code(code)
  local kind = type(code)
  return kind == "nil" or kind == "number" or kind == "string" and tonumber(code) ~= nil
    or kind == "boolean" and (_VERSION ~= "Lua 5.1" or jit ~= nil)
end

function os.exit(...)
  if not is_exit_code((...)) then
    local problem = "bad argument #1 to 'exit' (number expected, got " .. type((...)) .. ")"
    error(problem, 2)
  end
  report_once()
  leave(...)
end

local is_silent = quiet and save_to == "" and not seconds
take_signals() -- before anything is compared
if is_silent then
  done = true
elseif not quiet then
  clean_up()
  before = take()
end
if seconds then
  save_often()
end
local succeeded, message = xpcall(run, explain)
if not succeeded then
  complain(tostring(message))
end
report_once()
local signal = disarm and disarm()
if signal then
  exit(128 + signal, true)
elseif not succeeded then
  exit(1, true)
elseif not all_written then
  exit(125, true)
end
