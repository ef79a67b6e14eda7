//! Shared memory of this process, which others may change or truncate at any moment: it is read
//! through the kernel, a page at a time and each page once, so that what was read does not change.

use crate::memory::careful_read;
use crate::memory::page_advice::NO_RESERVE;
use crate::memory::page_size::page_size;
use crate::memory::unmap::unmap;
use std::cell::Cell;
use std::ptr::null_mut;

/// A copy of a mapping, with those pages that were asked for.
#[derive(Debug)]
pub(crate) struct SharedCopy {
    /// Address of the mapping in this process.
    start: u64,
    len: usize,
    /// The copy: `len` bytes of our own.
    copy: *mut u8,
    /// Size of a page in bytes.
    page: usize,
    /// Whether each page was read.
    is_there: Vec<Cell<bool>>,
}

impl SharedCopy {
    /// A copy of what is mapped from `start`, the address of a page, to `end`; `None` where there
    /// is no room for it. Reads nothing yet.
    pub(crate) fn new(start: u64, end: u64) -> Option<SharedCopy> {
        // No memory is reserved for pages that are never used.
        const FLAGS: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS | NO_RESERVE;
        let len = usize::try_from(end.checked_sub(start)?).ok()?;
        let page = page_size();
        let pages = len.div_ceil(page);
        let mut is_there = Vec::new();
        is_there.try_reserve_exact(pages).ok()?;
        is_there.resize(pages, Cell::new(false));
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, placed by the kernel.
        let copy = unsafe { libc::mmap(null_mut(), len, protection, FLAGS, -1, 0) };
        (copy != libc::MAP_FAILED).then(|| SharedCopy {
            start,
            len,
            copy: copy.cast(),
            page,
            is_there,
        })
    }

    /// The `len` bytes at `address`; `None` where not all of them lie in the mapping, or some
    /// cannot be read, as in a file that was truncated.
    pub(crate) fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let first = usize::try_from(address.checked_sub(self.start)?).ok()?;
        let end = first.checked_add(len).filter(|&end| end <= self.len)?;
        for page in first / self.page..end.div_ceil(self.page) {
            if !self.is_there[page].get() {
                self.read(page)?;
            }
        }
        // SAFETY: these bytes are in the copy, in pages that are there: nothing writes to them again
        // for as long as `self` lives.
        Some(unsafe { std::slice::from_raw_parts(self.copy.add(first), len) })
    }

    fn read(&self, page: usize) -> Option<()> {
        let at = page * self.page;
        let len = self.page.min(self.len - at);
        // SAFETY: these bytes are in the copy, and no slice covers any of them before the page is
        // there.
        let into = unsafe { std::slice::from_raw_parts_mut(self.copy.add(at), len) };
        careful_read::read(self.start + at as u64, into).then_some(())?;
        self.is_there[page].set(true);
        Some(())
    }
}

impl Drop for SharedCopy {
    fn drop(&mut self) {
        // SAFETY: the mapping is this value's own, and this was its last use.
        unsafe { unmap(self.copy, self.len) };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::fd::AsRawFd;

    #[test]
    fn what_is_there_is_read_once_and_what_was_cut_off_is_no_fault() {
        let page = page_size();
        let file = tempfile::tempfile().unwrap();
        file.set_len(3 * page as u64).unwrap();
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: a new mapping, placed by the kernel.
        let mapped = unsafe {
            libc::mmap(
                null_mut(),
                3 * page,
                protection,
                libc::MAP_SHARED,
                file.as_raw_fd(),
                0,
            )
        };
        assert_ne!(mapped, libc::MAP_FAILED);
        let start = mapped as u64;
        let write = |at: usize, byte: u8| {
            // SAFETY: it is in the mapping, and the file has it.
            unsafe { mapped.cast::<u8>().add(at).write(byte) };
        };
        let copy = SharedCopy::new(start, start + 3 * page as u64).unwrap();
        write(page - 1, 1);
        write(page, 2);
        let border = start + page as u64 - 1;
        assert_eq!(copy.bytes(border, 2), Some(&[1, 2][..]));
        // Someone changes it, and truncates the file.
        write(page, 3);
        file.set_len(2 * page as u64).unwrap();
        assert_eq!(copy.bytes(border, 2), Some(&[1, 2][..]));
        assert_eq!(copy.bytes(start + 2 * page as u64, 1), None);
        assert_eq!(copy.bytes(start + 2 * page as u64 - 1, 2), None);
        assert_eq!(copy.bytes(start - 1, 1), None);
        assert_eq!(copy.bytes(start, 3 * page + 1), None);
        assert_eq!(copy.bytes(start, usize::MAX), None);
        drop(copy);
        // SAFETY: the mapping is this test's own, and this was its last use.
        unsafe { libc::munmap(mapped, 3 * page) };
    }
}
