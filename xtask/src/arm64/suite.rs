//! The tests of the crates, built for the other machine.

use super::tools::{LUAS, TARGET, Tools};
use crate::process;
use anyhow::Result;

/// Leaves out the hosts that these tests do not run in (hosts/build.rs).
const ONLY_CURRENT: &str = "LUASNAP_HOSTS_ONLY_CURRENT";

/// Tests of what the emulator refuses: a process of whose end no signal tells.
const NOT_EMULATED: [&str; 2] = ["--skip", "background"];

/// The tests of the module in programs that are installed: those in the interpreters.
pub fn in_installed_luas(tools: &Tools) -> Result<()> {
    let names = LUAS.map(|lua| lua.replace('.', ""));
    let mut command = tools.cargo();
    command.env(ONLY_CURRENT, "1");
    command.args(["test", "--locked", "--target", TARGET]);
    command.args(["--package", "snapshot", "--test", "installed"]);
    command.args(["--", "--ignored"]).args(&names);
    command.args(NOT_EMULATED);
    process::show(&mut command)
}

/// Some of the tests in the hosts: in those Luas that Debian has not (5.5, and a LuaJIT of today) every byte accounted for,
/// golden output, coroutines; and what is read of stacks in each.
pub fn sample(tools: &Tools) -> Result<()> {
    let mut command = tools.cargo();
    command.env(ONLY_CURRENT, "1");
    command.args(["test", "--locked", "--target", TARGET]);
    command.args(["--package", "snapshot", "--test", "suite", "--"]);
    for name in ["exact", "text", "coroutines", "threads"] {
        command.args(["lua55", "luajit"].map(|vm| format!("{name}::{vm}")));
    }
    process::show(command.arg("varargs::"))
}

/// All tests that can run.
pub fn all(tools: &Tools) -> Result<()> {
    let mut command = tools.cargo();
    command.args(["test", "--locked", "--target", TARGET, "--no-fail-fast"]);
    command.args(["--package", "luasnap-heap", "--package", "luasnap-format"]);
    process::show(&mut command)?;
    let mut command = tools.cargo();
    command.args(["test", "--locked", "--target", TARGET, "--no-fail-fast"]);
    command.args(["--package", "luasnap-capture", "--lib", "--"]);
    // The emulator has no ptrace and no page map.
    command.args(["--skip", "process::"]);
    process::show(&mut command)?;
    let mut command = tools.cargo();
    command.args(["test", "--locked", "--target", TARGET, "--no-fail-fast"]);
    command.args([
        "--package",
        "snapshot",
        "--test",
        "suite",
        "--test",
        "agreement",
        "--",
    ]);
    process::show(command.args(NOT_EMULATED))
}
