//! `cargo xtask supported`: which Luas can be read, from the results of tests.

mod results;
mod rows;
mod table;

use crate::cargo::cargo;
use crate::sources::workspace;
use crate::supported::results::Results;
use crate::supported::table::{tests, text};
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// `--check` found that the document is not current.
const DIFFERENT: u8 = 1;
/// The document that is made.
const DOCUMENT: &str = "docs/supported.md";

/// Makes docs/supported.md: a table of the Luas that can be read, each with the tests that show it.
///
/// It runs these tests, or reads what a run of them printed. Nothing is written if one of them failed or did not run.
/// Exits with 1 if --check found that the document is not current, with 2 if it failed.
#[derive(Args)]
pub struct Supported {
    /// Write nothing, but report whether the document is current.
    #[arg(long)]
    check: bool,
    /// What a run of the tests printed, instead of running them. Tests that are not in it, as where a program is not
    /// installed, are named, and count as passed in --check alone.
    #[arg(long, value_name = "FILE")]
    results: Vec<PathBuf>,
}

impl Supported {
    /// Runs the chore.
    pub fn execute(&self) -> Result<ExitCode> {
        let output = match &self.results[..] {
            [] => run_tests()?,
            files => {
                let mut all = String::new();
                for file in files {
                    let said = fs::read(file).with_context(|| format!("{}", file.display()))?;
                    all += &String::from_utf8_lossy(&said);
                }
                all
            }
        };
        let results = Results::of(&output);
        let mut is_shown = true;
        for test in tests() {
            match results.passed(test) {
                Some(true) => {}
                Some(false) => {
                    eprintln!("cargo xtask: the test {test} failed");
                    is_shown = false;
                }
                None => {
                    eprintln!("cargo xtask: the test {test} did not run");
                    is_shown &= self.check;
                }
            }
        }
        ensure!(is_shown, "the table would say what no test has shown");
        let path = workspace().join(DOCUMENT);
        let is_current = fs::read_to_string(&path).is_ok_and(|there| there == text());
        if self.check && !is_current {
            eprintln!("cargo xtask: {DOCUMENT} is not current: run `cargo xtask supported`");
            return Ok(ExitCode::from(DIFFERENT));
        }
        if !is_current {
            fs::write(&path, text()).with_context(|| format!("{}", path.display()))?;
        }
        Ok(ExitCode::SUCCESS)
    }
}

/// Runs the tests, and returns what they print.
fn run_tests() -> Result<String> {
    let mut command = cargo();
    command
        .args(["test", "--locked", "--no-fail-fast"])
        .args(["-p", "luasnap-capture", "-p", "snapshot"])
        .args(["--", "--include-ignored", "--exact"])
        .args(tests());
    let done = command.output().context("cargo cannot be run")?;
    eprint!("{}", String::from_utf8_lossy(&done.stderr));
    Ok(String::from_utf8_lossy(&done.stdout).into_owned())
}
