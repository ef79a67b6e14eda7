//! Neovim, which runs only the script.

use super::OPTIONS;
use crate::heaps::{SCRIPT, check_heap, only};
use crate::target::Target;
use luasnap_capture::process::attach;
use std::process::Command;

#[test]
#[ignore = "needs neovim"]
fn what_a_script_holds() {
    let mut command = Command::new("nvim");
    command
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n"])
        .args(["-c", "lua dofile 'script.lua'"]);
    let target = Target::start_command(command, SCRIPT);
    for _ in 0..5 {
        let (state, heap) = only(attach(target.id(), OPTIONS).unwrap());
        assert_eq!(state.vm.family(), "LuaJIT");
        check_heap(heap);
    }
}
