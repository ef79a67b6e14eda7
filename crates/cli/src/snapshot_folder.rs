//! Folders of snapshot files, such as `luasnap watch -o` and `luasnap run --every` leave.

use crate::about::about_folder;
use crate::failure::Result;
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use luasnap_format::printable_path;
use luasnap_heap::Process;
use luasnap_words::Sentence;
use std::fs;
use std::path::{Path, PathBuf};

/// Returns the paths of the `.luasnap` files in a folder, by name; two of them at least.
pub fn several_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let paths = paths_in(folder)?;
    let code = match paths.len() {
        0 => "folder.no_file",
        1 => "folder.one_file",
        _ => return Ok(paths),
    };
    let folder = printable_path(folder).to_string();
    Err(Sentence::new(code).with("folder", folder).into())
}

/// Returns the paths of the `.luasnap` files in a folder, by name.
pub fn paths_in(folder: &Path) -> Result<Vec<PathBuf>> {
    let cannot = |error| about_folder("folder.cannot_read", folder, &error);
    let mut paths = Vec::new();
    for entry in fs::read_dir(folder).map_err(cannot)? {
        let path = entry.map_err(cannot)?.path();
        if path.extension().is_some_and(|end| end == "luasnap") && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort();
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
        return Err(Sentence::new("folder.several_states")
            .with("folder", printable_path(folder).to_string())
            .with("first", printable_path(&files[0].path).to_string())
            .with("second", printable_path(&other.path).to_string())
            .into());
    }
    Ok(files)
}

/// The process that a snapshot was taken in, and the address of its Lua state.
fn state_of(file: &SnapshotFile) -> (Option<Process>, u64) {
    let provenance = file.snapshot.everything().provenance();
    (provenance.process, provenance.vm_address)
}
