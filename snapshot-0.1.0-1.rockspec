rockspec_format = "3.0"
package = "snapshot"
version = "0.1.0-1"
source = {
   url = "git+https://github.com/lua-snapshot/lua-snapshot.git",
   tag = "v0.1.0",
}
description = {
   summary = "Heap snapshots: what grew in a Lua program, and who holds it",
   detailed = [[
      Takes snapshots of a Lua program's heap, compares them, and shows what grew,
      by which chain of references it is held, as text or JSON.
      One file for Lua 5.1 to 5.5 and LuaJIT. Needs Rust and a C compiler to build.
   ]],
   license = "MIT",
}
dependencies = { "lua >= 5.1, < 5.6" }
build = {
   type = "command",
   build_command = "cargo build --release --locked --package snapshot --target-dir target"
      .. " && cp target/release/libsnapshot.so target/release/snapshot.so",
   install = { lib = { snapshot = "target/release/snapshot.so" } },
}
