//! `luasnap completions`: what a shell completes after `luasnap`.

use crate::exit_code::OF_WRITERS;
use crate::failure::Result;
use crate::output::finish;
use clap::{Args, Command, ValueEnum};
use clap_complete::{Shell, generate};
use std::io::{self, Write};
use std::process::ExitCode;

/// Where each shell looks for it.
const MORE_HELP: &str = "\
To install:
  luasnap completions bash > ~/.local/share/bash-completion/completions/luasnap
  luasnap completions zsh > DIRECTORY/_luasnap    in a DIRECTORY of your $fpath
  luasnap completions fish > ~/.config/fish/completions/luasnap.fish

";

/// Print a script that completes verbs, options and files in a shell
#[derive(Args)]
#[command(after_help = format!("{MORE_HELP}{OF_WRITERS}"))]
pub struct Completions {
    /// The shell
    #[arg(value_enum)]
    shell: Known,
}

#[derive(Clone, Copy, ValueEnum)]
enum Known {
    Bash,
    Zsh,
    Fish,
}

impl Completions {
    /// Runs the command: prints the script for the given command line.
    pub fn execute(self, mut command_line: Command) -> Result<ExitCode> {
        let shell = match self.shell {
            Known::Bash => Shell::Bash,
            Known::Zsh => Shell::Zsh,
            Known::Fish => Shell::Fish,
        };
        // It would panic where standard output is closed.
        let mut script = Vec::new();
        generate(shell, &mut command_line, "luasnap", &mut script);
        let written = io::stdout().write_all(&script);
        finish(written.map_err(Into::into))?;
        Ok(ExitCode::SUCCESS)
    }
}
