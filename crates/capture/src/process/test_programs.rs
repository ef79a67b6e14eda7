//! Programs for the tests of stopping: tests of this binary that another test runs, each in a
//! process of its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// Returns a command that runs a test of this binary, given its full name.
pub(super) fn child_of_this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", name, "--nocapture"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// Returns the lines that a program prints.
pub(super) fn lines(program: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(program.stdout.take().expect("a pipe")).lines();
    lines.map_while(Result::ok)
}
