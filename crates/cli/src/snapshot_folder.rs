//! Folders of snapshot files, such as `luasnap watch -o` and `luasnap run --every` leave.

use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use anyhow::{Result, anyhow, ensure};
use luasnap_format::{printable_path, reason};
use luasnap_heap::Process;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the paths of the `.luasnap` files in a folder, by name; two of them at least.
pub fn paths_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let shown = printable_path(folder);
    let cannot = |error| anyhow!("cannot read the folder {shown}: {}", reason(&error));
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|end| end == "luasnap") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
    ensure!(
        paths.len() >= 2,
        "the folder {shown} has {}: growth is found between two at least",
        match paths.len() {
            0 => "no files that end in .luasnap",
            _ => "one file that ends in .luasnap",
        }
    );
    Ok(paths)
}

/// Reads the files of a folder, in the order in which the snapshots were taken. They are all of one Lua state.
pub fn open_all(
    folder: &Path,
    paths: &[PathBuf],
    progress: &Progress,
) -> Result<Vec<SnapshotFile>> {
    let files = paths.iter().map(|path| SnapshotFile::open(path, progress));
    let mut files = files.collect::<Result<Vec<_>>>()?;
    // Those of one moment stay in the order of their names.
    files.sort_by_key(|file| file.snapshot.everything().provenance().taken_at);
    let first = state_of(&files[0]);
    if let Some(other) = files.iter().find(|file| state_of(file) != first) {
        return Err(anyhow!(
            "the folder {} has snapshots of several Lua states or processes, {} and {} for two: name the files to \
             be compared",
            printable_path(folder),
            printable_path(&files[0].path),
            printable_path(&other.path)
        ));
    }
    Ok(files)
}

/// The process that a snapshot was taken in, and the address of its Lua state.
fn state_of(file: &SnapshotFile) -> (Option<Process>, u64) {
    let provenance = file.snapshot.everything().provenance();
    (provenance.process, provenance.vm_address)
}
