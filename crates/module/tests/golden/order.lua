-- What we print stays in order with what Lua prints, also on a pipe.
local snapshot = require "snapshot"
local s = snapshot.snapshot({}, "root")
print "1"
snapshot.print(s)
io.write "2 "
snapshot.print_json(s)
io.write "3\n"
snapshot.print_jsonfmt(s)
print "4"
io.stdout:write "5\n"
io.stdout:flush() -- a file is another way to the same place
snapshot.to_file(s, "/dev/stdout")
print "6"
