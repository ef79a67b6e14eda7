//! A process to attach to: a Lua host that runs a script until it is killed.

use luasnap_hosts::Host;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use tempfile::TempDir;

/// A running process, killed when dropped.
pub struct Target {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Scripts that read from it wait there.
    pub stdin: Option<ChildStdin>,
    _folder: TempDir,
}

impl Target {
    /// Runs `script` as `script.lua`, and waits until it prints `ready`.
    #[track_caller]
    pub fn start(host: Host, script: &str) -> Target {
        Target::start_command(host.command(), script)
    }

    /// The same in any program that takes a script's path.
    #[track_caller]
    pub fn start_command(mut command: Command, script: &str) -> Target {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("script.lua"), script).expect("the script is written");
        command
            .current_dir(folder.path())
            .arg("script.lua")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped());
        let mut child = command
            .spawn()
            .unwrap_or_else(|error| panic!("{command:?}: {error}"));
        let stdout = child.stdout.take().expect("a pipe");
        let mut target = Target {
            stdin: child.stdin.take(),
            child,
            lines: BufReader::new(stdout).lines(),
            _folder: folder,
        };
        assert_eq!(target.line(), "ready");
        target
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The next line that it prints.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let line = self.lines.next().expect("the script prints a line");
        line.expect("text")
    }

    /// The state of the process as the system names it: `R`, `S`, `T`.
    pub fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("a process");
        let end = stat.rfind(')').expect("a name");
        stat[end + 2..].chars().next().expect("a state")
    }

    pub fn kill(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        self.kill();
    }
}
