//! `luasnap man`: pages of the manual for `man`, for those who package luasnap.

use crate::exit_code::OF_WRITERS;
use anyhow::{Context, Result};
use clap::{Args, Command};
use luasnap_format::printable_path;
use std::fs;
use std::path::PathBuf;
use std::process::ExitCode;

/// Write a page for `man` on luasnap and one on each verb
#[derive(Args)]
#[command(after_help = OF_WRITERS)]
pub struct ManPages {
    /// The folder to write them to: `luasnap.1`, `luasnap-attach.1`, ...
    folder: PathBuf,
}

impl ManPages {
    /// Runs the command: writes the pages of the given command line.
    pub fn execute(self, command_line: Command) -> Result<ExitCode> {
        let failed = || format!("cannot write to '{}'", printable_path(&self.folder));
        fs::create_dir_all(&self.folder).with_context(failed)?;
        // `luasnap help` would be as many pages again.
        let command_line = command_line.disable_help_subcommand(true);
        clap_mangen::generate_to(command_line, &self.folder).with_context(failed)?;
        Ok(ExitCode::SUCCESS)
    }
}
