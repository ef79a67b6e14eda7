//! Permissions of written files.

use rustix::fs::{Gid, fchown};
use rustix::process::geteuid;
use std::fs::{self, File, Metadata};
use std::io;
use std::os::unix::fs::{MetadataExt, PermissionsExt};

/// For its owner alone.
const PRIVATE: u32 = 0o600;
/// For everybody whom the umask does not exclude.
const BY_UMASK: u32 = 0o666;

/// The permissions of a file to be written.
pub(super) enum Permissions {
    /// Those of a new file, from which the system removes the umask.
    New(u32),
    /// Those of an older file of this user.
    Kept {
        /// The nine bits for reading, writing and executing.
        mode: u32,
        /// The group that has the group permissions.
        group: u32,
    },
}

impl Permissions {
    pub(super) fn of_new(private: bool) -> Permissions {
        Permissions::New(if private { PRIVATE } else { BY_UMASK })
    }

    /// Returns the permissions of a file that replaces an older one. If somebody else owns the
    /// older file, the permissions are their choice and not kept.
    pub(super) fn over(older: &Metadata, private: bool) -> Permissions {
        match older.uid() == geteuid().as_raw() {
            true => Permissions::Kept {
                mode: older.mode() & 0o777,
                group: older.gid(),
            },
            false => Permissions::of_new(private),
        }
    }

    /// Returns the mode to create the file with, while it is empty.
    pub(super) fn at_first(&self) -> u32 {
        match self {
            Permissions::New(mode) => *mode,
            Permissions::Kept { .. } => PRIVATE,
        }
    }

    /// Gives a file its final permissions. Returns them if they are those of an older file.
    pub(super) fn give_to(&self, file: &File) -> io::Result<Option<u32>> {
        let Permissions::Kept { mut mode, group } = *self else {
            return Ok(None);
        };
        let metadata = file.metadata()?;
        if metadata.gid() != group && fchown(file, None, Some(Gid::from_raw(group))).is_err() {
            // Permissions of that group do not apply to another group, which gets those of all
            // others.
            mode &= 0o707 | (mode & 0o007) << 3;
        }
        // A file system without permissions of its own keeps them as they are.
        if file.metadata()?.mode() & 0o7777 != mode {
            file.set_permissions(fs::Permissions::from_mode(mode))?;
        }
        Ok(Some(mode))
    }
}
