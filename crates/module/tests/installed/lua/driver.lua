-- Runs script.lua in a program that is no interpreter, where print is the program's own affair.
local file = assert(io.open "script.lua")
local source = file:read "*a"
file:close()

local print = print
rawset(_G, "print", function(...)
  local words = { ... }
  for i = 1, select("#", ...) do words[i] = tostring(words[i]) end
  io.stdout:write(table.concat(words, "\t"), "\n")
end)
local script = assert((loadstring or load)(source, "@script.lua"))
local ok, message = xpcall(script, debug.traceback)
io.stdout:flush()
rawset(_G, "print", print)
return ok or message
