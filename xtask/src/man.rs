//! The pages of the manual for `man`, as luasnap writes them.

use crate::process;
use crate::sources::workspace;
use anyhow::Result;
use clap::Args;
use std::env;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Writes a page for `man` on luasnap and one on each of its verbs.
#[derive(Args)]
pub struct Man {
    /// The folder for the pages.
    #[arg(default_value = "target/man")]
    folder: PathBuf,
}

impl Man {
    pub fn execute(&self) -> Result<ExitCode> {
        let mut command = Command::new(env::var_os("CARGO").unwrap_or("cargo".into()));
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
        process::output(command.current_dir(workspace()))?;
        Ok(ExitCode::SUCCESS)
    }
}
