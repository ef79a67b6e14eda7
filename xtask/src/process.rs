//! Runs other programs.

use anyhow::{Context, Result, ensure};
use std::process::Command;

/// Runs a program and returns its output. If it fails, its standard error is in the error.
pub fn output(command: &mut Command) -> Result<Vec<u8>> {
    let program = command.get_program().to_string_lossy().into_owned();
    let output = command.output();
    let output = output.with_context(|| format!("cannot run {program}"))?;
    let complaint = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "{program} failed: {complaint}");
    Ok(output.stdout)
}
