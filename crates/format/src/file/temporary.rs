//! The file that is written before it replaces another one.
//!
//! Where the system supports files without a name (`O_TMPFILE`), it is one of these: however the
//! process ends, nothing of it stays. It has a temporary name only between `linkat` and `rename`.
//! Elsewhere it has one from the start.
//!
//! While it has a temporary name it is locked (`flock`), so that a process that removes left-over
//! files can tell whether it is still being written.

use crate::file::temporary_name::Noted;
use rustix::fs::{AtFlags, CWD, FlockOperation, OFlags, flock, linkat};
use rustix::io::Errno;
use rustix::process::geteuid;
use std::ffi::OsStr;
use std::fs::{self, File, Metadata, OpenOptions};
use std::hash::{BuildHasher, Hasher, RandomState};
use std::io::{self, Seek};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use tempfile::{NamedTempFile, TempPath};

const PREFIX: &str = ".luasnap-";
const SUFFIX: &str = ".tmp";
/// The number of letters and digits between the two.
const RANDOM: usize = 12;

/// A file that is not at its place yet.
pub(super) enum Temporary {
    /// Without a name, for this folder.
    Nameless(File, PathBuf),
    /// With a temporary name.
    Named(Named<File>),
}

impl Temporary {
    /// Creates one in a folder, with these permissions less the umask.
    pub(super) fn new(folder: &Path, mode: u32) -> io::Result<Temporary> {
        match nameless(folder, mode) {
            Some(file) => Ok(Temporary::Nameless(file, folder.to_owned())),
            None => Ok(Temporary::Named(named(folder, mode)?)),
        }
    }

    pub(super) fn file(&self) -> &File {
        match self {
            Temporary::Nameless(file, _) => file,
            Temporary::Named(named) => named.temporary.as_file(),
        }
    }

    /// Gives it the name `path`, in the same folder, and so replaces an older file of that name.
    pub(super) fn move_to(self, path: &Path) -> io::Result<()> {
        match self {
            Temporary::Named(named) => named.move_to(path),
            // If the name is free, no temporary one is needed.
            Temporary::Nameless(file, _) if link(&file, path).is_ok() => Ok(()),
            Temporary::Nameless(mut file, folder) => match name(&file, &folder) {
                Ok(named) => named.move_to(path),
                Err(_) => copy(&mut file, &folder)?.move_to(path),
            },
        }
    }
}

impl Temporary {
    /// Returns its temporary name, if it has one.
    pub(super) fn name(&self) -> Option<&Path> {
        match self {
            Temporary::Nameless(..) => None,
            Temporary::Named(named) => Some(named.temporary.path()),
        }
    }

    /// Leaves it to another process, which has it open.
    pub(super) fn leave(self) {
        if let Temporary::Named(named) = self {
            // It keeps its name; so it does where this fails.
            let _ = named.temporary.keep();
        }
    }

    /// Gives it the name `path`, in the same folder.
    ///
    /// # Errors
    ///
    /// `AlreadyExists` if there is a file of that name.
    pub(super) fn move_to_free(self, path: &Path) -> io::Result<()> {
        match self {
            Temporary::Named(named) => named.move_to_free(path),
            Temporary::Nameless(mut file, folder) => match link(&file, path) {
                Err(error) if error.kind() != io::ErrorKind::AlreadyExists => {
                    copy(&mut file, &folder)?.move_to_free(path)
                }
                linked => linked,
            },
        }
    }
}

/// A file with a temporary name.
pub(super) struct Named<F> {
    // Dropped in this order: the name stays noted for as long as the file may have it.
    temporary: NamedTempFile<F>,
    _noted: Noted,
}

impl<F> Named<F> {
    fn move_to(self, path: &Path) -> io::Result<()> {
        self.temporary.persist(path).map_err(|error| error.error)?;
        Ok(())
    }

    fn move_to_free(self, path: &Path) -> io::Result<()> {
        let moved = self.temporary.persist_noclobber(path);
        moved.map_err(|error| error.error)?;
        Ok(())
    }
}

/// Creates a file without a name; `None` if the file system has no such files, or if this one could
/// not be given a name later.
#[cfg(target_os = "linux")]
fn nameless(folder: &Path, mode: u32) -> Option<File> {
    let file = OpenOptions::new()
        .read(true)
        .write(true)
        .mode(mode)
        .custom_flags(OFlags::TMPFILE.bits() as i32)
        .open(folder)
        .ok()?;
    let by_system = fs::metadata(path_of(&file)).ok()?;
    is_same(&by_system, &file.metadata().ok()?).then_some(file)
}

