//! Programs with a LuaJIT of their own, whose references have 32 bits.

use super::OPTIONS;
use crate::heaps::{SCRIPT, check_heap, only};
use crate::target::Target;
use luasnap_capture::process::attach;
use std::process::Command;

#[track_caller]
fn check(program: &str, layout: &str) {
    let mut command = Command::new(program);
    command.arg("script.lua");
    let target = Target::start_command(command, SCRIPT);
    for _ in 0..5 {
        let (state, heap) = only(attach(target.id(), OPTIONS).unwrap());
        assert_eq!(state.vm.family(), "LuaJIT");
        assert!(state.layout.contains(layout), "{}", state.layout);
        check_heap(heap);
    }
}

#[test]
#[ignore = "needs Debian's tarantool"]
fn tarantool() {
    check("tarantool", "Tarantool's LuaJIT");
}

#[test]
#[ignore = "needs Debian's texlive-binaries"]
fn texluajit() {
    check("texluajit", "LuaJIT 2.1 of 2016-05 to 2019-01 without GC64");
}
