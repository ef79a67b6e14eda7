//! Writing files without losing an older one, and without letting others read what they may not.

mod limited;
mod permissions;
mod place;
mod standard_output;
mod temporary;
mod temporary_name;

use crate::answer_error::{AnswerError, Result};
use crate::labels::printable::printable_path;
use limited::Limited;
use luasnap_words::{Sentence, Spoken, displayed_in_english};
use permissions::Permissions;
use place::Place;
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;
use temporary::Temporary;

pub use standard_output::is_standard_output;
pub use temporary_name::remove_temporary_file;

/// A file that could not be written. An older file of that name is unchanged.
#[derive(Debug, thiserror::Error)]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Why it could not be written.
    pub source: AnswerError,
}

impl Spoken for FileError {
    fn sentence(&self) -> Sentence {
        Sentence::new("file.cannot_write")
            .with("file", printable_path(&self.path).to_string())
            .with("reason", self.source.sentence())
    }
}

displayed_in_english!(FileError);

/// How a file is written.
#[derive(Clone, Copy, Debug, Default)]
pub struct FileOptions {
    /// A new file is for its owner alone (mode 0600). Otherwise the umask says who may read it.
    pub private: bool,
    /// The file is on the disk before it replaces an older one and before the write returns.
    pub synced: bool,
    /// Files that killed writers left in the folder are removed. This lists all names in it.
    pub tidy: bool,
    /// When the file is said to have changed, if not now.
    pub modified: Option<SystemTime>,
    /// An older file of that name is an error, even one that came while this one was written.
    pub keep_older: bool,
}

/// A file that was written.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Written {
    /// The permissions kept from an older file, if others can read the file by them.
    pub readable_by_others: Option<u32>,
}

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
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result<Written, FileError> {
    write_to(path, options, write).map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
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

fn write_to(
    path: &Path,
    options: FileOptions,
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result<Written> {
    let place = place::resolve(path)?;
    if let Ok(there) = fs::metadata(path) {
        if options.keep_older {
            return Err(io::Error::from(Errno::EXIST).into());
        }
        if let Place::OpenFile(_) = place
            && let Some(file) = standard_output::at(&there)?
        {
            return write_directly(file, write);
        }
        // Opening somebody's FIFO means waiting for them.
        if !there.is_file() && !there.is_dir() {
            place.expect_trusted(&there)?;
        }
    }
    let permissions = match OpenOptions::new().write(true).open(path) {
        Ok(file) => {
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                // It may have been replaced since.
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
    write(&mut Limited::at_end(&file)?)?;
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
    write(&mut Limited::at_end(temporary.file())?)?;
    let mode = permissions.give_to(temporary.file())?;
    if let Some(time) = options.modified {
        temporary.file().set_modified(time)?;
    }
    if options.synced {
        temporary.file().sync_all()?;
    }
    match options.keep_older {
        true => temporary.move_to_free(path)?,
        false => temporary.move_to(path)?,
    }
    if options.synced {
        sync_folder(folder)?;
    }
    Ok(Written {
        readable_by_others: mode.and_then(for_others),
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

/// Returns `mode` if others can read by it.
fn for_others(mode: u32) -> Option<u32> {
    (mode & 0o044 != 0).then_some(mode)
}

/// Waits until the names in a folder are on the disk, if its file system supports that.
fn sync_folder(folder: &Path) -> io::Result<()> {
    // A folder may be writable but not readable.
    let Ok(folder) = File::open(folder) else {
        return Ok(());
    };
    match folder.sync_all() {
        Err(error) if error.kind() == io::ErrorKind::InvalidInput => Ok(()),
        Err(error) if error.kind() == io::ErrorKind::Unsupported => Ok(()),
        synced => synced,
    }
}
