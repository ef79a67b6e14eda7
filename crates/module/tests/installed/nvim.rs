//! Neovim.

use crate::process::{Process, Ran};
use crate::program::{directory, read, tests};
use std::path::Path;
use std::process::Command;

const RUN: &str = "lua \
    local ok = dofile 'driver.lua' \
    if ok ~= true then io.stderr:write(ok) vim.cmd 'cquit 1' end";

/// Runs `driver.lua`, which reports on standard error and by the exit code what went wrong.
pub fn run(engine: &str, folder: &Path) -> Ran {
    let mut command = Command::new("nvim");
    command
        .args(["--headless", "-u", "NONE", "-i", "NONE", "-n"])
        .args(["-c", RUN])
        .args(["-c", "qall!"])
        .current_dir(folder)
        .env("HOME", folder);
    for name in ["CONFIG", "DATA", "STATE", "CACHE"] {
        command.env(format!("XDG_{name}_HOME"), folder);
    }
    Process::start(command, "neovim", engine).wait()
}

#[test]
#[ignore = "needs neovim"]
fn what_callbacks_hold_is_found() {
    let source = read(&tests().join("installed/lua/nvim.lua"));
    let printed = crate::program::Program::Nvim.run(directory().path(), &source);
    assert_eq!(printed, "");
}
