//! Calling the program.

pub mod golden;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use tempfile::TempDir;

pub const LUASNAP: &str = env!("CARGO_BIN_EXE_luasnap");

/// The Lua module that cargo has built for these tests.
pub fn module() -> PathBuf {
    Path::new(LUASNAP)
        .with_file_name("deps")
        .join("libsnapshot.so")
}

/// A folder with a script, and options for `luasnap run`.
pub struct Program {
    folder: TempDir,
    options: Vec<String>,
    stdin: String,
}

/// The outcome of a run.
#[derive(Debug)]
pub struct Ran {
    pub code: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

impl Program {
    pub fn new(source: &str) -> Program {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("script.lua"), source).unwrap();
        Program {
            folder,
            options: Vec::new(),
            stdin: String::new(),
        }
    }

    /// Adds an option of `luasnap run`.
    pub fn option(mut self, option: impl Into<String>) -> Program {
        self.options.push(option.into());
        self
    }

    pub fn interpreter(self, path: &Path) -> Program {
        self.option("--lua").option(path.to_str().unwrap())
    }

    pub fn stdin(mut self, text: &str) -> Program {
        self.stdin = text.to_owned();
        self
    }

    pub fn folder(&self) -> PathBuf {
        self.folder.path().to_owned()
    }

    /// Runs the script with arguments.
    pub fn run(&self, arguments: &[&str]) -> Ran {
        self.call(&[&["script.lua"], arguments].concat())
    }

    /// Runs `luasnap run` with the options and the given words.
    pub fn call(&self, words: &[&str]) -> Ran {
        let mut command = luasnap(&self.folder());
        command.arg("run").args(&self.options).args(words);
        output(command, &self.stdin)
    }
}

/// `luasnap` without the user's own settings for Lua.
pub fn luasnap(folder: &Path) -> Command {
    let mut command = Command::new(LUASNAP);
    command
        .current_dir(folder)
        .env_remove("LUASNAP_MODULE")
        .env_remove("LUA_INIT");
    for name in ["LUA_PATH", "LUA_CPATH"] {
        for version in ["", "_5_2", "_5_3", "_5_4", "_5_5"] {
            command.env_remove(format!("{name}{version}"));
        }
    }
    command
}

/// Runs a command with this standard input.
pub fn output(mut command: Command, stdin: &str) -> Ran {
    let piped = command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let mut child = piped.spawn().unwrap();
    // A program that does not read it may have ended already.
    let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
    child.wait_with_output().unwrap().into()
}

impl From<Output> for Ran {
    fn from(output: Output) -> Ran {
        Ran {
            code: output.status.code(),
            stdout: String::from_utf8(output.stdout).unwrap(),
            stderr: String::from_utf8(output.stderr).unwrap(),
        }
    }
}
