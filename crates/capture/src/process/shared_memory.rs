//! Which shared mappings of a process are memory, so that reading them has no other effect.
//!
//! Memory that programs share has well-known names. Any other file may be a device, where a read
//! can have an effect: the kernel tells (`VmFlags` of `smaps`), which takes long, so it is asked
//! only where there is such a file.

use crate::memory::mappings::{Mapping, mappings};
use crate::process::error::no_memory;
use crate::process::threads::living_thread;
use std::fs::File;
use std::io::{self, BufRead, BufReader};

/// The shared mappings of a process that the kernel, not their names, shows to be memory.
#[derive(Clone, Debug, Default)]
pub(super) struct SharedMemory {
    /// By address.
    files: Vec<(u64, u64)>,
}

impl SharedMemory {
    /// What is known about a process now. Where the kernel does not tell, what may be a device
    /// counts as one.
    pub(super) fn of_process(process: u32) -> io::Result<SharedMemory> {
        let thread = living_thread(process);
        let maps = std::fs::read(format!("/proc/{thread}/maps"))?;
        let is_doubtful = |mapping: Mapping<'_>| {
            mapping.may_be_shared_memory() && !mapping.is_certainly_shared_memory()
        };
        if !mappings(&maps).any(is_doubtful) {
            return Ok(SharedMemory::default());
        }
        match File::open(format!("/proc/{thread}/smaps")) {
            Ok(file) => SharedMemory::read(BufReader::new(file)),
            Err(_) => Ok(SharedMemory::default()),
        }
    }

    /// Reads the text of `smaps`: for each mapping its line, and then its properties.
    fn read(mut text: impl BufRead) -> io::Result<SharedMemory> {
        let mut files = Vec::new();
        let mut doubtful = None;
        let mut line = Vec::new();
        while text.read_until(b'\n', &mut line)? > 0 {
            if let Some(flags) = line.strip_prefix(b"VmFlags:") {
                if let Some(range) = doubtful.take()
                    && !is_device(flags)
                {
                    files.try_reserve(1).map_err(no_memory)?;
                    files.push(range);
                }
            } else if let Some(mapping) = Mapping::parse(line.trim_ascii_end()) {
                doubtful = mapping
                    .may_be_shared_memory()
                    .then_some((mapping.start, mapping.end));
            }
            line.clear();
        }
        Ok(SharedMemory { files })
    }

    /// Whether a mapping is shared memory. A later mapping whose name does not tell counts as none.
    pub(super) fn has(&self, mapping: &Mapping<'_>) -> bool {
        let is_known = || {
            let at = self.files.partition_point(|&(_, end)| end <= mapping.start);
            let file = self.files.get(at);
            file.is_some_and(|&(start, end)| start <= mapping.start && mapping.end <= end)
        };
        mapping.is_certainly_shared_memory() || (mapping.may_be_shared_memory() && is_known())
    }
}

/// Whether flags say that there is a device behind it: `VM_IO`, or `VM_PFNMAP` (pages that the
/// kernel does not manage).
fn is_device(flags: &[u8]) -> bool {
    let mut words = flags.split(u8::is_ascii_whitespace);
    words.any(|word| word == b"io" || word == b"pf")
}

#[cfg(test)]
mod tests {
    use super::*;

    const TEXT: &str = "\
7f00000000-7f00100000 rw-s 00000000 00:01 99   /memfd:heap (deleted)
Size:               1024 kB
VmFlags: rd wr sh mr mw me ms sd
7f10000000-7f10100000 rw-s 00000000 08:01 12   /var/lib/heap
Rss:                  12 kB
VmFlags: rd wr sh mr mw me ms
7f20000000-7f20100000 rw-s 00000000 08:01 13   /home/who/card
VmFlags: rd wr sh mr mw me ms pf io de dd
7f30000000-7f30100000 rw-s 00000000 00:06 5    /dev/nvidia0
VmFlags: rd wr sh mr mw me ms
";

    #[test]
    fn devices_are_told_from_files() {
        let shared = SharedMemory::read(TEXT.as_bytes()).unwrap();
        let mappings: Vec<Mapping<'_>> = mappings(TEXT.as_bytes()).collect();
        let has = |number: usize| shared.has(&mappings[number]);
        assert_eq!(mappings.len(), 4);
        assert!(has(0) && has(1) && !has(2) && !has(3));
        // Without the kernel's answer only the name counts.
        let unknown = SharedMemory::default();
        assert!(unknown.has(&mappings[0]) && !unknown.has(&mappings[1]));
        let part = Mapping {
            start: mappings[1].start + 0x1000,
            ..mappings[1].clone()
        };
        assert!(shared.has(&part));
        let longer = Mapping {
            end: mappings[1].end + 0x1000,
            ..mappings[1].clone()
        };
        assert!(!shared.has(&longer));
    }

    #[test]
    fn a_process_that_shares_nothing_doubtful_is_not_asked() {
        let shared = SharedMemory::of_process(std::process::id()).unwrap();
        assert!(shared.files.len() < 100);
        assert!(SharedMemory::of_process(u32::MAX).is_err());
    }
}
