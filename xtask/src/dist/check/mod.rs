//! Trying what was made as its users would: in roots without our compilers, by the installers, and made once more elsewhere.

mod again;
mod install;
mod root;

use crate::arm64::tools::{LUAS, Tools};
use crate::cargo::target;
use crate::dist::archive;
use crate::dist::release::Release;
use crate::dist::system::{Libc, Machine, System};
use crate::dist::toolchain::Toolchain;
use crate::process;
use crate::sources::workspace;
use anyhow::{Context, Result, ensure};
use root::Root;
use std::fs;
use std::path::Path;
use std::process::Command;

pub use again::same_bytes;
pub use install::installs;

/// What runs in a root, and the program that it looks into.
const SCRIPT: &str = include_str!("try.sh");
const HELD: &str = include_str!("held.lua");
/// What an emulated Lua runs. Attaching is not emulated.
const REQUIRE: &str = "kept = {} local snapshot = require 'snapshot' \
    local s = snapshot.snapshot() print(snapshot.stats(s).engine, snapshot.path(s, kept))";

/// Unpacks a system's archive in clean roots of that system, and runs there what a user runs first.
pub fn in_clean_roots(
    system: System,
    files: &Path,
    toolchain: &Toolchain,
    release: &Release,
) -> Result<()> {
    let parent = target().join("dist-roots");
    fs::create_dir_all(&parent).context("cannot make a folder for roots")?;
    let is_here = system.machine == System::of_this_machine().machine;
    let emulated = if is_here {
        None
    } else {
        Some(Tools::prepare()?)
    };
    let emulator = emulated.as_ref().map(Tools::emulator);
    let root = match (system.libc, &emulated) {
        (Libc::Glibc, None) => Root::debian(&parent)?,
        (Libc::Glibc, Some(tools)) => Root::emulated(&tools.root(), &tools.emulator(), &LUAS),
        (Libc::Musl, _) => Root::musl(&parent, toolchain, system.machine, emulator.as_deref())?,
    };
    unpack(system, files, &root, release)?;
    match emulated {
        None => try_there(&root)?,
        Some(_) => try_emulated(&root)?,
    }
    // The static program runs where there is glibc, too.
    if system.libc == Libc::Musl && system.machine == Machine::X86_64 {
        let mut root = Root::debian(&parent)?;
        unpack(system, files, &root, release)?;
        root.luas.clear();
        try_there(&root)?;
    }
    Ok(())
}

/// Puts an archive's files and our scripts into `/try`.
fn unpack(system: System, files: &Path, root: &Root, release: &Release) -> Result<()> {
    let folder = root.empty("try")?;
    let archive = files.join(format!("{}.tar.gz", archive::name(system, release)));
    let mut tar = Command::new("tar");
    tar.arg("--extract")
        .arg("--file")
        .arg(&archive)
        .arg("--directory")
        .arg(&folder);
    process::output(tar.arg("--strip-components=1"))?;
    let write = |name: &str, text: &[u8]| {
        fs::write(folder.join(name), text).with_context(|| format!("cannot write {name}"))
    };
    write("try.sh", SCRIPT.as_bytes())?;
    write("held.lua", HELD.as_bytes())?;
    let leak = workspace().join("examples/leak.lua");
    write(
        "leak.lua",
        &fs::read(leak).context("cannot read the example")?,
    )?;
    match system.libc {
        Libc::Glibc => Ok(()),
        Libc::Musl => write("static", b""),
    }
}

/// Runs the script in a root.
fn try_there(root: &Root) -> Result<()> {
    let mut script = root.call("/bin/sh");
    process::output(script.arg("/try/try.sh").args(&root.luas))?;
    eprintln!(
        "   {}: luasnap; {}",
        root.folder.display(),
        root.luas.join(", ")
    );
    Ok(())
}

/// Runs what an emulator can run: the program, and the module in Luas.
fn try_emulated(root: &Root) -> Result<()> {
    let folder = root.folder.join("try");
    let prints = |mut command: Command, words: &str| {
        let printed = process::output(command.current_dir(&folder).env("LC_ALL", "C"))?;
        let printed = String::from_utf8_lossy(&printed);
        ensure!(
            printed.contains(words),
            "it does not print {words}: {printed}"
        );
        Ok(())
    };
    let mut run = root.call("/try/luasnap");
    run.args(["run", "leak.lua"]);
    prints(run, "_G.server.sessions").context("luasnap run, emulated")?;
    for lua in &root.luas {
        let path = ["bin", "usr/bin"].map(|folder| format!("{folder}/{lua}"));
        let program = path.iter().find(|path| root.folder.join(path).exists());
        let mut command = root.call(program.with_context(|| format!("there is no {lua}"))?);
        command
            .args(["-e", REQUIRE])
            .env("LUA_CPATH", folder.join("?.so"));
        prints(command, "native\t_G.kept")
            .with_context(|| format!("require in {lua}, emulated"))?;
    }
    eprintln!("   emulated: luasnap; {}", root.luas.join(", "));
    Ok(())
}
