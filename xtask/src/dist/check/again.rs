//! Whether the bytes are the same when they are made in another folder.

use crate::cargo::cargo;
use crate::dist::release::Release;
use crate::dist::system::System;
use crate::process;
use crate::sources::workspace;
use anyhow::{Context, Result, ensure};
use std::fs;
use std::path::Path;
use std::process::Command;

/// Makes the files of a system from a clone of the last commit in another folder, and compares all.
pub fn same_bytes(system: System, files: &Path, tools: &Path, release: &Release) -> Result<()> {
    let scratch = tempfile::tempdir().context("cannot make a temporary folder")?;
    let clone = scratch
        .path()
        .join("another folder".replace(' ', "-"))
        .join("clone");
    let mut git = Command::new("git");
    process::output(
        git.args(["clone", "--quiet", "--shared"])
            .arg(workspace())
            .arg(&clone),
    )?;
    let target = scratch.path().join("target");
    let mut again = cargo();
    again.current_dir(&clone).env("CARGO_TARGET_DIR", &target);
    again.env("SOURCE_DATE_EPOCH", release.time().to_string());
    again.args([
        "run",
        "--quiet",
        "--locked",
        "--package",
        "xtask",
        "--",
        "dist",
    ]);
    process::output(again.args(["--only", system.name(), "--tools"]).arg(tools))?;
    let made = target.join("dist");
    let names = fs::read_dir(&made).context("cannot list what was made again")?;
    let mut count = 0;
    for name in names.flatten().map(|entry| entry.file_name()) {
        let [one, other] = [files, &made].map(|folder| fs::read(folder.join(&name)));
        let name = name.to_string_lossy();
        if name == "SHA256SUMS" {
            continue;
        }
        let (one, other) = (one.with_context(|| format!("no {name}"))?, other?);
        ensure!(
            one == other,
            "{name} is another one when it is made elsewhere: is everything committed?"
        );
        count += 1;
    }
    ensure!(count > 3, "only {count} files were made again");
    eprintln!("   {system}: {count} files, the same bytes");
    Ok(())
}
