//! A program that luasnap reads while it runs.

use crate::program::luasnap;
use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

/// A running script in the embedded Lua, killed when dropped.
pub struct Target(Child);

impl Target {
    /// Runs a script as `target.lua` until it prints `ready`; then it waits for a line.
    pub fn start(folder: &Path, script: &str, arguments: &[&str]) -> Target {
        let source = format!("{script}\nprint 'ready'\nio.stdout:flush()\nio.read()\n");
        std::fs::write(folder.join("target.lua"), source).unwrap();
        let mut child = luasnap(folder)
            .args(["run", "--quiet", "target.lua"])
            .args(arguments)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        let mut output = BufReader::new(child.stdout.take().unwrap());
        output.read_line(&mut line).unwrap();
        assert_eq!(line, "ready\n");
        Target(child)
    }

    pub fn id(&self) -> String {
        self.0.id().to_string()
    }

    /// Lets the script end.
    pub fn finish(mut self) {
        drop(self.0.stdin.take());
        assert!(self.0.wait().unwrap().success());
    }
}

impl Drop for Target {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
