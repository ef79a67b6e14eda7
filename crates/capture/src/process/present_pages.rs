//! Which pages of a process are present: in memory or swapped out. The others are all zeroes, and
//! reading them would make the process larger.

use crate::memory::page_size::page_size;
use std::fs::File;
use std::io;
use std::os::fd::AsRawFd;
use std::os::unix::fs::FileExt;

/// Bits of an entry of `/proc/PID/pagemap`: the page is in memory; it is swapped out.
const PRESENT: u64 = 1 << 63;
const SWAPPED: u64 = 1 << 62;
/// Number of entries read at once.
const ENTRIES: usize = 1 << 13;

/// `PAGEMAP_SCAN` (Linux 6.7): returns the ranges whose pages are in given states.
const SCAN: u64 = 0xc060_6610;
/// `PAGE_IS_PRESENT`, `PAGE_IS_SWAPPED`.
const IS_THERE: u64 = 1 << 3 | 1 << 4;
/// Number of ranges returned at once.
const PARTS: usize = 512;

/// `struct pm_scan_arg`.
#[repr(C)]
#[derive(Default)]
struct ScanArguments {
    size: u64,
    flags: u64,
    start: u64,
    end: u64,
    walk_end: u64,
    parts: u64,
    part_count: u64,
    most_pages: u64,
    inverted: u64,
    all_of: u64,
    any_of: u64,
    returned: u64,
}

/// `struct page_region`.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct ScannedPart {
    start: u64,
    end: u64,
    categories: u64,
}

/// Finds out which pages of a process are present.
pub(super) struct PresentPages {
    /// `/proc/TID/pagemap`; where it cannot be read, all pages count as present.
    file: Option<File>,
    can_scan: bool,
}

impl PresentPages {
    /// `thread` is a thread of the process that has not ended.
    pub(super) fn new(thread: u32) -> PresentPages {
        PresentPages {
            file: File::open(format!("/proc/{thread}/pagemap")).ok(),
            can_scan: true,
        }
    }

    /// Calls `found` with the start and end of each range of present pages between two addresses.
    pub(super) fn each(
        &mut self,
        start: u64,
        end: u64,
        mut found: impl FnMut(u64, u64) -> io::Result<()>,
    ) -> io::Result<()> {
        let Some(file) = &self.file else {
            return found(start, end);
        };
        let mut at = start;
        while self.can_scan && at < end {
            let mut parts = [ScannedPart::default(); PARTS];
            match scan(file, at, end, &mut parts) {
                Some((count, next)) if next > at => {
                    for part in &parts[..count] {
                        found(part.start, part.end)?;
                    }
                    at = next;
                }
                // The kernel is older. The table says the same, but has an entry for each missing
                // page too.
                _ => self.can_scan = false,
            }
        }
        each_by_table(file, at, end, found)
    }
}

/// Fills `parts`; returns their number, and the address up to which the kernel looked.
fn scan(file: &File, start: u64, end: u64, parts: &mut [ScannedPart]) -> Option<(usize, u64)> {
    let mut arguments = ScanArguments {
        size: size_of::<ScanArguments>() as u64,
        start,
        end,
        parts: parts.as_mut_ptr() as u64,
        part_count: parts.len() as u64,
        any_of: IS_THERE,
        returned: IS_THERE,
        ..ScanArguments::default()
    };
    // SAFETY: the kernel writes into `arguments`, and at most `part_count` parts to `parts`.
    let count = unsafe { libc::ioctl(file.as_raw_fd(), SCAN as _, &raw mut arguments) };
    let count = usize::try_from(count).ok()?;
    Some((count, arguments.walk_end))
}

/// Does the same by reading the entry of each page.
fn each_by_table(
    file: &File,
    start: u64,
    end: u64,
    mut found: impl FnMut(u64, u64) -> io::Result<()>,
) -> io::Result<()> {
    let mut entries = [0; 8 * ENTRIES];
    let page = page_size() as u64;
    let mut at = start;
    while at < end {
        let count = ((end - at) / page).clamp(1, ENTRIES as u64) as usize;
        let entries = &mut entries[..8 * count];
        if file.read_exact_at(entries, at / page * 8).is_err() {
            return found(at, end);
        }
        let is_there = |entry: &[u8]| {
            let entry = entry.try_into().map_or(0, u64::from_ne_bytes);
            entry & (PRESENT | SWAPPED) != 0
        };
        let mut rest = entries.chunks_exact(8).map(is_there).zip(0..).peekable();
        while let Some((there, first)) = rest.next() {
            let mut last: u64 = first;
            while let Some((_, next)) = rest.next_if(|&(next, _)| next == there) {
                last = next;
            }
            if there {
                found(at + page * first, at + page * (last + 1))?;
            }
        }
        at += page * count as u64;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::buffer::{Buffer, Place};

    /// Addresses of the present pages, as `each` finds them.
    fn pages(start: u64, end: u64, can_scan: bool) -> Vec<u64> {
        let mut present = PresentPages::new(std::process::id());
        present.can_scan = can_scan;
        let mut pages = Vec::new();
        let each = present.each(start, end, |start, end| {
            pages.extend((start..end).step_by(page_size()));
            Ok(())
        });
        each.unwrap();
        pages
    }

    #[test]
    fn both_ways_say_the_same() {
        const COUNT: u64 = 3000;
        let size = page_size() as u64;
        let mut buffer = Buffer::new((COUNT * size) as usize, Place::Memory).unwrap();
        buffer.fetch((COUNT * size) as usize, 1);
        let start = buffer.as_ptr() as u64;
        // What is given back page by page is no longer present.
        for page in (0..COUNT).filter(|page| page % 3 == 1 || page % 700 > 600) {
            let address = (start + page * size) as *mut _;
            // SAFETY: these pages are the buffer's own, and become zeroes, which nobody reads.
            unsafe { libc::madvise(address, page_size(), libc::MADV_DONTNEED) };
        }
        let end = start + COUNT * size;
        let expected: Vec<u64> = (0..COUNT)
            .filter(|page| page % 3 != 1 && page % 700 <= 600)
            .map(|page| start + page * size)
            .collect();
        assert_eq!(pages(start, end, true), expected);
        assert_eq!(pages(start, end, false), expected);
    }

    #[test]
    fn without_a_table_all_is_there() {
        let mut present = PresentPages {
            file: None,
            can_scan: true,
        };
        let mut found = Vec::new();
        let each = present.each(0x1000, 0x5000, |start, end| {
            found.push((start, end));
            Ok(())
        });
        each.unwrap();
        assert_eq!(found, [(0x1000, 0x5000)]);
    }
}
