//! Where a path leads.

use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where a path leads.
pub(super) enum Place {
    /// To a file, there already or not, in a folder.
    File { folder: PathBuf, path: PathBuf },
    /// To a file that this process has open, by way of `/dev/stdout` and the like.
    OpenFile(PathBuf),
}

/// Follows symbolic links, the last of which may lead to nothing yet.
pub(super) fn resolve(path: &Path) -> io::Result<Place> {
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
            Ok(target) => {
                is_to_be_trusted(&fs::symlink_metadata(&path)?, &fs::metadata(&folder)?)?;
                path = folder.join(target);
            }
            Err(_) => return Ok(Place::File { folder, path }),
        }
    }
    Err(io::Error::other("too many levels of symbolic links"))
}

/// In a folder where everybody may make names, only one's own links and those of the folder's owner are
/// followed: the system's own rule, which it need not have been told.
fn is_to_be_trusted(link: &Metadata, folder: &Metadata) -> io::Result<()> {
    const STICKY_AND_FOR_ALL: u32 = 0o1002;
    let is_for_all = folder.mode() & STICKY_AND_FOR_ALL == STICKY_AND_FOR_ALL;
    let is_known = link.uid() == geteuid().as_raw() || link.uid() == folder.uid();
    match is_for_all && !is_known {
        true => Err(Errno::ACCESS.into()),
        false => Ok(()),
    }
}
