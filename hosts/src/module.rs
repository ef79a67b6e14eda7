//! A directory where `require "snapshot"` finds a freshly built module.

use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::{fs, io};

/// Returns a directory that has a built `libsnapshot.so` as `snapshot.so`, for
/// [`Options::module_dir`](crate::Options::module_dir). It is next to the library, contains a
/// symbolic link, and is kept: the next run finds the newest build through it.
///
/// # Panics
/// If there is no such library, or its folder cannot be written to.
pub fn module_dir(libsnapshot: &Path) -> PathBuf {
    let library = libsnapshot
        .canonicalize()
        .unwrap_or_else(|error| panic!("{}: {error}", libsnapshot.display()));
    let dir = library
        .parent()
        .expect("a file has a folder")
        .join("lua-modules");
    link(&library, &dir).unwrap_or_else(|error| panic!("{}: {error}", dir.display()));
    dir
}

fn link(library: &Path, dir: &Path) -> io::Result<()> {
    let module = dir.join("snapshot.so");
    if fs::read_link(&module).is_ok_and(|target| target == library) {
        return Ok(());
    }
    fs::create_dir_all(dir)?;
    // Renamed into place: another test may be doing the same at this moment.
    let fresh = tempfile::tempdir_in(dir)?;
    let link = fresh.path().join("snapshot.so");
    symlink(library, &link)?;
    fs::rename(link, module)
}
