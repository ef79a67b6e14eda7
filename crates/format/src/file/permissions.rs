//! Who may read and write a file that is written.

use rustix::fs::{Gid, fchown};
use rustix::process::geteuid;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// For all whom the umask does not keep away.
const BY_UMASK: u32 = 0o666;

/// The permissions that a file is to have.
pub(super) enum Permissions {
    /// Those of a new file, from which the system takes the umask.
    New(u32),
    /// Those of an older one of this user's.
    Kept {
        /// No more than the nine bits that say who may read, write and execute.
        mode: u32,
        /// Whom the group's are for.
        group: u32,
    },
}

impl Permissions {
    pub(super) fn of_new(private: bool) -> Permissions {
        Permissions::New(if private { PRIVATE } else { BY_UMASK })
    }

    /// Of a file that takes the place of another one. Whoever owns that one chose its permissions, and
    /// where that is somebody else they are no permissions for a file of ours.
    pub(super) fn over(older: &Metadata, private: bool) -> Permissions {
        match older.uid() == geteuid().as_raw() {
            true => Permissions::Kept {
                mode: older.mode() & 0o777,
                group: older.gid(),
            },
            false => Permissions::of_new(private),
        }
    }

    /// Those that a file is made with, before anything is in it.
    pub(super) fn at_first(&self) -> u32 {
        match self {
            Permissions::New(mode) => *mode,
            Permissions::Kept { .. } => PRIVATE,
        }
    }

    /// Gives a file those that it is to have in the end; answers them where they are an older file's.
    pub(super) fn give_to(&self, file: &File) -> io::Result<Option<u32>> {
        let Permissions::Kept { mut mode, group } = *self else {
            return Ok(None);
        };
        let metadata = file.metadata()?;
        if metadata.gid() != group && fchown(file, None, Some(Gid::from_raw(group))).is_err() {
            // What was for that group is not for another one: it may do what all may.
            mode &= 0o707 | (mode & 0o007) << 3;
        }
        // Where a file system has no permissions of its own, they are as they are.
        if file.metadata()?.mode() & 0o7777 != mode {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
        }
        Ok(Some(mode))
    }
}
