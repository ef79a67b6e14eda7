//! Runs the commands of a document.

use crate::cargo::{cargo, target};
use crate::process;
use crate::sources::workspace;
use anyhow::{Context, Result, ensure};
use std::ffi::OsString;
use std::io::{Read, Seek};
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::{env, fs};
use tempfile::TempDir;

/// The folder of programs in each scratch folder: hidden, so that `ls` does not show it.
const BIN: &str = ".bin";
/// The replacement for the scratch folder's path in the output.
const SOMEWHERE: &str = "/tmp/example";

/// The programs that the commands need.
pub struct Programs {
    luasnap: PathBuf,
    module: PathBuf,
}

impl Programs {
    /// Builds them.
    pub fn build() -> Result<Programs> {
        let mut command = cargo();
        command.args(["build", "--release", "--locked"]);
        command.args(["--package", "luasnap", "--package", "snapshot"]);
        process::output(&mut command)?;
        Programs::of(&target().join("release"))
    }

    /// Uses the programs in this folder.
    pub fn of(folder: &Path) -> Result<Programs> {
        let path = |name| {
            let path = folder.join(name);
            let path = path.canonicalize();
            path.with_context(|| format!("there is no {name} in {}", folder.display()))
        };
        Ok(Programs {
            luasnap: path("luasnap")?,
            module: path("libsnapshot.so")?,
        })
    }
}

/// A folder in which the examples of a document run.
pub struct Scratch {
    folder: TempDir,
}

impl Scratch {
    /// Creates one, with a copy of the repository's examples.
    pub fn new(programs: &Programs) -> Result<Scratch> {
        let folder = tempfile::tempdir().context("cannot make a temporary folder")?;
        let root = folder.path();
        copy(&workspace().join("examples"), &root.join("examples"))?;
        let bin = root.join(BIN);
        fs::create_dir(&bin).context("cannot make a folder")?;
        symlink(&programs.luasnap, bin.join("luasnap")).context("cannot link luasnap")?;
        symlink(&programs.module, bin.join("snapshot.so")).context("cannot link the module")?;
        Ok(Scratch { folder })
    }

    /// Runs a command and returns its output, with standard error interleaved. The command must
    /// succeed.
    pub fn run(&self, command: &str) -> Result<String> {
        let root = self.folder.path();
        let mut path = OsString::from(root.join(BIN));
        path.push(":");
        path.push(env::var_os("PATH").unwrap_or_default());
        let mut output = tempfile::tempfile().context("cannot make a temporary file")?;
        let status = Command::new("sh")
            .args(["-c", command])
            .current_dir(root)
            .env_clear()
            .env("PATH", path)
            .env("HOME", root)
            // Not an absolute path: that would be in the heap, with the length of the folder's
            // name.
            .env("LUA_CPATH", format!("./{BIN}/?.so"))
            .env("TZ", "UTC")
            .env("LC_ALL", "C.UTF-8")
            .env("NO_COLOR", "1")
            .env("COLUMNS", "100")
            .stdin(Stdio::null())
            .stdout(output.try_clone().context("cannot share a file")?)
            .stderr(output.try_clone().context("cannot share a file")?)
            .status()
            .context("cannot run sh")?;
        output.rewind().context("cannot read a temporary file")?;
        let mut text = String::new();
        let read = output.read_to_string(&mut text);
        read.with_context(|| format!("cannot read what `{command}` wrote"))?;
        ensure!(status.success(), "`{command}` failed ({status}):\n{text}");
        Ok(text.replace(&*root.to_string_lossy(), SOMEWHERE))
    }

    /// Creates a file in the folder.
    pub fn write(&self, name: &str, text: &str) -> Result<()> {
        let path = self.folder.path().join(name);
        fs::write(path, text).with_context(|| format!("cannot write {name}"))
    }

    /// Runs a Lua script, which stays in the folder, and returns its output.
    pub fn run_script(&self, name: &str, code: &str) -> Result<String> {
        self.write(name, code)?;
        self.run(&format!("luasnap run --quiet {name}"))
    }
}

/// Copies a folder with all its contents.
fn copy(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir(to).with_context(|| format!("cannot make the folder {}", to.display()))?;
    let entries = fs::read_dir(from);
    for entry in entries.with_context(|| format!("cannot list {}", from.display()))? {
        let entry = entry?;
        let target = to.join(entry.file_name());
        if entry.file_type()?.is_dir() {
            copy(&entry.path(), &target)?;
        } else {
            let copied = fs::copy(entry.path(), &target);
            copied.with_context(|| format!("cannot copy {}", entry.path().display()))?;
        }
    }
    Ok(())
}
