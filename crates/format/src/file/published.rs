//! Files that programs of other users read again and again: each writing replaces the whole of them at once.

use crate::answer_error::Result;
use crate::file::file_to_be::FileError;
use crate::file::limited::Limited;
use crate::file::temporary::Temporary;
use rustix::io::Errno;
use std::fs::Permissions;
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::Path;

/// Everybody may read it, and its owner write it, whatever the umask says.
const MODE: u32 = 0o644;

/// Writes a file for everybody to read (mode 0644) beside its place, and then renames it: a reader sees the older file or
/// the new one, never a part. Whatever has the name is replaced, a symbolic link too: what that leads to is neither
/// written nor read. It does not wait for the disk.
///
/// # Errors
///
/// [`FileError`] if the file cannot be written, or if `write` fails. What had the name is unchanged then.
///
/// # Examples
///
/// ```
/// use std::os::unix::fs::PermissionsExt;
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let folder = tempfile::tempdir()?;
/// let path = folder.path().join("lua.prom");
/// luasnap_format::publish_file(&path, |out| Ok(out.write_all(b"lua_heap_bytes 1\n")?))?;
/// luasnap_format::publish_file(&path, |out| Ok(out.write_all(b"lua_heap_bytes 2\n")?))?;
///
/// assert_eq!(std::fs::read_to_string(&path)?, "lua_heap_bytes 2\n");
/// assert_eq!(std::fs::metadata(&path)?.permissions().mode() & 0o777, 0o644);
/// # Ok(())
/// # }
/// ```
pub fn publish_file(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> Result,
) -> Result<(), FileError> {
    let publish = || -> Result {
        let temporary = beside(path)?;
        let file = temporary.file();
        write(&mut Limited::at_end(file)?)?;
        // A file system without permissions of its own keeps them as they are.
        if file.metadata()?.mode() & 0o7777 != MODE {
            file.set_permissions(Permissions::from_mode(MODE))?;
        }
        Ok(temporary.move_to(path)?)
    };
    publish().map_err(|source| FileError {
        path: path.to_owned(),
        source,
    })
}

/// Checks that a file can be [published](publish_file), as far as the folder says. Nothing of this stays.
///
/// # Errors
///
/// [`FileError`] if there can be no file in the folder.
pub fn check_publishable(path: &Path) -> Result<(), FileError> {
    beside(path).map(drop).map_err(|error| FileError {
        path: path.to_owned(),
        source: error.into(),
    })
}

/// Returns a file without a name, or with a temporary one, in the folder of a path.
fn beside(path: &Path) -> io::Result<Temporary> {
    path.file_name().ok_or(Errno::ISDIR)?;
    let folder = match path.parent() {
        Some(folder) if folder != Path::new("") => folder,
        _ => Path::new("."),
    };
    Temporary::new(folder, MODE)
}
