//! luasnap on this machine, and on the other one.

use super::tools::{TARGET, Tools};
use crate::cargo::cargo;
use crate::process;
use anyhow::{Context, Result, ensure};
use std::process::Command;

/// A script whose report is the same everywhere, below this head of a table.
const SCRIPT: &str = "examples/leak.lua";
const HEAD: &str = "held by";

/// luasnap on this machine.
pub fn native() -> Command {
    let mut command = cargo();
    command.args(["run", "--quiet", "--locked", "--package", "luasnap", "--"]);
    command
}

/// luasnap on the other one.
pub fn emulated(tools: &Tools) -> Command {
    let mut command = tools.cargo();
    command.args(["run", "--quiet", "--locked", "--target", TARGET]);
    command.args(["--package", "luasnap", "--"]);
    command
}

/// Checks that a script in luasnap's own Lua leaves the same objects on both machines, byte for byte.
pub fn check(tools: &Tools) -> Result<()> {
    let rows = |mut luasnap: Command| {
        luasnap.args(["run", SCRIPT]).env("LC_ALL", "C.UTF-8");
        let report = String::from_utf8(process::output(&mut luasnap)?)?;
        let rows = report.split_once(HEAD).map(|(_, rows)| rows.to_owned());
        rows.with_context(|| format!("luasnap reports no objects: {report}"))
    };
    let (here, there) = (rows(native())?, rows(emulated(tools))?);
    ensure!(here == there, "on AArch64:{there}\nhere:{here}");
    Ok(())
}
