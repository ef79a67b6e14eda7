//! What the process says of its work, in memory that it shares with the host.
//!
//! Not by a pipe: nobody may read it, and then there is nothing that could fill up or be closed.

use std::ptr::null_mut;
use std::sync::atomic::{AtomicI32, AtomicU8, AtomicU32, Ordering};

/// Why the file was not written.
#[derive(Clone, PartialEq, Eq, Debug)]
pub enum Failure {
    /// The process had not enough memory.
    OutOfMemory,
    /// The number of a system's error. What it is called is asked here: in the process, that may take a lock.
    System(i32),
    /// A sentence.
    Said(String),
    /// The process was ended by this signal.
    Killed(i32),
    /// Our own code panicked.
    Panicked,
    /// The process ended and said nothing, or somebody else was told how.
    Silent,
}

/// The longest sentence in bytes.
const LONGEST: usize = 4000;

const NOTHING: u32 = 0;
const WRITTEN: u32 = 1;
const OUT_OF_MEMORY: u32 = 2;
const SYSTEM: u32 = 3;
const SAID: u32 = 4;

#[repr(C)]
struct Page {
    state: AtomicU32,
    number: AtomicI32,
    len: AtomicU32,
    text: [AtomicU8; LONGEST],
}

/// The shared memory.
pub(super) struct Report(*const Page);

// SAFETY: it is made of atomics, and unmapped by its owner alone.
unsafe impl Send for Report {}

impl Report {
    /// Shared memory that says nothing yet; `None` where there is none.
    pub(super) fn new() -> Option<Report> {
        let (protection, flags) = (
            libc::PROT_READ | libc::PROT_WRITE,
            libc::MAP_SHARED | libc::MAP_ANONYMOUS,
        );
        // SAFETY: a new mapping, placed by the kernel.
        let start = unsafe { libc::mmap(null_mut(), size_of::<Page>(), protection, flags, -1, 0) };
        (start != libc::MAP_FAILED).then_some(Report(start.cast()))
    }

    fn page(&self) -> &Page {
        // SAFETY: mapped for as long as `self` lives, and any bytes are atomics.
        unsafe { &*self.0 }
    }

    /// Says how the work ended.
    pub(super) fn say(&self, ended: &Result<(), Failure>) {
        let page = self.page();
        let state = match ended {
            Ok(()) => WRITTEN,
            Err(Failure::OutOfMemory) => OUT_OF_MEMORY,
            Err(Failure::System(number)) => {
                page.number.store(*number, Ordering::Relaxed);
                SYSTEM
            }
            Err(Failure::Said(text)) => {
                let mut ends = (0..=text.len().min(LONGEST)).rev();
                let len = ends.find(|&at| text.is_char_boundary(at)).unwrap_or(0);
                for (to, byte) in page.text.iter().zip(text[..len].bytes()) {
                    to.store(byte, Ordering::Relaxed);
                }
                page.len.store(len as u32, Ordering::Relaxed);
                SAID
            }
            // These are not said by whom they happen to.
            Err(Failure::Killed(_) | Failure::Panicked | Failure::Silent) => NOTHING,
        };
        page.state.store(state, Ordering::Release);
    }

    /// What was said; `None` where nothing was.
    pub(super) fn said(&self) -> Option<Result<(), Failure>> {
        let page = self.page();
        match page.state.load(Ordering::Acquire) {
            WRITTEN => Some(Ok(())),
            OUT_OF_MEMORY => Some(Err(Failure::OutOfMemory)),
            SYSTEM => Some(Err(Failure::System(page.number.load(Ordering::Relaxed)))),
            SAID => {
                let len = page.len.load(Ordering::Relaxed) as usize;
                let text = page.text.iter().take(len);
                let text: Vec<u8> = text.map(|byte| byte.load(Ordering::Relaxed)).collect();
                Some(Err(Failure::Said(
                    String::from_utf8_lossy(&text).into_owned(),
                )))
            }
            _ => None,
        }
    }
}

impl Drop for Report {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and this was its last use.
        unsafe { libc::munmap(self.0.cast_mut().cast(), size_of::<Page>()) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_said_is_heard() {
        let report = Report::new().unwrap();
        assert_eq!(report.said(), None);
        let long = "é".repeat(LONGEST);
        for ended in [
            Ok(()),
            Err(Failure::OutOfMemory),
            Err(Failure::System(28)),
            Err(Failure::Said("a sentence".into())),
            Err(Failure::Said(String::new())),
        ] {
            report.say(&ended);
            assert_eq!(report.said(), Some(ended));
        }
        report.say(&Err(Failure::Said(long.clone())));
        let cut = long[..LONGEST].to_owned();
        assert_eq!(report.said(), Some(Err(Failure::Said(cut))));
    }
}
