//! A file that is opened now and written later, by this process or by one that it makes for that.

use crate::answer_error::{AnswerError, Result};
use crate::file::limited::Limited;
use crate::file::permissions::Permissions;
use crate::file::place::{self, Place};
use crate::file::temporary::Temporary;
use crate::file::{standard_output, temporary};
use crate::labels::printable::printable_path;
use luasnap_words::{Sentence, Spoken, displayed_in_english};
use rustix::io::Errno;
use std::fs::{self, File, OpenOptions};
use std::io;
use std::os::fd::{AsRawFd, RawFd};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

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

/// A file to be written, of which everything is known but what will be in it. Where it is dropped instead, nothing of
/// it stays.
pub struct FileToBe {
    path: PathBuf,
    options: FileOptions,
    opened: Opened,
}

enum Opened {
    /// Written to as it is.
    Directly(File),
    /// Beside its place.
    Temporary {
        file: Temporary,
        folder: PathBuf,
        /// Where the path leads.
        place: PathBuf,
        permissions: Permissions,
    },
}

impl FileToBe {
    /// Finds out where the path leads, and opens a file to write to, by the rules of
    /// [`write_file`](crate::write_file).
    ///
    /// # Errors
    ///
    /// [`FileError`] if there can be no such file.
    pub fn prepare(path: &Path, options: FileOptions) -> Result<FileToBe, FileError> {
        match open(path, options) {
            Ok(opened) => Ok(FileToBe {
                path: path.to_owned(),
                options,
                opened,
            }),
            Err(error) => Err(FileError {
                path: path.to_owned(),
                source: error.into(),
            }),
        }
    }

    /// Writes the file and puts it in its place. This takes no memory but by Rust's allocator, starts no thread and
    /// uses no thread-local variable that has a destructor: a process made by `clone` can do it.
    ///
    /// # Errors
    ///
    /// [`FileError`] if `write` fails, or the system does. An older file of that name is unchanged.
    pub fn write(
        self,
        write: impl FnOnce(&mut (dyn io::Write + Send)) -> Result,
    ) -> Result<Written, FileError> {
        let path = self.path;
        let written = match self.opened {
            Opened::Directly(file) => write_to(&file, write).map(|()| None),
            Opened::Temporary {
                file,
                folder,
                place,
                permissions,
            } => write_to(file.file(), write).and_then(|()| {
                Ok(put_in_place(
                    file,
                    &folder,
                    &place,
                    permissions,
                    self.options,
                )?)
            }),
        };
        match written {
            Ok(readable_by_others) => Ok(Written { readable_by_others }),
            Err(source) => Err(FileError { path, source }),
        }
    }

    /// Returns the descriptor of what is written to, for a process that closes all others.
    pub fn descriptor(&self) -> RawFd {
        match &self.opened {
            Opened::Directly(file) => file.as_raw_fd(),
            Opened::Temporary { file, .. } => file.file().as_raw_fd(),
        }
    }

    /// Returns the temporary name that it has, if it has one, for [`remove_left_name`](crate::remove_left_name) when a
    /// process that writes it has ended.
    pub fn temporary_name(&self) -> Option<&Path> {
        match &self.opened {
            Opened::Temporary { file, .. } => file.name(),
            Opened::Directly(_) => None,
        }
    }

    /// Leaves the file to another process, which has it too.
    pub fn leave(self) {
        if let Opened::Temporary { file, .. } = self.opened {
            file.leave();
        }
    }
}

fn open(path: &Path, options: FileOptions) -> io::Result<Opened> {
    let place = place::resolve(path)?;
    if let Ok(there) = fs::metadata(path) {
        if options.keep_older {
            return Err(Errno::EXIST.into());
        }
        if let Place::OpenFile(_) = place
            && let Some(file) = standard_output::at(&there)?
        {
            return Ok(Opened::Directly(file));
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
                return Ok(Opened::Directly(file));
            }
            Permissions::over(&metadata, options.private)
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.file_name().is_some() => {
            Permissions::of_new(options.private)
        }
        Err(error) => return Err(error),
    };
    let (folder, place) = match place {
        Place::File { folder, path } => (folder, path),
        Place::OpenFile(path) => {
            let file = OpenOptions::new().append(true).open(path)?;
            return Ok(Opened::Directly(file));
        }
    };
    if options.tidy {
        temporary::remove_left_behind(&folder);
    }
    Ok(Opened::Temporary {
        file: Temporary::new(&folder, permissions.at_first())?,
        folder,
        place,
        permissions,
    })
}

fn write_to(file: &File, write: impl FnOnce(&mut (dyn io::Write + Send)) -> Result) -> Result {
    write(&mut Limited::at_end(file)?)
}

/// Gives a written file its permissions, its time and its name. Returns its permissions if others can read it by
/// those of an older file.
fn put_in_place(
    file: Temporary,
    folder: &Path,
    place: &Path,
    permissions: Permissions,
    options: FileOptions,
) -> io::Result<Option<u32>> {
    let mode = permissions.give_to(file.file())?;
    if let Some(time) = options.modified {
        file.file().set_modified(time)?;
    }
    if options.synced {
        file.file().sync_all()?;
    }
    match options.keep_older {
        true => file.move_to_free(place)?,
        false => file.move_to(place)?,
    }
    if options.synced {
        sync_folder(folder)?;
    }
    Ok(mode.and_then(for_others))
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

/// Returns `mode` if others can read by it.
pub(super) fn for_others(mode: u32) -> Option<u32> {
    (mode & 0o044 != 0).then_some(mode)
}
