//! This process's own memory.
//!
//! The capture reads it by plain loads, each checked against what was mapped when it began. What
//! is read before a layout has proved itself goes through the kernel (`careful_read`), which answers a
//! wrong address by an error.

use super::memory::Memory;
use std::cell::Cell;

/// A part of the address space that can be read.
#[derive(Clone, Copy, Debug, Default)]
struct Mapping {
    start: u64,
    end: u64,
    is_writable: bool,
}

/// This process's memory, as it was mapped at one moment.
#[derive(Debug)]
pub(crate) struct OwnMemory {
    /// By address; neighbours of one kind are one.
    mappings: Vec<Mapping>,
    last: Cell<Mapping>,
}

impl OwnMemory {
    /// The memory as it is mapped now; `None` where the system does not tell.
    pub(crate) fn now() -> Option<OwnMemory> {
        let maps = std::fs::read("/proc/self/maps").ok()?;
        let mut mappings: Vec<Mapping> = Vec::new();
        for line in maps.split(|&byte| byte == b'\n') {
            let Some(mapping) = parse(line) else { continue };
            match mappings.last_mut() {
                Some(last)
                    if last.end == mapping.start && last.is_writable == mapping.is_writable =>
                {
                    last.end = mapping.end;
                }
                _ => {
                    mappings.try_reserve(1).ok()?;
                    mappings.push(mapping);
                }
            }
        }
        Some(OwnMemory {
            mappings,
            last: Cell::default(),
        })
    }

    /// The mapping in which `address` lies.
    #[inline]
    fn mapping(&self, address: u64) -> Option<Mapping> {
        let last = self.last.get();
        if address >= last.start && address < last.end {
            return Some(last);
        }
        self.look_up(address)
    }

    fn look_up(&self, address: u64) -> Option<Mapping> {
        let at = self.mappings.partition_point(|one| one.end <= address);
        let found = *self.mappings.get(at)?;
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
        let mapping = self.mapping(address)?;
        if len as u64 > mapping.end - address {
            return None;
        }
        // SAFETY: all of it lies in private memory that was mapped for reading when the capture
        // began, and the VM, which alone may change or unmap its memory, stands still. An address
        // that is not the VM's could only come from a wrong layout, and one is tried only after
        // reads through the kernel have proved that it fits this VM's global state.
        Some(unsafe { std::slice::from_raw_parts(address as *const u8, len) })
    }

    fn is_writable(&self, address: u64) -> bool {
        self.mapping(address)
            .is_some_and(|mapping| mapping.is_writable)
    }

    #[inline]
    fn expect(&self, address: u64) {
        #[cfg(target_arch = "x86_64")]
        {
            use std::arch::x86_64::{_MM_HINT_T0, _mm_prefetch};
            // SAFETY: a prefetch of any address is no more than a hint.
            unsafe { _mm_prefetch::<_MM_HINT_T0>(address as *const i8) };
        }
        #[cfg(not(target_arch = "x86_64"))]
        let _ = address;
    }
}

/// A line of `/proc/self/maps`, where it is memory that is safe to read: private, so that no other
/// process can cut it off, and no device.
fn parse(line: &[u8]) -> Option<Mapping> {
    let mut words = line
        .split(|&byte| byte == b' ')
        .filter(|word| !word.is_empty());
    let (range, access) = (words.next()?, words.next()?);
    let path = words.nth(3).unwrap_or_default();
    let [b'r', write, _, b'p', ..] = *access else {
        return None;
    };
    if path.starts_with(b"/dev/") || path.starts_with(b"[v") {
        return None;
    }
    let mut ends = range.split(|&byte| byte == b'-').map(|digits| {
        std::str::from_utf8(digits)
            .ok()
            .and_then(|digits| u64::from_str_radix(digits, 16).ok())
    });
    Some(Mapping {
        start: ends.next()??,
        end: ends.next()??,
        is_writable: write == b'w',
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_told_apart() {
        let readable = |line: &str| parse(line.as_bytes()).map(|one| (one.start, one.is_writable));
        assert_eq!(
            readable("55a0c000-55a0d000 rw-p 00000000 00:00 0          [heap]"),
            Some((0x55a0_c000, true))
        );
        assert_eq!(
            readable("7f00-7f10 r--p 00002000 08:01 1234   /usr/lib/lib c.so"),
            Some((0x7f00, false))
        );
        for other in [
            "7f00-7f10 rw-s 00000000 00:01 99   /dev/shm/x",
            "7f00-7f10 ---p 00000000 00:00 0",
            "7f00-7f10 rw-p 00000000 00:06 5   /dev/dri/card0",
            "7ffe00-7ffe10 r--p 00000000 00:00 0   [vvar]",
            "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]",
            "",
        ] {
            assert_eq!(readable(other), None, "{other}");
        }
    }

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
