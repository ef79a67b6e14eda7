//! The module in programs from Debian: the interpreters, and four programs that embed Lua.
//!
//! `cargo test --workspace -- --ignored` runs them; `.ci/run` installs what they need.

mod background;
mod engine;
mod frameworks;
mod golden;
mod nginx;
mod normal;
mod nvim;
mod process;
mod program;
mod prosody;
mod recipes;
mod state;

/// A test for each program: `each_program!(check)` makes `lua51` to `prosody`, which call `check`
/// with the [`program::Program`].
#[macro_export]
macro_rules! each_program {
    ($check:path) => {
        $crate::each_program! { @ $check;
            lua51 Lua51 "needs lua5.1",
            lua52 Lua52 "needs lua5.2",
            lua53 Lua53 "needs lua5.3",
            lua54 Lua54 "needs lua5.4",
            luajit LuaJit "needs luajit",
            tarantool Tarantool "needs tarantool",
            nvim Nvim "needs neovim",
            nginx Nginx "needs nginx and libnginx-mod-http-lua",
            prosody Prosody "needs prosody",
        }
    };
    (@ $check:path; $($test:ident $program:ident $needs:literal,)*) => {
        $(#[test]
        #[ignore = $needs]
        fn $test() {
            $check($crate::program::Program::$program);
        })*
    };
}