/// Returns `None`: only Linux has such files.
#[cfg(not(target_os = "linux"))]
fn nameless(_: &Path, _: u32) -> Option<File> {
    None
}

/// Returns a path to an open file.
fn path_of(file: &File) -> String {
    format!("/proc/self/fd/{}", file.as_raw_fd())
}

fn link(file: &File, path: &Path) -> io::Result<()> {
    Ok(linkat(
        CWD,
        path_of(file),
        CWD,
        path,
        AtFlags::SYMLINK_FOLLOW,
    )?)
}

/// Gives a file without a name a new one.
fn name(file: &File, folder: &Path) -> io::Result<Named<()>> {
    lock(file);
    with_new_name(folder, |path| link(file, path))
}

/// Creates a file with a new name.
fn named(folder: &Path, mode: u32) -> io::Result<Named<File>> {
    with_new_name(folder, |path| {
        let file = OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(mode)
            .open(path)?;
        // A process that looked at it before it was locked took it for left over and removed it.
        match lock(&file) && file.metadata()?.nlink() > 0 {
            true => Ok(file),
            false => Err(io::ErrorKind::AlreadyExists.into()),
        }
    })
}

/// Copies a file that the system does not give a name to one that has a name.
fn copy(file: &mut File, folder: &Path) -> io::Result<Named<File>> {
    let metadata = file.metadata()?;
    let copy = named(folder, metadata.mode() & 0o600)?;
    file.rewind()?;
    io::copy(file, &mut copy.temporary.as_file())?;
    copy.temporary
        .as_file()
        .set_permissions(metadata.permissions())?;
    copy.temporary.as_file().sync_all()?;
    Ok(copy)
}

/// Tries names until `make` has created one that was free. Not by `tempfile`, whose random numbers need a thread-local
/// variable with a destructor, for which the C library allocates.
fn with_new_name<F>(
    folder: &Path,
    mut make: impl FnMut(&Path) -> io::Result<F>,
) -> io::Result<Named<F>> {
    const MOST_TRIES: usize = 1000;
    for _ in 0..MOST_TRIES {
        let path = folder.join(random_name());
        let _noted = Noted::new(&path);
        match make(&path) {
            Ok(file) => {
                let temporary = NamedTempFile::from_parts(file, TempPath::try_from_path(path)?);
                return Ok(Named { temporary, _noted });
            }
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {}
            Err(error) => return Err(error),
        }
    }
    Err(io::ErrorKind::AlreadyExists.into())
}

/// A temporary name that nobody can guess.
fn random_name() -> String {
    const LETTERS: &[u8; 62] = b"0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    let mut hasher = RandomState::new().build_hasher();
    // A process and the one it made have the same keys.
    hasher.write_u32(std::process::id());
    let mut number = hasher.finish();
    let mut name = PREFIX.to_owned();
    for _ in 0..RANDOM {
        name.push(LETTERS[(number % 62) as usize].into());
        number /= 62;
    }
    name + SUFFIX
}

/// Locks a file for as long as it is open. False if somebody else has locked it. A file system
/// without locks is no obstacle: nobody can take its files for left over either.
fn lock(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive) != Err(Errno::WOULDBLOCK)
}

/// Removes files in a folder that writers of this user left when they were killed.
pub(super) fn remove_left_behind(folder: &Path) {
    let Ok(entries) = fs::read_dir(folder) else {
        return;
    };
    for entry in entries.flatten() {
        if is_temporary(&entry.file_name()) {
            // A failure here is no reason not to write the new file.
            let _ = remove_if_left_behind(&entry.path());
        }
    }
}

fn is_temporary(name: &OsStr) -> bool {
    let random = name
        .as_bytes()
        .strip_prefix(PREFIX.as_bytes())
        .and_then(|rest| rest.strip_suffix(SUFFIX.as_bytes()));
    random.is_some_and(|random| {
        random.len() == RANDOM && random.iter().all(u8::is_ascii_alphanumeric)
    })
}

/// Removes a file that a process which has ended may have left under a temporary name.
pub fn remove_left_name(path: &Path) {
    // It is gone where that process has put it in its place.
    let _ = remove_if_left_behind(path);
}

fn remove_if_left_behind(path: &Path) -> io::Result<()> {
    let file = OpenOptions::new()
        .read(true)
        .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
        .open(path)?;
    let metadata = file.metadata()?;
    let is_ours = metadata.is_file() && metadata.uid() == geteuid().as_raw();
    // Without a lock, its writer may still be running.
    if is_ours && flock(&file, FlockOperation::NonBlockingLockExclusive).is_ok() {
        // It may have been moved to its place since, and another file have its name.
        if is_same(&metadata, &fs::symlink_metadata(path)?) {
            fs::remove_file(path)?;
        }
    }
    Ok(())
}

