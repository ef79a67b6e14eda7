//! Copies of sources.

use anyhow::{Context, Result};
use std::fs;
use std::path::{Path, PathBuf};

/// Copies the files of a folder, but not its folders.
pub fn copy_files(from: &Path, to: &Path) -> Result<()> {
    fs::create_dir_all(to).with_context(|| format!("cannot make {}", to.display()))?;
    let entries = fs::read_dir(from);
    for entry in entries.with_context(|| format!("cannot list {}", from.display()))? {
        let path = entry?.path();
        if path.is_file() {
            let copy = to.join(path.file_name().unwrap_or_default());
            fs::copy(&path, &copy).with_context(|| format!("cannot copy {}", path.display()))?;
        }
    }
    Ok(())
}

/// Copies a folder with all that it has.
pub fn copy_tree(from: &Path, to: &Path) -> Result<()> {
    let mut folders = vec![PathBuf::new()];
    while let Some(folder) = folders.pop() {
        let inner = from.join(&folder);
        copy_files(&inner, &to.join(&folder))?;
        let entries = fs::read_dir(&inner);
        for entry in entries.with_context(|| format!("cannot list {}", inner.display()))? {
            let path = entry?.path();
            if path.is_dir() {
                folders.push(folder.join(path.file_name().unwrap_or_default()));
            }
        }
    }
    Ok(())
}
