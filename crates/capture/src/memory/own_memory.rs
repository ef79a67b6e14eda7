//! This process's own memory.
//!
//! The capture reads it by plain loads, each checked against what was mapped when the capture
//! began. What is read before a layout has been verified goes through the kernel (`careful_read`),
//! which reports a wrong address as an error. So does memory that is shared with other processes
//! (`shared_copy`): otherwise a file that one of them truncates would end this process.

use crate::memory::careful_read;
use crate::memory::copied_pages::CopiedPages;
use crate::memory::kept_bytes::KeptBytes;
use crate::memory::mappings::{Mapping, mappings};
use crate::memory::memory::Memory;
use crate::memory::prefetch::prefetch;
use crate::memory::shared_copy::SharedCopy;
use std::cell::{Cell, OnceCell};

/// A part of the address space that can be read.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    start: u64,
    end: u64,
    is_writable: bool,
    /// Its index among the shared parts, where it is one.
    shared: Option<u32>,
}

/// Where a part lies.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: u64,
    len: u64,
}

impl Stretch {
    const NONE: Stretch = Stretch {
        start: u64::MAX,
        len: 0,
    };

    fn of(part: &Part) -> Stretch {
        Stretch {
            start: part.start,
            len: part.end - part.start,
        }
    }

    #[inline(always)]
    fn has(self, address: u64, len: usize) -> bool {
        let offset = address.wrapping_sub(self.start);
        offset
            .checked_add(len as u64)
            .is_some_and(|end| end <= self.len)
    }
}

/// This process's memory, as it was mapped at one moment.
#[derive(Debug)]
pub(crate) struct OwnMemory {
    /// In order of address; adjacent parts of the same kind are merged.
    parts: Vec<Part>,
    /// Of the parts that are not shared, the one that was read last.
    last: Cell<Stretch>,
    /// The last one that turned out to be of constants.
    last_constant: Cell<Stretch>,
    /// What was read of each shared part; `None` where there is no room for a copy.
    shared: Vec<OnceCell<Option<SharedCopy>>>,
    /// What was read across the border of a shared part.
    across: KeptBytes,
    /// What was read of other VMs.
    of_others: CopiedPages,
}

impl OwnMemory {
    /// The memory as it is mapped now; `None` where the system does not tell.
    pub(crate) fn now() -> Option<OwnMemory> {
        let maps = std::fs::read("/proc/self/maps").ok()?;
        let mut memory = OwnMemory {
            parts: Vec::new(),
            last: Cell::new(Stretch::NONE),
            last_constant: Cell::new(Stretch::NONE),
            shared: Vec::new(),
            across: KeptBytes::default(),
            of_others: CopiedPages::default(),
        };
        for mapping in mappings(&maps) {
            if mapping.is_private_memory() || mapping.may_be_shared_memory() {
                memory.add(&mapping)?;
            }
        }
        Some(memory)
    }

    fn add(&mut self, mapping: &Mapping<'_>) -> Option<()> {
        if let Some(last) = self.parts.last_mut()
            && last.end == mapping.start
            && last.is_writable == mapping.is_writable
            && last.shared.is_none() == mapping.is_private
        {
            last.end = mapping.end;
            return Some(());
        }
        let mut part = Part {
            start: mapping.start,
            end: mapping.end,
            is_writable: mapping.is_writable,
            shared: None,
        };
        if !mapping.is_private {
            part.shared = Some(u32::try_from(self.shared.len()).ok()?);
            self.shared.try_reserve(1).ok()?;
            self.shared.push(OnceCell::new());
        }
        self.parts.try_reserve(1).ok()?;
        self.parts.push(part);
        Some(())
    }

    /// The part that contains `address`.
    fn part(&self, address: u64) -> Option<Part> {
        let found = *self.parts.get(self.place(address))?;
        (address >= found.start).then_some(found)
    }

    /// Index of the first part that ends after `address`.
    fn place(&self, address: u64) -> usize {
        self.parts.partition_point(|one| one.end <= address)
    }

    /// Bytes in another part than the last ones.
    #[inline(never)]
    fn bytes_elsewhere(&self, address: u64, len: usize) -> Option<&[u8]> {
        let part = self.part(address)?;
        if len as u64 > part.end - address || part.shared.is_some() {
            return self.other_bytes(address, len);
        }
        self.last.set(Stretch::of(&part));
        // SAFETY: as in `bytes`.
        Some(unsafe { plain(address, len) })
    }

    /// Bytes in shared memory, or in several adjacent parts.
    #[cold]
    fn other_bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let end = address.checked_add(len as u64)?;
        let first = self.place(address);
        let (mut next, mut is_plain) = (address, true);
        for part in self.parts[first..].iter().take_while(|one| one.start < end) {
            if part.start > next {
                return None;
            }
            next = part.end;
            is_plain &= part.shared.is_none();
        }
        if next < end {
            return None;
        }
        if is_plain {
            // SAFETY: as in `bytes`, in each of the parts.
            return Some(unsafe { plain(address, len) });
        }
        let part = self.parts[first];
        match part.shared {
            Some(number) if end <= part.end => {
                let copy = self.shared.get(number as usize)?;
                let copy = copy.get_or_init(|| SharedCopy::new(part.start, part.end));
                copy.as_ref()?.bytes(address, len)
            }
            _ => self
                .across
                .get(address, len, |into| careful_read::read(address, into)),
        }
    }
}

