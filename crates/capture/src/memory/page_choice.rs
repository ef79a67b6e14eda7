//! Huge pages or small ones: whichever come quicker here.
//!
//! A huge page of memory that was in use a moment ago takes a sixth of the time of as many small ones. But a virtual
//! machine that tells its host what is free has no such huge pages: the host fetches each anew, and then they take two
//! to six times as long as small ones. `docs/decisions/huge-pages.md` has the figures.

use crate::memory::page_advice::{avoid_huge_pages, populate_at, prefer_huge_pages};
use std::ffi::c_void;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

/// Bytes of a huge page of x86-64, and of AArch64 with small pages of 4 KiB.
const HUGE_PAGE: usize = 2 << 20;

/// What small pages cost where they were not measured, in nanoseconds a MiB.
const USUAL: u64 = 1_000_000;

/// The choice for memory that is fetched in shares, by what the last ones cost, in nanoseconds a MiB.
#[derive(Clone, Copy, Default, Debug)]
pub(crate) struct PageChoice {
    huge: Option<u64>,
    small: Option<u64>,
}

impl PageChoice {
    /// Whether the next share is to have huge pages.
    pub(crate) fn is_huge(self) -> bool {
        let Some(huge) = self.huge else {
            return true;
        };
        huge <= self.small.unwrap_or(USUAL)
    }

    /// Notes what a share took.
    pub(crate) fn note(&mut self, is_huge: bool, bytes: usize, took: Duration) {
        let mebibytes = (bytes >> 20).max(1) as u128;
        let cost = Some((took.as_nanos() / mebibytes) as u64);
        match is_huge {
            true => self.huge = cost,
            false => self.small = cost,
        }
    }
}

/// Tells the system which pages are wanted for memory that is fetched later.
pub(crate) fn advise(start: *mut c_void, len: usize, is_huge: bool) {
    match is_huge {
        true => prefer_huge_pages(start, len),
        false => avoid_huge_pages(start, len),
    }
}

/// Size in bytes from which a new mapping's first huge page is fetched, to see how long it takes.
const TRIED: usize = 32 << 20;

/// Whether the last huge page that was tried came slowly.
static ARE_SLOW: AtomicBool = AtomicBool::new(false);

/// Asks for huge pages for a new mapping, unless they come slowly.
pub(crate) fn prefer_quick_pages(start: *mut c_void, len: usize) {
    if len >= TRIED {
        let before = (start as usize).next_multiple_of(HUGE_PAGE) - start as usize;
        let first = start.wrapping_byte_add(before);
        prefer_huge_pages(first, HUGE_PAGE);
        let begin = Instant::now();
        populate_at(first, HUGE_PAGE);
        let mut choice = PageChoice::default();
        choice.note(true, HUGE_PAGE, begin.elapsed());
        ARE_SLOW.store(!choice.is_huge(), Ordering::Relaxed);
    }
    prefer_pages_as_before(start, len);
}

/// Asks for huge pages for a mapping that has some already, unless the last one came slowly.
pub(crate) fn prefer_pages_as_before(start: *mut c_void, len: usize) {
    if !ARE_SLOW.load(Ordering::Relaxed) {
        prefer_huge_pages(start, len);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_came_quicker_the_last_time_is_chosen() {
        let mut choice = PageChoice::default();
        let mut after = |is_huge, milliseconds| {
            choice.note(is_huge, 32 << 20, Duration::from_millis(milliseconds));
            choice.is_huge()
        };
        assert!(PageChoice::default().is_huge());
        // Huge pages that are there already, then ones that are not.
        assert!(after(true, 5));
        assert!(!after(true, 110));
        assert!(!after(false, 35));
        // Small ones run out, too.
        assert!(after(false, 120));
        assert!(!after(true, 130));
        assert!(!after(false, 120));
        assert!(after(true, 5));
    }

    #[test]
    fn a_share_of_less_than_a_mebibyte_is_counted_as_one() {
        let mut choice = PageChoice::default();
        choice.note(true, 0, Duration::ZERO);
        assert!(choice.is_huge());
        choice.note(true, 1, Duration::from_secs(u64::MAX));
        assert!(!choice.is_huge());
    }
}
