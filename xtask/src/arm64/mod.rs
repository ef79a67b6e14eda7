//! Tests for AArch64 on an x86-64 machine: a cross-build, its tests in emulated Luas, and core files of these.

mod cores;
mod luasnap;
mod suite;
pub mod tools;

use crate::process;
use anyhow::{Context, Result, ensure};
use clap::Args;
use std::env;
use std::process::{Command, ExitCode};
use std::time::Instant;
use tools::Tools;

/// Tests luasnap for AArch64 on this machine, in a user-mode emulator.
///
/// Builds for AArch64, runs the module's tests in Debian's Luas of that machine, and reads core files of these with
/// the luasnap of this machine. It needs Debian on x86-64. What is missing (the emulator, those Luas, a cross compiler,
/// Rust's standard library) is downloaded by apt-get to `arm64/` in cargo's target directory; nothing is installed.
///
/// Attaching cannot be tested so: user-mode emulation has no ptrace.
#[derive(Args)]
pub struct Arm64 {
    /// All tests that can run there, of all crates but luasnap. By default, a sample of them.
    #[arg(long)]
    all: bool,
}

impl Arm64 {
    pub fn execute(&self) -> Result<ExitCode> {
        ensure!(
            cfg!(all(target_arch = "x86_64", target_os = "linux")),
            "this tests AArch64 on x86-64 Linux; on the machine itself, `cargo test --workspace` does"
        );
        let start = Instant::now();
        let step = |name: &str| {
            let seconds = start.elapsed().as_secs();
            eprintln!("-- {name} ({}:{:02})", seconds / 60, seconds % 60);
        };
        step("what is needed");
        let tools = Tools::prepare()?;
        step("the layouts, by the compiler for AArch64");
        let mut layouts = Command::new(env::current_exe().context("cannot find this program")?);
        layouts.args(["layouts", "--check"]);
        process::show(tools.environment(&mut layouts).env("CC", tools.compiler()))?;
        step("the module's tests in Debian's Luas");
        suite::in_installed_luas(&tools)?;
        if self.all {
            step("all tests");
            suite::all(&tools)?;
        } else {
            step("a sample of the other tests");
            suite::sample(&tools)?;
        }
        step("luasnap");
        luasnap::check(&tools)?;
        step("core files");
        cores::check(&tools)?;
        step("done");
        Ok(ExitCode::SUCCESS)
    }
}
