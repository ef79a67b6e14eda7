//! Core files of emulated Luas, read by the luasnap of this machine and by that of the other one.

use super::luasnap::{emulated, native};
use super::tools::{LUAS, Tools};
use crate::process;
use anyhow::{Context, Result, bail, ensure};
use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;
use serde_json::Value;
use std::fs;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// What the Luas run until they get a signal. A C function (`gsub`) lies above the frame whose local variable holds the
/// sessions, so that their path tells whether frames on the machine stack were read.
const SCRIPT: &str = include_str!("held.lua");
/// How many sessions there are, and the local variable that holds them.
const SESSIONS: u64 = 1000;
const HOLDER: &str = ".[held:held.lua].";

/// Checks that the core file of each Lua has every byte accounted for, and what the script held.
pub fn check(tools: &Tools) -> Result<()> {
    for lua in LUAS {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let core = core_of(tools, lua, folder.path())?;
        let here = read(&mut native(), &core)?;
        check_answer(&here).with_context(|| format!("{lua}: {here:#}"))?;
        let there = read(&mut emulated(tools), &core)?;
        ensure!(
            here == there,
            "{lua}: luasnap on AArch64 says {there:#}, and here {here:#}"
        );
        // As a test says it: `cargo xtask supported` reads it.
        println!("test core_file::{lua} ... ok");
    }
    Ok(())
}

/// The path of a core file of an emulated Lua that runs the script.
fn core_of(tools: &Tools, lua: &str, folder: &Path) -> Result<PathBuf> {
    fs::write(folder.join("held.lua"), SCRIPT).context("cannot write a script")?;
    // The emulator writes the core file, of the emulated process.
    let mut child = Command::new("sh")
        .args(["-c", "ulimit -c $(ulimit -H -c); exec \"$0\" held.lua"])
        .arg(tools.lua(lua))
        .current_dir(folder)
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .with_context(|| format!("cannot start {lua}"))?;
    let mut said = String::new();
    let stdout = child.stdout.take().context("no pipe")?;
    BufReader::new(stdout)
        .read_line(&mut said)
        .context("cannot read what it says")?;
    ensure!(said == "ready\n", "{lua} did not start: {said}");
    kill(Pid::from_raw(child.id() as i32), Signal::SIGSEGV).context("cannot send a signal")?;
    child.wait().context("cannot wait for a child")?;
    let entries = fs::read_dir(folder).context("cannot list a folder")?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let core = paths.find(|path| {
        path.extension()
            .is_some_and(|extension| extension == "core")
    });
    core.with_context(|| format!("the emulator left no core file of {lua}"))
}

/// What luasnap says of a core file.
fn read(luasnap: &mut Command, core: &Path) -> Result<Value> {
    let snapshot = core.with_extension("luasnap");
    luasnap
        .args(["core", "--json", "-o"])
        .arg(snapshot)
        .arg(core);
    let said = process::output(luasnap)?;
    serde_json::from_slice(&said).context("luasnap says no JSON")
}

/// Checks what was found.
fn check_answer(answer: &Value) -> Result<()> {
    let states = answer["states"].as_array().context("no states")?;
    let [state] = &states[..] else {
        bail!("it had one state");
    };
    ensure!(state["unaccounted"] == 0, "bytes are unaccounted for");
    let groups = answer["top"]["groups"].as_array().context("no groups")?;
    let sessions = groups
        .iter()
        .find(|group| group["name"] == "class _G.Session");
    let sessions = sessions.context("no sessions")?;
    ensure!(
        sessions["count"] == SESSIONS,
        "not as many sessions as there are"
    );
    let example = sessions["example"].as_str().context("no path")?;
    ensure!(example.contains(HOLDER), "not held by a local variable");
    Ok(())
}
