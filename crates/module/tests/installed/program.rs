//! The programs, and how a script is run in each.

use crate::process::{Process, Ran};
use crate::{nginx, nvim, prosody};
use luasnap_hosts::module_dir;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use tempfile::TempDir;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Program {
    Lua51,
    Lua52,
    Lua53,
    Lua54,
    LuaJit,
    Tarantool,
    Nvim,
    Nginx,
    Prosody,
}

impl Program {
    /// Whether its Lua has the API of 5.1.
    pub fn is_51(self) -> bool {
        use Program::{Lua51, LuaJit, Nginx, Nvim, Tarantool};
        matches!(self, Lua51 | LuaJit | Tarantool | Nvim | Nginx)
    }

    /// Runs `source` as `script.lua`, in `folder`, and returns what it printed.
    #[track_caller]
    pub fn run(self, folder: &Path, source: &str) -> String {
        self.run_by("", folder, source)
    }

    /// Does the same with one engine.
    #[track_caller]
    pub fn run_by(self, engine: &str, folder: &Path, source: &str) -> String {
        fs::write(folder.join("script.lua"), source).expect("the script is written");
        let ran = match self {
            Program::Lua51 => interpreter("lua5.1", engine, folder),
            Program::Lua52 => interpreter("lua5.2", engine, folder),
            Program::Lua53 => interpreter("lua5.3", engine, folder),
            Program::Lua54 => interpreter("lua5.4", engine, folder),
            Program::LuaJit => interpreter("luajit", engine, folder),
            Program::Tarantool => interpreter("tarantool", engine, folder),
            Program::Nvim => nvim::run(engine, folder),
            Program::Nginx => nginx::run(engine, folder),
            Program::Prosody => prosody::run(engine, folder),
        };
        assert!(ran.status.success() && ran.stderr.is_empty(), "{ran}");
        ran.stdout
    }
}

fn interpreter(name: &str, engine: &str, folder: &Path) -> Ran {
    let mut command = Command::new(name);
    command.current_dir(folder).arg("script.lua");
    // apt cannot install Debian's LuaJIT next to nginx's, but it needs no libraries:
    let package = match name {
        "luajit" => "luajit (beside nginx's: apt-get download luajit; dpkg -x luajit_*.deb DIR)",
        _ => name,
    };
    Process::start(command, package, engine).wait()
}

/// The engines, by their names in `LUASNAP_ENGINE`.
pub const ENGINES: [&str; 2] = ["native", "portable"];

/// The pattern by which `require` finds the module that cargo built for this run: next to the test.
pub fn cpath() -> String {
    let test = std::env::current_exe().expect("the test's own path");
    let library = test.with_file_name("libsnapshot.so");
    format!("{}/?.so;;", module_dir(&library).display())
}

/// The folder with the tests and their scripts.
pub fn tests() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests")
}

pub fn read(path: &Path) -> String {
    fs::read_to_string(path).unwrap_or_else(|error| panic!("{}: {error}", path.display()))
}

/// Returns a fresh directory to run in, with `driver.lua`, which runs `script.lua` in a program
/// that is not an interpreter.
pub fn directory() -> TempDir {
    let folder = tempfile::tempdir().expect("a temporary directory");
    let driver = tests().join("installed/lua/driver.lua");
    fs::copy(driver, folder.path().join("driver.lua")).expect("a copy of driver.lua");
    folder
}
