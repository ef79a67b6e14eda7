//! A process to attach to: a Lua host that runs a script until it is killed.

use luasnap_hosts::Host;
use std::fs;
use std::io::{BufRead, BufReader, Lines};
use std::os::unix::process::ExitStatusExt;
use std::path::Path;
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::{Duration, Instant};
use tempfile::TempDir;

/// Nothing here takes longer than a few seconds, even on a slow and busy machine.
const LIMIT: Duration = Duration::from_secs(60);

/// A running process, killed when dropped.
pub struct Target {
    child: Child,
    lines: Lines<BufReader<ChildStdout>>,
    /// Scripts that read from it block.
    pub stdin: Option<ChildStdin>,
    folder: TempDir,
}

impl Target {
    /// Runs `script` as `script.lua`, and waits until it prints `ready`.
    #[track_caller]
    pub fn start(host: Host, script: &str) -> Target {
        let mut command = host.command();
        command.arg("script.lua");
        Target::start_command(command, script)
    }

    /// Does the same for any program, in a folder that has the script.
    #[track_caller]
    pub fn start_command(mut command: Command, script: &str) -> Target {
        let folder = tempfile::tempdir().expect("a temporary folder");
        fs::write(folder.path().join("script.lua"), script).expect("the script is written");
        command
            .current_dir(folder.path())
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
            folder,
        };
        while target.line() != "ready" {}
        target
    }

    pub fn id(&self) -> u32 {
        self.child.id()
    }

    /// The folder that it runs in.
    pub fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Returns the next line that it prints.
    #[track_caller]
    pub fn line(&mut self) -> String {
        let line = self.lines.next().expect("the script prints a line");
        line.expect("text")
    }

    /// The state of the process as the system names it: `R`, `S`, `T`.
    fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.id())).expect("a process");
        let end = stat.rfind(')').expect("a name");
        stat[end + 2..].chars().next().expect("a state")
    }

    /// Waits until it is in a state, which takes a moment.
    #[track_caller]
    pub fn wait_for_state(&self, state: char) {
        let deadline = Instant::now() + LIMIT;
        while self.state() != state {
            assert!(Instant::now() < deadline, "it is {}", self.state());
            std::thread::sleep(Duration::from_millis(1));
        }
    }

    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child").is_none()
    }

    /// Waits for the end; returns the signal that caused it.
    #[track_caller]
    pub fn wait_for_signal(&mut self) -> i32 {
        let status = self.child.wait().expect("a child");
        status.signal().unwrap_or_else(|| panic!("{status}"))
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

/// Returns a command that runs a test of this binary in a process of its own.
pub fn child_of_this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", name, "--nocapture", "--test-threads=1"]);
    command
}

/// Returns what a child prints; it must end successfully.
#[track_caller]
pub fn stdout_of(command: &mut Command) -> String {
    let output = command
        .output()
        .unwrap_or_else(|error| panic!("{command:?}: {error}"));
    let said = String::from_utf8_lossy(&output.stdout).into_owned();
    assert!(
        output.status.success(),
        "{said}{}",
        String::from_utf8_lossy(&output.stderr)
    );
    said
}
