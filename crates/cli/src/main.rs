//! `luasnap`: what grew in a Lua program, how much it holds, and who holds it.

#![forbid(unsafe_code)]

mod diff;
mod export;
mod info;
mod module_file;
mod output;
mod path;
mod progress;
mod run;
mod snapshot_file;
mod table;
mod top;

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
    Info(info::Info),
    Top(top::Top),
    Diff(diff::Diff),
    Path(path::WhoHoldsIt),
    Export(export::Export),
}

fn main() -> ExitCode {
    let done = match CommandLine::parse().verb {
        Verb::Run(run) => run.execute(),
        Verb::Info(info) => info.execute(),
        Verb::Top(top) => top.execute(),
        Verb::Diff(diff) => diff.execute(),
        Verb::Path(path) => path.execute(),
        Verb::Export(export) => export.execute(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("luasnap: {error:#}");
        ExitCode::from(FAILED)
    })
}
