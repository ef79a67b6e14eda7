//! Chores of this repository, as `cargo xtask`.
//!
//! # `cargo xtask layouts`
//!
//! To read a VM's heap ourselves, we must know the layout of its structures. This derives it from
//! released sources: it compiles each VM's own headers with debug information, and reads from that
//! where the compiler put each member. Nothing is entered by hand, and a member that is missing,
//! unexpected or of another size is an error. The result is Rust source in the capture crate, in
//! `layout/`, next to the types whose values it has. Its help has the options.
//!
//! It needs a C compiler (`cc`, or the one that the variable `CC` names). Debian's own packages are
//! examined only with `--debian`, which needs Debian and its package dpkg-dev. Without it, the
//! tables in `*_debian_tables.rs` are not changed.
//!
//! # `cargo xtask mutants`
//!
//! Tests whether a snapshot can be wrong on VMs that do not exist in practice: the released sources
//! with one change each. `mutants/` makes and builds them, runs a script in them, and compares
//! captures from inside and from outside with the portable engine and with a dump that is compiled
//! into them. Its help has the options, and how long it takes.
//!
//! # `cargo xtask arm64`
//!
//! Tests what is built for AArch64, on x86-64 in an emulator. `arm64/` downloads what it needs. Its help says more.
//!
//! # `cargo xtask supported`
//!
//! Makes docs/supported.md, a table of the Luas that can be read, from the results of the tests that show it. `--check` writes
//! nothing and exits with 1 if the table is not current. A new row goes to `supported/rows.rs`.
//!
//! # `cargo xtask docs`
//!
//! Runs the examples in the documents and inserts their output; `--check` writes nothing and exits
//! with 1 if a document is not current. Its help has the conventions.
//!
//! # `cargo xtask man`
//!
//! Writes the pages of the manual for `man` to `target/man`, for a release: `luasnap.1`, `luasnap-attach.1` and so on.
//!
//! # `cargo xtask dist`
//!
//! Makes what people install, for all machines and C libraries, into `target/dist`: archives, wheels, Debian packages and
//! rocks, the same bytes wherever it runs. `--check` tries them as their users would; `dist/` has a file for each kind.
//! docs/release.md has the steps of a release.
//!
//! # `cargo xtask licences` and `cargo xtask version`
//!
//! Check the licences and sources of what we depend on against `deny.toml`, and that all files name one version.
//!
//! # To add a release
//!
//! - PUC Lua: add a line for the version of `lua-src` that has it to this crate's Cargo.toml.
//! - LuaJIT: extend the first line of `JIT_VERSIONS` in `tables.rs`. If its layout differs, the
//!   command below says so: then it gets a line of its own.
//! - A release or a fork that no registry has: `cargo xtask layouts --from DIR --name NAME`, which
//!   keeps what it found in `derived/`.
//!
//! Then run `cargo xtask layouts`, and review `git diff`. Add what shows that it can be read to `supported/rows.rs`. If a structure has changed, the command
//! says which member it misses: `puc.rs` and `jit.rs` have the member of each number.

#![forbid(unsafe_code)]

mod apt;
mod arm64;
mod cargo;
mod debian;
mod dependencies;
mod derived;
mod dist;
mod docs;
mod dwarf;
#[cfg(test)]
mod evaluated;
mod folder;
mod jit;
mod layout;
mod layouts;
mod licences;
mod man;
mod merge;
mod mutants;
mod output;
mod probe;
mod process;
mod puc;
mod rust;
mod sources;
mod supported;
mod tables;
mod version;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// It failed. Clap uses the same code for a wrong command line.
const FAILED: u8 = 2;

/// Chores of this repository.
#[derive(Parser)]
#[command(name = "cargo xtask", arg_required_else_help = true)]
struct CommandLine {
    #[command(subcommand)]
    chore: Chore,
}

#[derive(Subcommand)]
enum Chore {
    Layouts(layouts::Layouts),
    Mutants(mutants::Mutants),
    Docs(docs::Docs),
    Man(man::Man),
    Arm64(arm64::Arm64),
    Supported(supported::Supported),
    Dist(dist::Dist),
    Licences(licences::Licences),
    Version(version::Version),
}

fn main() -> ExitCode {
    let done = match CommandLine::parse().chore {
        Chore::Layouts(layouts) => layouts.execute(),
        Chore::Mutants(mutants) => mutants.execute(),
        Chore::Docs(docs) => docs.execute(),
        Chore::Man(man) => man.execute(),
        Chore::Arm64(arm64) => arm64.execute(),
        Chore::Supported(supported) => supported.execute(),
        Chore::Dist(dist) => dist.execute(),
        Chore::Licences(licences) => licences.execute(),
        Chore::Version(version) => version.execute(),
    };
    done.unwrap_or_else(|error| {
        eprintln!("cargo xtask: {error:#}");
        ExitCode::from(FAILED)
    })
}
