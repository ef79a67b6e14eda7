//! Writing files without ever losing an older one, and without letting anybody else read what is in
//! them who may not.

mod limited;
mod permissions;
mod place;
mod standard_output;
mod temporary;
mod temporary_name;

use crate::answer_error::{AnswerError, Result};
use crate::labels::printable::printable_path;
use limited::Limited;
use permissions::Permissions;
use place::Place;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use temporary::Temporary;

pub use standard_output::is_standard_output;
pub use temporary_name::remove_temporary_file;

/// A file that could not be written. A file of that name is as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot write '{}': {source}", printable_path(path))]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: AnswerError,
}

/// How a file is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileOptions {
    /// A new file is for its owner alone (mode 0600). Else the umask says who may read it.
    pub private: bool,
    /// The disk has it before this ends, and before it takes the place of an older one.
    pub synced: bool,
    /// What writers that were killed left in the folder is removed, which takes a look at all names in it.
    pub tidy: bool,
}

/// A file that was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The permissions of an older file that it kept, where others can read it by them.
    pub readable_by_others: Option<u32>,
}

/// Writes a file: beside the place where it belongs, and then renamed into it, so that one who
/// fails half-way leaves an older file of that name untouched.
///
/// The permissions of an older file are kept where it is this user's, but never setuid, setgid or sticky
/// bits. Where the path is a symbolic link, it is the link's target that is replaced. What is no regular
/// file (`/dev/stdout`, a FIFO) is written to directly, unless somebody else made it in a folder where
/// everybody may (`/tmp`).
pub fn write_file(
    path: &Path,
    options: FileOptions,
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result<Written, FileError> {
    write_to(path, options, write).map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

fn write_to(
    path: &Path,
    options: FileOptions,
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result<Written> {
    let place = place::resolve(path)?;
    if let Ok(there) = fs::metadata(path) {
        if let Place::OpenFile(_) = place
            && let Some(file) = standard_output::at(&there)?
        {
            return write_directly(file, write);
        }
        // To open somebody's FIFO is to wait for them.
        if !there.is_file() && !there.is_dir() {
            place.expect_trusted(&there)?;
        }
    }
    let permissions = match OpenOptions::new().write(true).open(path) {
        Ok(file) => {
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                // It may be another one by now.
                place.expect_trusted(&metadata)?;
                return write_directly(file, write);
            }
            Permissions::over(&metadata, options.private)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.file_name().is_some() => {
            Permissions::of_new(options.private)
        }
        Err(error) => return Err(error.into()),
    };
    match place {
        Place::File { folder, path } => replace(&folder, &path, permissions, options, write),
        Place::OpenFile(path) => write_directly(OpenOptions::new().append(true).open(path)?, write),
    }
}

fn write_directly(file: File, write: impl FnOnce(&mut dyn io::Write) -> Result) -> Result<Written> {
    write(&mut Limited::behind_the_end(&file)?)?;
    Ok(Written {
        readable_by_others: None,
    })
}

fn replace(
    folder: &Path,
    path: &Path,
    permissions: Permissions,
    options: FileOptions,
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result<Written> {
    if options.tidy {
        temporary::remove_left_behind(folder);
    }
    let temporary = Temporary::new(folder, permissions.at_first())?;
    write(&mut Limited::behind_the_end(temporary.file())?)?;
    let mode = permissions.give_to(temporary.file())?;
    if options.synced {
        temporary.file().sync_all()?;
    }
    temporary.move_to(path)?;
    if options.synced {
        sync_folder(folder)?;
    }
    Ok(Written {
        readable_by_others: mode.and_then(for_others),
    })
}

/// The permissions of a file that [`write_file`] would keep, where others can read it by them.
pub fn readable_by_others(path: &Path) -> Option<u32> {
    // A file that is open already is added to as it is.
    let Ok(Place::File { .. }) = place::resolve(path) else {
        return None;
    };
    let metadata = fs::metadata(path).ok()?;
    match Permissions::over(&metadata, true) {
        Permissions::Kept { mode, .. } if metadata.is_file() => for_others(mode),
        _ => None,
    }
}

/// Permissions by which others can read.
fn for_others(mode: u32) -> Option<u32> {
    (mode & 0o044 != 0).then_some(mode)
}

/// Waits until the disk has the names in a folder, as far as its file system knows of that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // One may write into a folder whose names one may not read.
    let Ok(folder) = File::open(folder) else {
        return Ok(());
    };
    match folder.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        synced => synced,
    }
}
