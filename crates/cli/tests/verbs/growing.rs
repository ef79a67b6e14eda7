//! A program that grows while it is watched.

use crate::program::luasnap;
use std::io::{BufRead, BufReader, Write};
use std::path::Path;
use std::process::{Child, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::Duration;

/// A running script whose function `grow` is called every few milliseconds; killed when dropped.
pub struct Growing {
    child: Child,
    is_over: Arc<AtomicBool>,
    caller: Option<JoinHandle<()>>,
}

impl Growing {
    /// Runs a script that defines `grow`.
    pub fn start(folder: &Path, script: &str) -> Growing {
        let source = format!(
            "{script}\nfor line in io.lines() do grow() io.write(line, '\\n') io.stdout:flush() end\n"
        );
        std::fs::write(folder.join("growing.lua"), source).unwrap();
        let mut child = luasnap(folder)
            .args(["run", "--quiet", "growing.lua"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut input = child.stdin.take().unwrap();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        let mut call = move || {
            let mut line = String::new();
            let written = input.write_all(b"ready\n");
            written.is_ok() && output.read_line(&mut line).is_ok() && line == "ready\n"
        };
        assert!(call(), "it does not run");
        let is_over = Arc::new(AtomicBool::new(false));
        let known = Arc::clone(&is_over);
        let caller = thread::spawn(move || {
            while !known.load(Ordering::Relaxed) && call() {
                thread::sleep(Duration::from_millis(5));
            }
        });
        Growing {
            child,
            is_over,
            caller: Some(caller),
        }
    }

    pub fn id(&self) -> String {
        self.child.id().to_string()
    }

    /// Lets the script end.
    pub fn finish(mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        self.caller.take().unwrap().join().unwrap();
        assert!(self.child.wait().unwrap().success());
    }
}

impl Drop for Growing {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
