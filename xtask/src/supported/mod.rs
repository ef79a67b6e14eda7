//! `cargo xtask supported`: which Luas can be read, from the results of tests.

mod results;
mod rows;
mod table;

use crate::cargo::cargo;
use crate::sources::workspace;
use crate::supported::results::{Outcome, Results};
use crate::supported::rows::{Machine, tests};
use crate::supported::table::text;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::fs;
use std::path::PathBuf;
use std::process::{ExitCode, Stdio};

/// `--check` found that the document is not current.
const DIFFERENT: u8 = 1;
/// The document that is made.
const DOCUMENT: &str = "docs/supported.md";

/// Makes docs/supported.md: a table of the Luas that can be read, each with the tests that show it.
///
/// It runs these tests, and `cargo xtask arm64`; or it reads what a run of them printed. Nothing is written if one of them
/// failed or did not run. Exits with 1 if --check found that the document is not current, with 2 if it failed.
#[derive(Args)]
pub struct Supported {
    /// Write nothing, but report whether the document is current. Tests that were ignored, as where a program is not
    /// installed, are named and count as passed; so do all of AArch64 without --aarch64.
    #[arg(long)]
    check: bool,
    /// What a run of the tests printed, instead of running them.
    #[arg(long, value_name = "FILE")]
    results: Vec<PathBuf>,
    /// What `cargo xtask arm64` printed.
    #[arg(long, value_name = "FILE", requires = "results")]
    aarch64: Vec<PathBuf>,
}

impl Supported {
    /// Runs the chore.
    pub fn execute(&self) -> Result<ExitCode> {
        for machine in Machine::ALL {
            let files = match machine {
                Machine::X86_64 => &self.results,
                Machine::AArch64 => &self.aarch64,
            };
            let results = match &files[..] {
                [] if self.results.is_empty() => run_tests(machine)?,
                [] if self.check => {
                    eprintln!("cargo xtask: the tests on {machine} were not looked at");
                    continue;
                }
                files => read(files)?,
            };
            // Each that is missing is named.
            let not_shown = tests(machine).filter(|test| !self.is_shown(&results, machine, test));
            ensure!(
                not_shown.count() == 0,
                "the table would say what no test has shown"
            );
        }
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

    /// Whether a test passed, or need not have run; says why not.
    fn is_shown(&self, results: &Results, machine: Machine, test: &str) -> bool {
        let (words, is_shown) = match results.of_test(test) {
            Outcome::Passed => return true,
            Outcome::Failed => ("failed", false),
            Outcome::Ignored => ("was not asked for", self.check),
            Outcome::Missing => ("is not among the results", false),
        };
        eprintln!("cargo xtask: the test {test} {words} on {machine}");
        is_shown
    }
}

/// Reads what tests printed.
fn read(files: &[PathBuf]) -> Result<Results> {
    let mut all = String::new();
    for file in files {
        let said = fs::read(file).with_context(|| format!("{}", file.display()))?;
        all += &String::from_utf8_lossy(&said);
    }
    Ok(Results::of(&all))
}

/// Runs the tests of a machine. That some fail is in the results.
fn run_tests(machine: Machine) -> Result<Results> {
    let mut command = cargo();
    match machine {
        Machine::X86_64 => {
            command
                .args(["test", "--locked", "--no-fail-fast"])
                .args(["-p", "luasnap-capture", "-p", "snapshot"])
                .args(["--", "--include-ignored", "--exact"])
                .args(tests(machine));
        }
        Machine::AArch64 => {
            command.args(["xtask", "arm64"]);
        }
    }
    command.stdin(Stdio::null()).stderr(Stdio::inherit());
    let done = command.output().context("cargo cannot be run")?;
    Ok(Results::of(&String::from_utf8_lossy(&done.stdout)))
}
