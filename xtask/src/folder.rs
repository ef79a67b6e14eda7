//! Folders and scripts that a chore makes for itself.

use anyhow::{Context, Result};
use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// Writes a script for the shell.
pub fn script(path: &Path, text: &str) -> Result<()> {
    let write = || {
        path.parent().map_or(Ok(()), fs::create_dir_all)?;
        fs::write(path, format!("#!/bin/sh\n{text}\n"))?;
        fs::set_permissions(path, Permissions::from_mode(0o755))
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}

/// Fills a folder, of which a half is never left behind.
pub fn whole(folder: &Path, fill: impl FnOnce(&Path) -> Result<()>) -> Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    let half = folder.with_extension("half");
    if half.exists() {
        fs::remove_dir_all(&half).with_context(|| format!("cannot remove {}", half.display()))?;
    }
    fs::create_dir_all(&half).with_context(|| format!("cannot make {}", half.display()))?;
    fill(&half)?;
    fs::rename(&half, folder).with_context(|| format!("cannot make {}", folder.display()))
}
