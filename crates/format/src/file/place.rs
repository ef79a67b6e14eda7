//! Where a path leads.

use rustix::io::Errno;
use rustix::process::geteuid;
use std::fs::{self, Metadata};
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

/// Where a path leads.
pub(super) enum Place {
    /// To a file in a folder; it may not exist yet.
    File { folder: PathBuf, path: PathBuf },
    /// To a file that this process has open, through `/dev/stdout` and the like.
    OpenFile(PathBuf),
}

impl Place {
    /// Fails unless `there`, a regular file or not, may be written to directly.
    pub(super) fn expect_trusted(&self, there: &Metadata) -> io::Result<()> {
        match self {
            Place::File { folder, .. } => check_trusted(there, &fs::metadata(folder)?),
            Place::OpenFile(_) => Ok(()),
        }
    }
}

/// Follows symbolic links. The last one may lead to nothing yet.
pub(super) fn resolve(path: &Path) -> io::Result<Place> {
    const MOST_LINKS: usize = 40;
    if path.as_os_str().is_empty() {
        return Err(Errno::NOENT.into());
    }
    let mut path = path.to_owned();
    for _ in 0..MOST_LINKS {
        let name = path.file_name().ok_or(Errno::ISDIR)?;
        let folder = match path.parent() {
            Some(parent) if parent != Path::new("") => parent,
            _ => Path::new("."),
        };
        let folder = fs::canonicalize(folder)?;
        path = folder.join(name);
        match fs::read_link(&path) {
            Ok(_) if folder.starts_with("/proc") => return Ok(Place::OpenFile(path)),
            Ok(target) => {
                check_trusted(&fs::symlink_metadata(&path)?, &fs::metadata(&folder)?)?;
                path = folder.join(target);
            }
            Err(_) => return Ok(Place::File { folder, path }),
        }
    }
    Err(Errno::LOOP.into())
}

/// In a sticky folder where everybody may create names, only this user's links and those of the
/// folder's owner are followed, and only their FIFOs, sockets and devices are written to: anybody
/// else could be waiting for the data. The system has the same two rules, but both may be switched
/// off, and the second applies only to opens that may create a file.
fn check_trusted(there: &Metadata, folder: &Metadata) -> io::Result<()> {
    const STICKY_AND_FOR_ALL: u32 = 0o1002;
    let is_for_all = folder.mode() & STICKY_AND_FOR_ALL == STICKY_AND_FOR_ALL;
    let is_known = there.uid() == geteuid().as_raw() || there.uid() == folder.uid();
    match is_for_all && !is_known {
        true => Err(Errno::ACCESS.into()),
        false => Ok(()),
    }
}
