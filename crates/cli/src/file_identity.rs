//! Which file it is that has a name.

use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

/// What tells a file from a later one of its name. The number alone does not: file systems use it again.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileIdentity {
    /// The device that it is on.
    pub device: u64,
    /// Its number there.
    pub number: u64,
    bytes: u64,
    /// When it was written, in seconds and nanoseconds.
    written: (i64, i64),
}

impl FileIdentity {
    /// Returns which file has this name; of a symbolic link, the link itself.
    ///
    /// # Errors
    ///
    /// If there is none, or the system does not say.
    pub fn of(path: &Path) -> io::Result<FileIdentity> {
        let file = fs::symlink_metadata(path)?;
        Ok(FileIdentity {
            device: file.dev(),
            number: file.ino(),
            bytes: file.len(),
            written: (file.mtime(), file.mtime_nsec()),
        })
    }
}
