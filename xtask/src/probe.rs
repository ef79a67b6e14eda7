//! Compiles a VM's own headers, to find out how a compiler lays out their types.

use crate::dwarf::Types;
use crate::process;
use anyhow::{Context, Result};
use std::path::Path;
use std::process::Command;
use std::{env, fs};

/// Compiles a C file that includes sources of `folder`, and reads its types.
pub fn types(code: &str, folder: &Path) -> Result<Types> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let source = scratch.path().join("probe.c");
    let object = scratch.path().join("probe.o");
    fs::write(&source, code).with_context(|| format!("cannot write {}", source.display()))?;

    let mut command = Command::new(env::var_os("CC").unwrap_or("cc".into()));
    command.args(["-c", "-g", "-O0", "-w"]);
    // No code uses most of the types, and a compiler would leave them out.
    command.arg("-fno-eliminate-unused-debug-types");
    command.arg("-I").arg(folder);
    command.arg(&source).arg("-o").arg(&object);
    process::output(&mut command)?;

    let object = fs::read(&object).with_context(|| format!("cannot read {}", object.display()))?;
    Types::read(&object).context("cannot read the debug information")
}