fn is_same(a: &Metadata, b: &Metadata) -> bool {
    (a.dev(), a.ino()) == (b.dev(), b.ino())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::remove_temporary_file;
    use std::io::Write;
    use std::sync::{Mutex, MutexGuard, PoisonError};

    /// A process notes one name at a time.
    fn alone() -> MutexGuard<'static, ()> {
        static ALONE: Mutex<()> = Mutex::new(());
        ALONE.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn names(folder: &Path) -> Vec<String> {
        let entries = fs::read_dir(folder).unwrap();
        let mut names: Vec<_> = entries
            .map(|entry| entry.unwrap().file_name().into_string().unwrap())
            .collect();
        names.sort();
        names
    }

    #[test]
    fn without_nameless_files_a_named_one_takes_its_place() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "older").unwrap();
        let named = named(folder.path(), 0o600).unwrap();
        named.temporary.as_file().write_all(b"new").unwrap();
        let [name, other] = &names(folder.path())[..] else {
            panic!()
        };
        assert!(is_temporary(OsStr::new(name)) && other == "file", "{name}");
        let mode = fs::metadata(folder.path().join(name)).unwrap().mode();
        assert_eq!(mode & 0o7777, 0o600);
        Temporary::Named(named).move_to(&path).unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "new");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn a_name_that_is_taken_is_kept() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("file");
        fs::write(&path, "older").unwrap();
        let kinds: [fn(&Path) -> Temporary; 2] = [
            |folder| Temporary::new(folder, 0o600).unwrap(),
            |folder| Temporary::Named(named(folder, 0o600).unwrap()),
        ];
        for kind in kinds {
            let temporary = kind(folder.path());
            let error = temporary.move_to_free(&path).unwrap_err();
            assert_eq!(error.kind(), io::ErrorKind::AlreadyExists);
            assert_eq!(fs::read_to_string(&path).unwrap(), "older");
            assert_eq!(names(folder.path()), ["file"]);
        }
        for kind in kinds {
            let temporary = kind(folder.path());
            fs::remove_file(&path).unwrap();
            let mut file = temporary.file();
            file.write_all(b"new").unwrap();
            temporary.move_to_free(&path).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), "new");
            assert_eq!(names(folder.path()), ["file"]);
        }
    }

    #[test]
    fn one_that_is_given_up_is_gone() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        drop(named(folder.path(), 0o600).unwrap());
        drop(Temporary::new(folder.path(), 0o600).unwrap());
        assert!(names(folder.path()).is_empty());
    }

    #[test]
    fn whoever_ends_the_process_removes_it() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let named = named(folder.path(), 0o600).unwrap();
        assert_eq!(names(folder.path()).len(), 1);
        remove_temporary_file();
        assert!(names(folder.path()).is_empty());
        drop(named);
        // It removes neither a file at its place nor one that is no longer noted.
        let path = folder.path().join("file");
        let done = super::named(folder.path(), 0o600).unwrap();
        Temporary::Named(done).move_to(&path).unwrap();
        remove_temporary_file();
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn a_file_that_the_system_gives_no_name_is_copied() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(b"text").unwrap();
        let path = folder.path().join("file");
        copy(&mut file, folder.path())
            .unwrap()
            .move_to(&path)
            .unwrap();
        assert_eq!(fs::read_to_string(&path).unwrap(), "text");
        assert_eq!(names(folder.path()), ["file"]);
    }

    #[test]
    fn what_is_still_written_is_not_left_behind() {
        let _alone = alone();
        let folder = tempfile::tempdir().unwrap();
        let in_folder = |name: &str| folder.path().join(name);
        let written = named(folder.path(), 0o600).unwrap();
        let left_behind = in_folder(".luasnap-abcDEF123456.tmp");
        fs::write(&left_behind, "of one that was killed").unwrap();
        let others = [
            ".luasnap-backup",
            ".luasnap-abcdef.tmp",
            ".luasnap-abcDEF12345-.tmp",
            "luasnap-abcDEF123456.tmp",
        ];
        for other in others {
            fs::write(in_folder(other), "").unwrap();
        }
        fs::create_dir(in_folder(".luasnap-abcDEF123457.tmp")).unwrap();
        std::os::unix::fs::symlink("nowhere", in_folder(".luasnap-abcDEF123458.tmp")).unwrap();
        let before = names(folder.path()).len();
        remove_left_behind(folder.path());
        assert!(!left_behind.exists());
        assert_eq!(names(folder.path()).len(), before - 1);
        written.move_to(&in_folder("file")).unwrap();
        assert!(in_folder("file").exists());
    }
}
