//! The file that metrics are in: written again after each step, gone with whoever writes it, and nobody else's.

use crate::about::about_file;
use crate::failure::Result;
use crate::file_identity::FileIdentity;
use crate::metrics::help::FIRST_LINE;
use luasnap_format::{check_publishable, publish_file};
use luasnap_words::Spoken;
use rustix::fs::{OFlags, Stat, lstat, unlink};
use std::ffi::CString;
use std::fs::{self, OpenOptions};
use std::io::{self, ErrorKind, Read};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::PathBuf;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};

/// The file's name, for whoever ends this program while the file is there: a signal handler, which may take neither a lock
/// nor memory.
static NAME: OnceLock<CString> = OnceLock::new();
/// Its device, and its number there; 0 while there is no file.
static DEVICE: AtomicU64 = AtomicU64::new(0);
static NUMBER: AtomicU64 = AtomicU64::new(0);
/// Whether it is being replaced: another file of ours may have the name already, whose number is not known yet.
static IS_BEING_WRITTEN: AtomicBool = AtomicBool::new(false);

/// A file of metrics, removed when this is dropped.
pub struct MetricsFile {
    path: PathBuf,
    /// The file that was written last.
    written: Option<FileIdentity>,
}

impl MetricsFile {
    /// Checks that there can be such a file.
    ///
    /// # Errors
    ///
    /// A sentence, if it cannot be written, or if there is one that luasnap did not write.
    pub fn new(path: PathBuf) -> Result<MetricsFile> {
        check_publishable(&path)?;
        let file = MetricsFile {
            path,
            written: None,
        };
        file.check_ours()?;
        Ok(file)
    }

    /// Replaces the file.
    ///
    /// # Errors
    ///
    /// A sentence, if it cannot be written, or if somebody has put another one in its place. What is there stays.
    pub fn write(&mut self, metrics: &str) -> Result<()> {
        self.check_ours()?;
        self.note_name();
        IS_BEING_WRITTEN.store(true, Ordering::Release);
        let written = publish_file(&self.path, |out| {
            out.write_all(FIRST_LINE.as_bytes())?;
            Ok(out.write_all(metrics.as_bytes())?)
        });
        if written.is_ok() {
            self.written = FileIdentity::of(&self.path).ok();
            self.note();
        }
        IS_BEING_WRITTEN.store(false, Ordering::Release);
        Ok(written?)
    }

    /// Fails if there is a file that may not be replaced: after the first writing, any but the one that was written; before
    /// it, any but one that another luasnap left.
    fn check_ours(&self) -> Result<()> {
        let there = match FileIdentity::of(&self.path) {
            Err(error) if error.kind() == ErrorKind::NotFound => return Ok(()),
            there => there,
        };
        let is_ours = match (there, self.written) {
            (Ok(there), Some(written)) => Ok(there == written),
            (Ok(_), None) => self.is_left_behind(),
            (Err(error), _) => Err(error),
        };
        let code = match (is_ours, self.written) {
            (Ok(true), _) => return Ok(()),
            (Ok(false), None) => "metrics.not_ours",
            (Ok(false), Some(_)) => "metrics.replaced",
            (Err(error), _) => {
                let cannot = about_file("metrics.cannot_look", &self.path);
                return Err(cannot.with("reason", error.sentence()).into());
            }
        };
        Err(about_file(code, &self.path).into())
    }

    /// Whether the file that is there begins as ours do. A link, a device or a pipe is none.
    fn is_left_behind(&self) -> io::Result<bool> {
        if !fs::symlink_metadata(&self.path)?.is_file() {
            return Ok(false);
        }
        let file = OpenOptions::new()
            .read(true)
            .custom_flags((OFlags::NOFOLLOW | OFlags::NONBLOCK).bits() as i32)
            .open(&self.path)?;
        let mut begin = Vec::new();
        file.take(FIRST_LINE.len() as u64).read_to_end(&mut begin)?;
        Ok(begin == FIRST_LINE.as_bytes())
    }

    /// Tells the handler of signals where the file will be.
    fn note_name(&self) {
        if let Ok(name) = CString::new(self.path.as_os_str().as_bytes()) {
            // There is one such file in a run.
            let _ = NAME.set(name);
        }
    }

    /// Tells the handler of signals which file there is.
    fn note(&self) {
        if let Some(written) = self.written {
            DEVICE.store(written.device, Ordering::Relaxed);
            NUMBER.store(written.number, Ordering::Release);
        }
    }
}

impl Drop for MetricsFile {
    fn drop(&mut self) {
        let there = FileIdentity::of(&self.path);
        if there.is_ok_and(|there| self.written == Some(there)) {
            // Where it cannot be removed it says when it was written last.
            let _ = fs::remove_file(&self.path);
        }
        NUMBER.store(0, Ordering::Release);
    }
}

/// Removes the file, if it is there and nobody has put another one in its place. For signal handlers: it takes no lock,
/// allocates nothing, and expects the program to end.
pub fn remove_published() {
    let Some(name) = NAME.get() else {
        return;
    };
    let number = NUMBER.load(Ordering::Acquire);
    let device = DEVICE.load(Ordering::Relaxed);
    let is_ours = || lstat(name).is_ok_and(|there| identity(&there) == (device, number));
    if IS_BEING_WRITTEN.load(Ordering::Acquire) || number != 0 && is_ours() {
        let _ = unlink(name);
    }
}

#[allow(
    clippy::unnecessary_cast,
    reason = "a device has 32 bits on some systems"
)]
fn identity(file: &Stat) -> (u64, u64) {
    (file.st_dev as u64, file.st_ino as u64)
}
