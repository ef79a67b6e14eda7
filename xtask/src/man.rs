//! The pages of the manual for `man`, as luasnap writes them.

use crate::cargo::cargo;
use crate::process;
use crate::sources::workspace;
use anyhow::Result;
use clap::Args;
use std::path::PathBuf;
use std::process::ExitCode;

/// Writes a page for `man` on luasnap and one on each of its verbs.
#[derive(Args)]
pub struct Man {
    /// The folder for the pages.
    #[arg(default_value = "target/man")]
    folder: PathBuf,
}

impl Man {
    pub fn execute(&self) -> Result<ExitCode> {
        let mut command = cargo();
        command.args([
            "run",
            "--quiet",
            "--locked",
            "--package",
            "luasnap",
            "--",
            "man",
        ]);
        command.arg(workspace().join(&self.folder));
        process::output(&mut command)?;
        Ok(ExitCode::SUCCESS)
    }
}
