//! Compiles a VM's own headers, to find out how a compiler lays out their types.

use crate::dwarf::Types;
use crate::process;
use anyhow::{Context, Result, ensure};
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use std::path::Path;
use std::process::Command;
use std::{env, fs};
use tempfile::TempDir;

/// Compiles a C file that includes sources of `folder`, and reads its types. The compiler gets
/// these flags besides those that it needs.
pub fn types(code: &str, folder: &Path, flags: &[String]) -> Result<Types> {
    let scratch = scratch(code)?;
    let object = scratch.path().join("probe.o");
    let mut command = compiler(&scratch, folder, flags);
    command.args(["-c", "-g", "-O0", "-w"]);
    // No code uses most of the types, and a compiler would leave them out.
    command.arg("-fno-eliminate-unused-debug-types");
    command.arg("-o").arg(&object);
    process::output(&mut command)?;

    let object = fs::read(&object).with_context(|| format!("cannot read {}", object.display()))?;
    Types::read(&object).context("cannot read the debug information")
}

/// Returns the SHA-256 of those files of `folder` that the C file includes: of each its name and
/// its length, each ended by a line feed, and its bytes, in the order of their names.
pub fn headers(code: &str, folder: &Path, flags: &[String]) -> Result<String> {
    let scratch = scratch(code)?;
    let mut command = compiler(&scratch, folder, flags);
    let rule = process::output(command.args(["-MM", "-w"]))?;
    let rule = String::from_utf8(rule).context("the compiler lists no files")?;
    let folder = folder.canonicalize().context("cannot find the sources")?;
    let mut files = BTreeMap::new();
    for path in rule.split_whitespace().filter(|word| *word != "\\") {
        let Ok(path) = Path::new(path).canonicalize() else {
            continue; // The rule's target.
        };
        if let Ok(name) = path.strip_prefix(&folder) {
            let bytes = fs::read(&path);
            let bytes = bytes.with_context(|| format!("cannot read {}", path.display()))?;
            files.insert(name.to_string_lossy().into_owned(), bytes);
        }
    }
    ensure!(
        !files.is_empty(),
        "no header of {} is used",
        folder.display()
    );
    let mut hash = Sha256::new();
    for (name, bytes) in files {
        hash.update(format!("{name}\n{}\n", bytes.len()));
        hash.update(bytes);
    }
    Ok(hash
        .finalize()
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect())
}

/// A folder with the C file.
fn scratch(code: &str) -> Result<TempDir> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let source = scratch.path().join("probe.c");
    fs::write(&source, code).with_context(|| format!("cannot write {}", source.display()))?;
    Ok(scratch)
}

/// A call of the compiler with the C file.
fn compiler(scratch: &TempDir, folder: &Path, flags: &[String]) -> Command {
    let mut command = Command::new(env::var_os("CC").unwrap_or("cc".into()));
    command.args(flags).arg("-I").arg(folder);
    command.arg(scratch.path().join("probe.c"));
    command
}
