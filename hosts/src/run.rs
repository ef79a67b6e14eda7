//! Options and result of running a script in a host.

use std::ffi::OsString;
use std::fmt;
use std::path::PathBuf;
use std::process::ExitStatus;

/// How a script is run. By default: no C modules, no arguments, a directory of its own.
#[derive(Clone, Debug, Default)]
pub struct Options {
    /// The only directory where `require` looks for C modules (`DIR/?.so`): see
    /// [`module_dir`](crate::module_dir).
    pub module_dir: Option<PathBuf>,
    /// The arguments of the script.
    pub args: Vec<OsString>,
    /// Environment variables.
    pub env: Vec<(&'static str, OsString)>,
    /// The directory to run in, which the script is written to. By default a fresh one, deleted
    /// afterwards.
    pub dir: Option<PathBuf>,
}

impl Options {
    /// Sets only a directory of C modules.
    pub fn modules(dir: impl Into<PathBuf>) -> Options {
        Options {
            module_dir: Some(dir.into()),
            ..Options::default()
        }
    }
}

/// The result of a run.
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