/// # Safety
/// All of these bytes can be read, and none changes for as long as the result lives.
unsafe fn plain<'a>(address: u64, len: usize) -> &'a [u8] {
    // SAFETY: this function's own contract; nothing is mapped at 0.
    unsafe {
        std::hint::assert_unchecked(address != 0);
        std::slice::from_raw_parts(address as *const u8, len)
    }
}

impl Memory for OwnMemory {
    #[inline]
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        if !self.last.get().has(address, len) {
            let found = self.bytes_elsewhere(address, len)?;
            // SAFETY: it has as many as were asked for, which lets the compiler leave out what checks that.
            unsafe { std::hint::assert_unchecked(found.len() == len) };
            return Some(found);
        }
        // SAFETY: all of it lies in private memory that was mapped for reading when the capture
        // began, and the VM, which alone may change or unmap its memory, stands still. An address
        // that is not the VM's could only come from a wrong layout, and a layout is used only after
        // reads through the kernel have verified that it fits this VM's global state.
        Some(unsafe { plain(address, len) })
    }

    /// All of it must lie in memory that was mapped when the capture began: never in a device.
    fn bytes_of_others(&self, address: u64, len: usize) -> Option<&[u8]> {
        let part = self.part(address)?;
        match len as u64 > part.end - address {
            true => None,
            false => self.of_others.bytes(address, len),
        }
    }

    fn is_writable(&self, address: u64) -> bool {
        // What tables without a hash part refer to: one constant for all of them.
        if self.last_constant.get().has(address, 1) {
            return false;
        }
        match self.part(address) {
            Some(part) if !part.is_writable => {
                self.last_constant.set(Stretch::of(&part));
                false
            }
            part => part.is_some(),
        }
    }

    #[inline]
    fn prefetch(&self, address: u64) {
        prefetch(address as *const u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::page_size::page_size;
    use std::ptr::null_mut;

    #[test]
    fn what_is_mapped_can_be_read_and_nothing_else() {
        let value = Box::new([1u8, 2, 3, 4, 5, 6, 7, 8]);
        let memory = OwnMemory::now().unwrap();
        let address = value.as_ptr() as u64;
        assert_eq!(memory.bytes(address, 8), Some(&value[..]));
        assert!(memory.is_writable(address));
        static CONSTANT: [u8; 4] = *b"text";
        let constant = CONSTANT.as_ptr() as u64;
        assert_eq!(memory.bytes(constant, 4), Some(&CONSTANT[..]));
        assert!(!memory.is_writable(constant));
        for wrong in [0, 8, 4096, u64::MAX - 3, 1 << 47] {
            assert_eq!(memory.bytes(wrong, 1), None);
        }
        assert_eq!(memory.bytes(address, usize::MAX), None);
    }

    /// Adjacent pages: private, shared, private again, and private without write access.
    #[test]
    fn neighbours_of_several_kinds_are_read_as_one() {
        let size = page_size();
        const PLAIN: i32 = libc::MAP_PRIVATE | libc::MAP_ANONYMOUS;
        const SHARED: i32 = libc::MAP_SHARED | libc::MAP_ANONYMOUS | libc::MAP_FIXED;
        let protection = libc::PROT_READ | libc::PROT_WRITE;
        // SAFETY: new mappings, the second inside the first, and what is written is in them.
        let start = unsafe {
            let start = libc::mmap(null_mut(), 6 * size, libc::PROT_NONE, PLAIN, -1, 0);
            assert_ne!(start, libc::MAP_FAILED);
            let inner = start.byte_add(size);
            assert_eq!(libc::mprotect(inner, 4 * size, protection), 0);
            let middle = inner.byte_add(size);
            let shared = libc::mmap(middle, size, protection, SHARED, -1, 0);
            assert_eq!(shared, middle);
            for at in 0..4 * size {
                inner.cast::<u8>().add(at).write((at / size) as u8 + 1);
            }
            assert_eq!(
                libc::mprotect(inner.byte_add(3 * size), size, libc::PROT_READ),
                0
            );
            inner as u64
        };
        let memory = OwnMemory::now().unwrap();
        let page = |number: usize| start + (number * size) as u64;
        for number in 0..4 {
            let whole = memory.bytes(page(number), size).unwrap();
            assert!(whole.iter().all(|&byte| byte == number as u8 + 1));
            assert_eq!(memory.is_writable(page(number)), number < 3);
            if number > 0 {
                let border = memory.bytes(page(number) - 2, 4).unwrap();
                let (before, behind) = (number as u8, number as u8 + 1);
                assert_eq!(border, [before, before, behind, behind]);
            }
        }
        assert_eq!(memory.bytes(page(0), 4 * size).unwrap().len(), 4 * size);
        assert_eq!(memory.bytes(page(0) - 1, 2), None);
        assert_eq!(memory.bytes(page(4) - 1, 2), None);
        drop(memory);
        // SAFETY: the mappings are this test's own, and this was their last use.
        unsafe { libc::munmap((start - size as u64) as *mut _, 6 * size) };
    }
}
