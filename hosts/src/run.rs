//! Running a script in a host, and what came of it.

use std::ffi::OsString;
use std::fmt;
use std::fs;
use std::path::PathBuf;
use std::process::{Command, ExitStatus};

use crate::Host;

/// How a script is run. By default: no C modules, no arguments, a directory of its own.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// Where `require` looks for C modules (`DIR/?.so`), and nowhere else: see
    /// [`module_dir`](crate::module_dir).
    pub module_dir: Option<PathBuf>,
    /// The arguments of the script.
    pub args: Vec<OsString>,
    /// Environment variables.
    pub env: Vec<(&'static str, OsString)>,
    /// The directory to run in, which the script is written to. By default a fresh one, gone
    /// afterwards.
    pub dir: Option<PathBuf>,
}

impl Options {
    /// Nothing but a directory of C modules.
    pub fn modules(dir: impl Into<PathBuf>) -> Options {
        Options {
            module_dir: Some(dir.into()),
            ..Options::default()
        }
    }
}

/// What a run left behind.
#[derive(Clone, Debug)]
pub struct Run {
    /// How the process ended.
    pub status: ExitStatus,
    /// What it wrote to standard output.
    pub stdout: Vec<u8>,
    /// What it wrote to standard error.
    pub stderr: Vec<u8>,
}

/// Status and both outputs: the message of a failed assertion.
impl fmt::Display for Run {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (out, err) = (&self.stdout, &self.stderr);
        writeln!(f, "{}\n--- stdout", self.status)?;
        writeln!(f, "{}\n--- stderr", String::from_utf8_lossy(out))?;
        f.write_str(&String::from_utf8_lossy(err))
    }
}

impl Host {
    /// The command line up to the script, without the user's own settings for Lua.
    pub fn command(self) -> Command {
        let mut command = Command::new(match self {
            Host::Plain(vm) => vm.interpreter(),
            Host::Checked(vm) => vm.checked_interpreter(),
            Host::Older(release) => crate::program_of(&crate::OLDER, release),
            Host::Changed(name) => crate::program_of(&crate::CHANGED, name),
            Host::Silent => crate::silent(),
            Host::Unknown => crate::unknown(),
            Host::Local(_) | Host::Pair(..) => crate::local(),
        });
        if let Host::Local(vm) | Host::Pair(vm, _) = self {
            command.arg("--lib").arg(vm.shared_library());
        }
        if let Host::Pair(_, second) = self {
            command.arg("--lib").arg(second.shared_library());
        }
        for name in ["LUA_PATH", "LUA_CPATH"] {
            for version in ["", "_5_2", "_5_3", "_5_4", "_5_5"] {
                command.env_remove(format!("{name}{version}"));
            }
        }
        command
    }

    /// Runs the Lua source `script` here. Its chunk name is always `@script.lua`.
    ///
    /// # Panics
    /// When the host cannot be started; whatever the script does is in the result.
    pub fn run(self, script: &str, options: &Options) -> Run {
        let fresh = tempfile::tempdir().expect("a temporary directory");
        let dir = options.dir.as_deref().unwrap_or(fresh.path());
        fs::write(dir.join("script.lua"), script).expect("the script is written");

        let mut command = self.command();
        command
            .current_dir(dir)
            .arg("script.lua")
            .args(&options.args);
        if let Some(modules) = &options.module_dir {
            command.env("LUA_CPATH", modules.join("?.so"));
        }
        command.envs(options.env.iter().cloned());
        let output = command
            .output()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        Run {
            status: output.status,
            stdout: output.stdout,
            stderr: output.stderr,
        }
    }
}
