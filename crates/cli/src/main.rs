//! `luasnap`: what grew in a Lua program, how much it holds, and who holds it.

#![forbid(unsafe_code)]

mod module_file;
mod run;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// luasnap itself could not do its work.
const FAILED: u8 = 125;

/// Shows what grew in a Lua program, how much it holds, and who holds it.
#[derive(Parser)]
#[command(version, arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    Run(run::Run),
}

fn main() -> ExitCode {
    let done = match CommandLine::parse().verb {
        Verb::Run(run) => run.execute(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("luasnap: {error:#}");
        ExitCode::from(FAILED)
    })
}
