//! This process's own memory.
//!
//! The capture reads it by plain loads, each checked against what was mapped when it began. What
//! is read before a layout has proved itself goes through the kernel (`careful_read`), which answers a
//! wrong address by an error.

use super::mappings::mappings;
use super::memory::Memory;
use super::prefetch::prefetch;
use std::cell::Cell;

/// A part of the address space that can be read.
#[derive(Clone, Copy, Debug, Default)]
struct Part {
    start: u64,
    end: u64,
    is_writable: bool,
}

/// This process's memory, as it was mapped at one moment.
#[derive(Debug)]
pub(crate) struct OwnMemory {
    /// By address; neighbours of one kind are one.
    parts: Vec<Part>,
    last: Cell<Part>,
}

impl OwnMemory {
    /// The memory as it is mapped now; `None` where the system does not tell.
    pub(crate) fn now() -> Option<OwnMemory> {
        let maps = std::fs::read("/proc/self/maps").ok()?;
        let mut parts: Vec<Part> = Vec::new();
        for mapping in mappings(&maps).filter(|mapping| mapping.is_plain_memory()) {
            match parts.last_mut() {
                Some(last)
                    if last.end == mapping.start && last.is_writable == mapping.is_writable =>
                {
                    last.end = mapping.end;
                }
                _ => {
                    parts.try_reserve(1).ok()?;
                    parts.push(Part {
                        start: mapping.start,
                        end: mapping.end,
                        is_writable: mapping.is_writable,
                    });
                }
            }
        }
        Some(OwnMemory {
            parts,
            last: Cell::default(),
        })
    }

    /// The part in which `address` lies.
    #[inline]
    fn part(&self, address: u64) -> Option<Part> {
        let last = self.last.get();
        if address >= last.start && address < last.end {
            return Some(last);
        }
        self.look_up(address)
    }

    fn look_up(&self, address: u64) -> Option<Part> {
        let at = self.parts.partition_point(|one| one.end <= address);
        let found = *self.parts.get(at)?;
        if address < found.start {
            return None;
        }
        self.last.set(found);
        Some(found)
    }
}

impl Memory for OwnMemory {
    #[inline]
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let part = self.part(address)?;
        if len as u64 > part.end - address {
            return None;
        }
        // SAFETY: all of it lies in private memory that was mapped for reading when the capture
        // began, and the VM, which alone may change or unmap its memory, stands still. An address
        // that is not the VM's could only come from a wrong layout, and one is tried only after
        // reads through the kernel have proved that it fits this VM's global state.
        Some(unsafe { std::slice::from_raw_parts(address as *const u8, len) })
    }

    fn is_writable(&self, address: u64) -> bool {
        self.part(address).is_some_and(|part| part.is_writable)
    }

    #[inline]
    fn expect(&self, address: u64) {
        prefetch(address as *const u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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
}
