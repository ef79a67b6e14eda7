//! Writing files without losing an older one, and without letting others read what they may not.

mod file_to_be;
mod limited;
mod permissions;
mod place;
mod published;
mod standard_output;
mod temporary;
mod temporary_name;

use crate::answer_error::Result;
use file_to_be::for_others;
use permissions::Permissions;
use place::Place;
use rustix::io::Errno;
use std::fs::{self, OpenOptions};
use std::io;
use std::path::Path;
use temporary::Temporary;

pub use file_to_be::{FileError, FileOptions, FileToBe, Written};
pub use published::{check_publishable, publish_file};
pub use standard_output::is_standard_output;
pub use temporary::remove_left_name;
pub use temporary_name::remove_temporary_file;

/// Writes a file beside its place and then renames it, so that a failed write leaves an older file
/// of that name untouched.
///
/// The permissions of an older file are kept if it is this user's, but never setuid, setgid or
/// sticky bits. If the path is a symbolic link, the link's target is replaced. Anything that is not
/// a regular file (`/dev/stdout`, a FIFO) is written to directly, unless somebody else made it in a
/// folder where everybody may (`/tmp`).
///
/// # Errors
///
/// [`FileError`] if the file cannot be written, or if `write` fails.
pub fn write_file(
    path: &Path,
    options: FileOptions,
    write: impl FnOnce(&mut (dyn io::Write + Send)) -> Result,
) -> Result<Written, FileError> {
    FileToBe::prepare(path, options)?.write(write)
}

/// Checks that a file can be written, before the work whose result it is to have. Nothing of this stays.
/// Whether the disk has room for it is not known.
///
/// # Errors
///
/// [`FileError`] if [`write_file`] would fail.
pub fn check_writable(path: &Path, options: FileOptions) -> Result<(), FileError> {
    let check = || -> io::Result<()> {
        let place = place::resolve(path)?;
        let there = match fs::metadata(path) {
            Ok(there) => there,
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                return match (place, path.file_name()) {
                    (Place::File { folder, .. }, Some(_)) => Temporary::new(&folder, 0).map(drop),
                    _ => Err(error),
                };
            }
            Err(error) => return Err(error),
        };
        match place {
            _ if options.keep_older => Err(Errno::EXIST.into()),
            _ if there.is_dir() => Err(Errno::ISDIR.into()),
            // Opening somebody's FIFO means waiting for them.
            _ if !there.is_file() => place.expect_trusted(&there),
            Place::OpenFile(_) => Ok(()),
            Place::File { folder, .. } => {
                OpenOptions::new().write(true).open(path)?;
                Temporary::new(&folder, 0).map(drop)
            }
        }
    };
    check().map_err(|error| FileError {
        path: path.to_owned(),
        source: error.into(),
    })
}

/// Returns the permissions that [`write_file`] would keep from an older file, if others can read
/// the file by them.
pub fn readable_by_others(path: &Path) -> Option<u32> {
    // A file that this process has open is appended to as it is.
    let Ok(Place::File { .. }) = place::resolve(path) else {
        return None;
    };
    let metadata = fs::metadata(path).ok()?;
    match Permissions::over(&metadata, true) {
        Permissions::Kept { mode, .. } if metadata.is_file() => for_others(mode),
        _ => None,
    }
}
