//! Debian's interpreters, which have no symbols, and programs that embed Lua.
//!
//! `cargo test --workspace -- --ignored` runs them; `.ci/run` installs what they need.

mod bam;
mod haproxy;
mod jit_forks;
mod nginx;
mod nvim;
mod prosody;
mod redis;

use crate::heaps::{SCRIPT, check_heap, only};
use crate::target::Target;
use luasnap_capture::process::{AttachOptions, attach, lua_states};
use std::process::Command;

/// Enough attempts for a VM that is always in the middle of something.
const OPTIONS: AttachOptions = AttachOptions {
    tries: 50,
    state: None,
    scratch: None,
};

#[track_caller]
fn check_interpreter(program: &str, family: &str) {
    let mut command = Command::new(program);
    command.arg("script.lua");
    let target = Target::start_command(command, SCRIPT);
    let [state] = &lua_states(target.id()).unwrap()[..] else {
        panic!("{program} has several states");
    };
    assert_eq!(state.name.as_deref(), Some("script.lua"));
    for _ in 0..10 {
        let (state, heap) = only(attach(target.id(), OPTIONS).unwrap());
        assert_eq!(state.vm.family(), family);
        assert_eq!(state.script.as_deref(), Some("script.lua"));
        check_heap(heap);
    }
}

macro_rules! interpreters {
    ($($test:ident $program:literal $family:literal,)*) => {
        $(#[test]
        #[ignore = "needs Debian's Luas"]
        fn $test() {
            check_interpreter($program, $family);
        })*
    };
}
interpreters! {
    lua51 "lua5.1" "Lua 5.1",
    lua52 "lua5.2" "Lua 5.2",
    lua53 "lua5.3" "Lua 5.3",
    lua54 "lua5.4" "Lua 5.4",
    luajit "luajit" "LuaJIT",
}
