//! `luasnap man`: pages of the manual for `man`, for those who package luasnap.

use crate::about::about_folder;
use crate::exit_code::OF_WRITERS;
use crate::failure::Result;
use clap::{Args, Command};
use std::fs;
use std::io;
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
        let failed = |error: io::Error| about_folder("folder.cannot_write", &self.folder, &error);
        fs::create_dir_all(&self.folder).map_err(failed)?;
        // `luasnap help` would be as many pages again.
        let command_line = command_line.disable_help_subcommand(true);
        clap_mangen::generate_to(command_line, &self.folder).map_err(failed)?;
        Ok(ExitCode::SUCCESS)
    }
}
