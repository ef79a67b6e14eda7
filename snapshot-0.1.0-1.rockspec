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
      by which path of references it is held, as text or JSON.
      One file for Lua 5.1 to 5.5 and LuaJIT. Needs Rust and a C compiler to build;
      rocks that need neither are at https://github.com/lua-snapshot/lua-snapshot/releases
   ]],
   license = "MIT",
}
dependencies = { "lua >= 5.1, < 5.6" }
build = {
   type = "command",
   build_command = "command -v cargo >/dev/null || {"
      .. " echo 'snapshot: building needs Rust, and there is no cargo on the PATH. Rocks that are built already:"
      .. " https://github.com/lua-snapshot/lua-snapshot/releases' >&2; exit 1; }; "
      .. "cargo build --release --locked --package snapshot --target-dir target"
      .. " && cp target/release/libsnapshot.so target/release/snapshot.so",
   install = { lib = { snapshot = "target/release/snapshot.so" } },
}
