//! Installing with pip, dpkg and LuaRocks on this machine, each into a folder.

use crate::dist::release::Release;
use crate::dist::system::System;
use crate::process;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

/// The Luas that a rock is installed for: the first and the last that Debian's LuaRocks knows.
const LUAS: [&str; 2] = ["5.1", "5.4"];
/// What runs in a Lua that has the module.
const REQUIRE: &str =
    "kept = {} local snapshot = require 'snapshot' print(snapshot.path(snapshot.snapshot(), kept))";
const PRINTED: &str = "_G.kept\n";

/// Installs the files of this machine, and runs what was installed.
pub fn installs(files: &Path, release: &Release) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let version = &release.version;
    let machine = System::of_this_machine().machine;
    let named = |start: &str, end: &str| find(files, start, end);
    by_pip(
        &named(
            &format!("luasnap-{version}-py3-none-manylinux"),
            &format!("{}.whl", machine.name()),
        )?,
        scratch.path(),
    )
    .context("the wheel")?;
    by_dpkg(
        &named("luasnap_", &format!("_{}.deb", machine.debian()))?,
        scratch.path(),
        machine.name(),
    )
    .context("the Debian package")?;
    let rock = named(
        &format!("snapshot-{version}"),
        &format!("linux-{}.rock", machine.name()),
    )?;
    for lua in LUAS {
        by_luarocks(&rock, scratch.path(), lua)
            .with_context(|| format!("the rock for Lua {lua}"))?;
    }
    if let Ok(source) = named(&format!("snapshot-{version}"), ".src.rock") {
        without_cargo(&source, scratch.path()).context("the source rock")?;
    }
    eprintln!("   installed by pip, dpkg and luarocks");
    Ok(())
}

/// The file whose name begins and ends so.
fn find(files: &Path, start: &str, end: &str) -> Result<PathBuf> {
    let entries =
        fs::read_dir(files).with_context(|| format!("cannot list {}", files.display()))?;
    let mut paths = entries.flatten().map(|entry| entry.path());
    let is_it = |path: &PathBuf| {
        let name = path.file_name().unwrap_or_default().to_string_lossy();
        name.starts_with(start) && name.ends_with(end)
    };
    paths
        .find(is_it)
        .with_context(|| format!("there is no {start}*{end}"))
}

/// pip, into an environment of its own; luasnap finds the module for `--lua` there.
fn by_pip(wheel: &Path, scratch: &Path) -> Result<()> {
    let venv = scratch.join("venv");
    process::output(Command::new("python3").args(["-m", "venv"]).arg(&venv))?;
    let mut pip = Command::new(venv.join("bin/pip"));
    pip.args([
        "--quiet",
        "--disable-pip-version-check",
        "install",
        "--no-index",
    ]);
    process::output(pip.arg(wheel))?;
    runs(&venv.join("bin/luasnap"), scratch)?;
    let mut pip = Command::new(venv.join("bin/pip"));
    process::output(pip.args(["--quiet", "uninstall", "--yes", "luasnap"]))?;
    ensure!(
        !venv.join("bin/luasnap").exists(),
        "pip leaves luasnap behind"
    );
    Ok(())
}

/// dpkg, into a root with nothing in it.
fn by_dpkg(package: &Path, scratch: &Path, machine: &str) -> Result<()> {
    let root = scratch.join("root");
    let database = root.join("var/lib/dpkg");
    for folder in ["info", "updates", "triggers"] {
        fs::create_dir_all(database.join(folder)).context("cannot make a root")?;
    }
    fs::write(database.join("status"), "").context("cannot make a root")?;
    let dpkg = || {
        let mut dpkg = Command::new("dpkg");
        dpkg.arg("--root").arg(&root);
        // The C library is that of this machine.
        dpkg.args(["--force-depends", "--force-not-root", "--log=/dev/null"]);
        dpkg
    };
    process::output(dpkg().arg("--install").arg(package))?;
    let changed = process::output(dpkg().args(["--verify", "luasnap"]))?;
    ensure!(
        changed.is_empty(),
        "dpkg --verify: {}",
        String::from_utf8_lossy(&changed)
    );
    runs(&root.join("usr/bin/luasnap"), scratch)?;
    for path in [
        "usr/share/man/man1/luasnap.1.gz",
        "usr/share/bash-completion/completions/luasnap",
        "usr/share/doc/luasnap/copyright",
    ] {
        ensure!(root.join(path).is_file(), "there is no {path}");
    }
    let link = root.join(format!("usr/lib/{machine}-linux-gnu/lua/5.4/snapshot.so"));
    let to = fs::read_link(&link).with_context(|| format!("there is no {}", link.display()))?;
    ensure!(
        root.join(to.strip_prefix("/")?).is_file(),
        "the link for Lua 5.4 leads nowhere"
    );
    process::output(dpkg().args(["--purge", "luasnap"]))?;
    ensure!(
        !root.join("usr/bin/luasnap").exists(),
        "dpkg leaves luasnap behind"
    );
    Ok(())
}

/// Runs a script in luasnap's own Lua and in an installed one.
fn runs(luasnap: &Path, scratch: &Path) -> Result<()> {
    let script = scratch.join("kept.lua");
    fs::write(&script, REQUIRE).context("cannot write a script")?;
    for lua in [None, Some("lua5.1"), Some("lua5.4")] {
        let mut run = Command::new(luasnap);
        run.args(["run", "--quiet"]);
        if let Some(lua) = lua {
            run.args(["--lua", lua]);
        }
        let printed = process::output(run.arg(&script).current_dir("/"))?;
        ensure!(
            printed == PRINTED.as_bytes(),
            "{lua:?}: {}",
            String::from_utf8_lossy(&printed)
        );
    }
    Ok(())
}

/// A call of luarocks for a Lua and a tree, with no Rust on its PATH.
fn luarocks(lua: &str, tree: &Path) -> Command {
    let mut luarocks = Command::new("luarocks");
    luarocks.args(["--lua-version", lua, "--tree"]).arg(tree);
    luarocks
        .env("PATH", "/usr/local/bin:/usr/bin:/bin")
        .current_dir("/");
    luarocks
}

/// LuaRocks, from the binary rock.
fn by_luarocks(rock: &Path, scratch: &Path, lua: &str) -> Result<()> {
    let tree = scratch.join(format!("rocks-{lua}"));
    process::output(
        luarocks(lua, &tree)
            .args(["install", "--deps-mode=none"])
            .arg(rock),
    )?;
    let mut require = Command::new(format!("lua{lua}"));
    require.env("LUA_CPATH", tree.join(format!("lib/lua/{lua}/?.so")));
    let printed = process::output(require.args(["-e", REQUIRE]))?;
    ensure!(
        printed == PRINTED.as_bytes(),
        "it prints {}",
        String::from_utf8_lossy(&printed)
    );
    Ok(())
}

/// The source rock where there is no cargo: its error says where the prebuilt ones are.
fn without_cargo(rock: &Path, scratch: &Path) -> Result<()> {
    let tree = scratch.join("rocks-source");
    let output = luarocks(LUAS[1], &tree)
        .args(["install", "--deps-mode=none"])
        .arg(rock)
        .output();
    let output = output.context("cannot run luarocks")?;
    let said = String::from_utf8_lossy(&output.stderr);
    let said = format!("{}{said}", String::from_utf8_lossy(&output.stdout));
    ensure!(
        !output.status.success(),
        "it was built without cargo: {said}"
    );
    ensure!(
        said.contains("/releases"),
        "it does not say where prebuilt ones are: {said}"
    );
    Ok(())
}
