//! Writing files without ever losing an older one.

use crate::answer_error::{AnswerError, Result};
use std::fs::{self, File, OpenOptions, Permissions};
use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};
use tempfile::NamedTempFile;

/// A file that could not be written. A file of that name is as it was.
#[derive(Debug, thiserror::Error)]
#[error("cannot write '{}': {source}", path.display())]
pub struct FileError {
    /// The file.
    pub path: PathBuf,
    /// Why not.
    pub source: AnswerError,
}

/// Writes a file: beside the place where it belongs, and then renamed into it, so that one who
/// fails half-way leaves an older file of that name untouched.
///
/// An older file's permissions are kept. Where the path is a symbolic link, it is the link's
/// target that is replaced. What is no regular file (`/dev/stdout`, a FIFO) is written to directly.
pub fn write_file(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result<(), FileError> {
    write_to(path, write).map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

fn write_to(path: &Path, write: impl FnOnce(&mut dyn io::Write) -> Result) -> Result {
    let permissions = match OpenOptions::new().write(true).open(path) {
        Ok(file) => {
            let metadata = file.metadata()?;
            if !metadata.is_file() {
                return write_directly(file, write);
            }
            Some(metadata.permissions())
        }
        Err(error) if error.kind() == io::ErrorKind::NotFound && path.file_name().is_some() => None,
        Err(error) => return Err(error.into()),
    };
    match resolve(path)? {
        Place::File { folder, path } => replace(&folder, &path, permissions, write),
        Place::OpenFile(path) => write_directly(OpenOptions::new().append(true).open(path)?, write),
    }
}

fn write_directly(mut file: File, write: impl FnOnce(&mut dyn io::Write) -> Result) -> Result {
    write(&mut file)
}

fn replace(
    folder: &Path,
    path: &Path,
    permissions: Option<Permissions>,
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result {
    let mut file = tempfile::Builder::new()
        .prefix(".luasnap-")
        // The system takes the umask off.
        .permissions(Permissions::from_mode(0o666))
        .tempfile_in(folder)?;
    write(file.as_file_mut())?;
    if let Some(permissions) = permissions {
        file.as_file().set_permissions(permissions)?;
    }
    Ok(persist(file, path)?)
}

fn persist(file: NamedTempFile, path: &Path) -> io::Result<()> {
    file.persist(path).map_err(|error| error.error)?;
    Ok(())
}

/// Where a path leads.
enum Place {
    /// To a file, there already or not, in a folder.
    File { folder: PathBuf, path: PathBuf },
    /// To a file that this process has open, by way of `/dev/stdout` and the like.
    OpenFile(PathBuf),
}

/// Follows symbolic links, the last of which may lead to nothing yet.
fn resolve(path: &Path) -> io::Result<Place> {
    const MOST_LINKS: usize = 40;
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let name = path.file_name().ok_or(io::ErrorKind::IsADirectory)?;
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let folder = fs::canonicalize(folder)?;
        path = folder.join(name);
        match fs::read_link(&path) {
            Ok(_) if folder.starts_with("/proc") => return Ok(Place::OpenFile(path)),
            Ok(target) => path = folder.join(target),
            Err(_) => return Ok(Place::File { folder, path }),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}
