//! The temporary name of a file, for whoever ends the process while it is written.
//!
//! A signal may end it, and a signal handler may neither wait for a lock nor allocate: so the name
//! is kept in a static. A process writes one file at a time. If several threads of a host do, only
//! one name is noted, and no host asks for it.

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

/// The system's limit for a path in bytes, with its zero byte.
const LONGEST: usize = 4096;

static IS_TAKEN: AtomicBool = AtomicBool::new(false);
static BYTES: [AtomicU8; LONGEST] = [const { AtomicU8::new(0) }; LONGEST];
/// The length of the name in bytes; 0 if there is none.
static LEN: AtomicUsize = AtomicUsize::new(0);

/// Removes the temporary file that is being written, if it has a name. For signal handlers: it
/// takes no lock, allocates nothing, and expects the process to end.
pub fn remove_temporary_file() {
    let len = LEN.load(Ordering::Acquire);
    if len == 0 {
        return;
    }
    let mut name = [0; LONGEST];
    for (byte, noted) in name.iter_mut().zip(&BYTES).take(len) {
        *byte = noted.load(Ordering::Relaxed);
    }
    if let Ok(name) = CStr::from_bytes_until_nul(&name) {
        let _ = rustix::fs::unlink(name);
    }
}

/// A name that stays noted until this is dropped.
pub(super) struct Noted {
    is_ours: bool,
}

impl Noted {
    /// Notes a name before the file has it.
    pub(super) fn new(path: &Path) -> Noted {
        let bytes = path.as_os_str().as_bytes();
        let is_ours = bytes.len() < LONGEST && !IS_TAKEN.swap(true, Ordering::AcqRel);
        if is_ours {
            for (noted, byte) in BYTES.iter().zip(bytes) {
                noted.store(*byte, Ordering::Relaxed);
            }
            LEN.store(bytes.len(), Ordering::Release);
        }
        Noted { is_ours }
    }
}

impl Drop for Noted {
    fn drop(&mut self) {
        if self.is_ours {
            LEN.store(0, Ordering::Release);
            IS_TAKEN.store(false, Ordering::Release);
        }
    }
}
