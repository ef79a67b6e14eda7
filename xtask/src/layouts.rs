//! `cargo xtask layouts`.

use crate::derived::{self, Record};
use crate::tables;
use anyhow::{Context, Result};
use clap::Args;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

/// `--check` found a file that is not current.
const DIFFERENT: u8 = 1;

/// Derives the layouts of the VMs' structures from released sources, and writes them as Rust.
///
/// With --from, derives that of one release or fork that no registry has, from sources on this
/// machine, and keeps its numbers in xtask/derived. Whether it is PUC Lua or LuaJIT, the sources
/// tell.
///
/// Exits with 1 if --check found something that is not current, with 2 if it failed.
#[derive(Args)]
pub struct Layouts {
    /// Write nothing, but report whether the files are current.
    #[arg(long)]
    check: bool,
    /// Also use Debian's source packages, which apt-get downloads.
    #[arg(long, conflicts_with = "from")]
    debian: bool,
    /// The folder with the sources of a release or a fork, or that with their src.
    #[arg(long, value_name = "DIR", requires = "name")]
    from: Option<PathBuf>,
    /// What its users call it: a release, as in 5.3.4, or any other name.
    #[arg(long, requires = "from")]
    name: Option<String>,
    /// Options for the C compiler that it is built with, as in --cflags=-DLUAJIT_DISABLE_GC64.
    #[arg(
        long,
        value_name = "OPTIONS",
        requires = "from",
        allow_hyphen_values = true
    )]
    cflags: Option<String>,
}

impl Layouts {
    /// Derives, and writes or compares.
    pub fn execute(&self) -> Result<ExitCode> {
        match (&self.from, &self.name) {
            (Some(from), Some(name)) => self.execute_from(from, name),
            _ => self.execute_all(),
        }
    }

    /// One that no registry has.
    fn execute_from(&self, from: &Path, name: &str) -> Result<ExitCode> {
        let flags = self.cflags.as_deref().unwrap_or_default();
        let found = Record::derive(name, from, flags)?;
        if !self.check {
            found.write()?;
            return self.execute_all();
        }
        let records = derived::records()?;
        let known = records.iter().find(|known| known.is_of(name));
        let known = known.with_context(|| format!("{name} was never derived"))?;
        let differences = known.differences(&found);
        for difference in &differences {
            eprintln!("cargo xtask: {difference}");
        }
        if differences.is_empty() {
            eprintln!("{name}: as derived on {}", known.date);
            return Ok(ExitCode::SUCCESS);
        }
        Ok(ExitCode::from(DIFFERENT))
    }

    /// All tables in the repository.
    fn execute_all(&self) -> Result<ExitCode> {
        let records = derived::records()?;
        let all = tables::all(&records, self.debian)?;
        let mut code = ExitCode::SUCCESS;
        for tables in &all {
            if !self.check {
                tables.write()?;
            } else if let Some(difference) = tables.difference()? {
                eprintln!("cargo xtask: {difference}");
                code = ExitCode::from(DIFFERENT);
            }
        }
        let newly = |record: &&Record| self.name.as_deref().is_none_or(|name| !record.is_of(name));
        for record in records.iter().filter(newly) {
            eprintln!(
                "skipped: {}, derived on {}, no registry has its sources",
                record.name, record.date
            );
        }
        Ok(code)
    }
}
