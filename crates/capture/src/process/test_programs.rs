//! Programs for the tests of stopping: tests of this program that another test runs, each in a process of
//! its own.

use std::io::{BufRead, BufReader};
use std::process::{Child, Command, Stdio};

/// A test of this program by its whole name, to be run by another test.
pub(super) fn child_of_this_test(name: &str) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("this test"));
    command.args(["--exact", name, "--nocapture"]);
    command.stdin(Stdio::piped()).stdout(Stdio::piped());
    command
}

/// What a program prints, line by line.
pub(super) fn lines(program: &mut Child) -> impl Iterator<Item = String> + use<> {
    let lines = BufReader::new(program.stdout.take().expect("a pipe")).lines();
    lines.map_while(Result::ok)
}
