//! The name that a temporary file has for a while, for the one who ends the process meanwhile.
//!
//! It may be a signal that ends it, and a signal's handler may neither wait for a lock nor ask for memory:
//! so the name lies in place. A process writes one file at a time; where several threads of a host do, the
//! others' names are not noted, and nobody asks for them there.

use std::ffi::CStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU8, AtomicUsize, Ordering};

/// As long as a path may be for the system, with its zero byte.
const LONGEST: usize = 4096;

static IS_TAKEN: AtomicBool = AtomicBool::new(false);
static BYTES: [AtomicU8; LONGEST] = [const { AtomicU8::new(0) }; LONGEST];
/// How many of them there are; none where there is no name.
static LEN: AtomicUsize = AtomicUsize::new(0);

/// Removes the temporary file that is being written, where it has a name. For handlers of signals: it
/// takes no lock and no memory, and the process is expected to end.
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

/// A name that is noted until this is dropped.
pub(super) struct Noted {
    is_ours: bool,
}

impl Noted {
    /// Notes a name, before the file has it.
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
