//! Processes that end in time, whatever happens.

use crate::program::cpath;
use std::fmt;
use std::io::{self, Read};
use std::process::{Child, Command, ExitStatus, Stdio};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

/// Nothing here takes longer than a few seconds, even on a slow and busy machine.
pub const LIMIT: Duration = Duration::from_secs(120);

/// A process whose outputs are pipes, since `print` buffers differently for a pipe and for a file.
/// It is killed when dropped.
pub struct Process {
    command: String,
    child: Child,
    stdout: Option<JoinHandle<Vec<u8>>>,
    stderr: Option<JoinHandle<Vec<u8>>>,
}

/// The outcome of a process.
pub struct Ran {
    pub status: ExitStatus,
    pub stdout: String,
    pub stderr: String,
}

impl Process {
    /// Starts a program from the Debian package `package`. The user's own settings for Lua are
    /// ignored, and `require` finds the module, which is to use an engine (or, if the name is
    /// empty, its default).
    pub fn start(mut command: Command, package: &str, engine: &str) -> Process {
        let name = command.get_program().to_string_lossy().into_owned();
        for variable in ["LUA_PATH", "LUA_CPATH", "LUA_INIT"] {
            for version in ["", "_5_2", "_5_3", "_5_4"] {
                command.env_remove(format!("{variable}{version}"));
            }
        }
        let piped = command
            .env("LUA_CPATH", cpath())
            .env("LUASNAP_ENGINE", engine)
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped());
        let mut child = match piped.spawn() {
            Ok(child) => child,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                panic!("{name} is not installed; Debian's package is {package}")
            }
            Err(error) => panic!("{name}: {error}"),
        };
        Process {
            command: format!("{command:?}"),
            stdout: child.stdout.take().map(drain),
            stderr: child.stderr.take().map(drain),
            child,
        }
    }

    /// Whether it has not ended.
    pub fn is_running(&mut self) -> bool {
        self.child.try_wait().expect("a child's state").is_none()
    }

    /// Waits for the end.
    pub fn wait(mut self) -> Ran {
        let deadline = Instant::now() + LIMIT;
        while self.is_running() {
            if Instant::now() > deadline {
                let command = self.command.clone();
                panic!("{command} did not end\n{}", self.end());
            }
            thread::sleep(Duration::from_millis(5));
        }
        self.end()
    }

    /// Ends it, unless it has ended, and collects its output.
    pub fn end(&mut self) -> Ran {
        let _ = self.child.kill();
        let text = |thread: &mut Option<JoinHandle<Vec<u8>>>| {
            let bytes = thread.take().map(|thread| thread.join().expect("a pipe"));
            String::from_utf8_lossy(&bytes.unwrap_or_default()).into_owned()
        };
        Ran {
            status: self.child.wait().expect("the child's end"),
            stdout: text(&mut self.stdout),
            stderr: text(&mut self.stderr),
        }
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn drain(mut pipe: impl Read + Send + 'static) -> JoinHandle<Vec<u8>> {
    thread::spawn(move || {
        let mut bytes = Vec::new();
        pipe.read_to_end(&mut bytes).expect("a pipe is read");
        bytes
    })
}

/// Status and both outputs: the message of a failed assertion.
impl fmt::Display for Ran {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{}\n--- stdout\n{}", self.status, self.stdout)?;
        write!(f, "--- stderr\n{}", self.stderr)
    }
}
