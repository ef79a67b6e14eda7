//! The mappings of a process: the lines of `/proc/PID/maps`.

/// A part of a process's address space.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(crate) struct Mapping<'a> {
    pub(crate) start: u64,
    pub(crate) end: u64,
    pub(crate) is_readable: bool,
    pub(crate) is_writable: bool,
    pub(crate) is_executable: bool,
    /// Whether no other process can change or truncate what is in it.
    pub(crate) is_private: bool,
    /// The file's path, or the system's own name in brackets; empty for plain memory.
    pub(crate) path: &'a [u8],
}

impl<'a> Mapping<'a> {
    /// Parses a line; `None` where it does not have this format.
    pub(crate) fn parse(line: &'a [u8]) -> Option<Mapping<'a>> {
        let mut rest = line;
        let mut word = || {
            let start = rest.iter().position(|&byte| byte != b' ')?;
            let end = rest[start..].iter().position(|&byte| byte == b' ');
            let end = end.map_or(rest.len(), |len| start + len);
            let word = &rest[start..end];
            rest = &rest[end..];
            Some(word)
        };
        let (range, access) = (word()?, word()?);
        // Offset, device and inode come next.
        let _ = (word(), word(), word());
        let at = rest.iter().position(|&byte| byte != b' ');
        let [read, write, execute, sharing] = *access else {
            return None;
        };
        let mut ends = range.split(|&byte| byte == b'-').map(hexadecimal);
        Some(Mapping {
            start: ends.next()??,
            end: ends.next()??,
            is_readable: read == b'r',
            is_writable: write == b'w',
            is_executable: execute == b'x',
            is_private: sharing == b'p',
            path: at.map_or(&[], |at| &rest[at..]),
        })
    }

    /// Whether plain loads are safe here: the memory is private, so that no other process can
    /// truncate it, and not a device's.
    pub(crate) fn is_private_memory(&self) -> bool {
        self.is_readable && self.is_private && !self.is_of_the_system()
    }

    /// Whether it is private memory that reads as zeroes where no page is present.
    pub(crate) fn is_anonymous(&self) -> bool {
        self.is_private && !self.path.starts_with(b"/")
    }

    /// Whether its name suggests shared memory; a file of such a name may still be a device.
    pub(crate) fn may_be_shared_memory(&self) -> bool {
        self.is_certainly_shared_memory()
            || (self.is_readable
                && !self.is_private
                && self.path.starts_with(b"/")
                && !self.is_of_the_system())
    }

    /// Whether it is certainly shared memory: what programs create as such has one of these names.
    pub(crate) fn is_certainly_shared_memory(&self) -> bool {
        const NAMES: [&[u8]; 6] = [
            b"/dev/zero (deleted)",
            b"/dev/shm/",
            b"/memfd:",
            b"/SYSV",
            b"/anon_hugepage",
            b"[anon_shmem:",
        ];
        self.is_readable && !self.is_private && NAMES.iter().any(|name| self.path.starts_with(name))
    }

    /// Whether it is neither a file nor plain memory: a device's, where even a read may have an
    /// effect, or what the kernel maps into each process.
    fn is_of_the_system(&self) -> bool {
        const FOLDERS: [&[u8]; 5] = [b"/dev/", b"/sys/", b"/proc/", b"/dmabuf:", b"[v"];
        FOLDERS.iter().any(|name| self.path.starts_with(name))
    }
}

/// The mappings in the text of `/proc/PID/maps`.
pub(crate) fn mappings(text: &[u8]) -> impl Iterator<Item = Mapping<'_>> {
    text.split(|&byte| byte == b'\n').filter_map(Mapping::parse)
}

fn hexadecimal(digits: &[u8]) -> Option<u64> {
    u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_of_the_kernel_are_told_apart() {
        let heap = b"55a0c000-55a0d000 rw-p 00000000 00:00 0          [heap]";
        assert_eq!(
            Mapping::parse(heap),
            Some(Mapping {
                start: 0x55a0_c000,
                end: 0x55a0_d000,
                is_readable: true,
                is_writable: true,
                is_executable: false,
                is_private: true,
                path: b"[heap]",
            })
        );
        let library = b"7f00-7f10 r--p 00002000 08:01 1234   /usr/lib/lib c.so";
        let library = Mapping::parse(library).unwrap();
        assert!(library.is_private_memory() && !library.is_writable);
        assert_eq!(library.path, b"/usr/lib/lib c.so");
        let plain = Mapping::parse(b"7f00-7f10 rwxp 00000000 00:00 0 ").unwrap();
        assert!(plain.is_executable && plain.path.is_empty());
        assert_eq!(Mapping::parse(b""), None);
        assert_eq!(Mapping::parse(b"7f00-7f10"), None);
        assert_eq!(Mapping::parse(b"7f00 rw-p 0 0 0"), None);
    }

    /// Whether a line is private memory, may be shared memory, and certainly is.
    fn kinds(line: &str) -> [bool; 3] {
        let mapping = Mapping::parse(line.as_bytes()).unwrap();
        [
            mapping.is_private_memory(),
            mapping.may_be_shared_memory(),
            mapping.is_certainly_shared_memory(),
        ]
    }

    #[test]
    fn devices_are_not_safe_to_read() {
        for other in [
            "7f00-7f10 ---p 00000000 00:00 0",
            "7f00-7f10 ---s 00000000 00:01 99   /dev/shm/x",
            "7f00-7f10 rw-p 00000000 00:06 5   /dev/dri/card0",
            "7f00-7f10 rw-s 00000000 00:06 5   /dev/nvidia0",
            "7f00-7f10 rw-s 00000000 00:06 5   /dev/zerox/../mem",
            "7f00-7f10 rw-s 00000000 00:15 5   /sys/devices/pci0000:00/resource0",
            "7f00-7f10 rw-s 00000000 00:15 5   /proc/bus/pci/00/02.0",
            "7f00-7f10 rw-s 00000000 00:15 5   /dmabuf:",
            "7f00-7f10 rw-s 00000000 00:15 5   anon_inode:[io_uring]",
            "7f00-7f10 rw-s 00000000 00:15 5   socket:[77]",
            "7ffe00-7ffe10 r--p 00000000 00:00 0   [vvar]",
            "ffffffffff600000-ffffffffff601000 --xp 00000000 00:00 0   [vsyscall]",
        ] {
            assert_eq!(kinds(other), [false; 3], "{other}");
        }
    }

    #[test]
    fn shared_memory_is_told_by_its_name() {
        for line in [
            "7f00-7f10 rw-s 00000000 00:01 99   /dev/zero (deleted)",
            "7f00-7f10 rw-s 00000000 00:01 99   /dev/shm/x",
            "7f00-7f10 r--s 00000000 00:01 99   /memfd:heap (deleted)",
            "7f00-7f10 rw-s 00000000 00:01 99   /SYSV00000000 (deleted)",
            "7f00-7f10 rw-s 00000000 00:01 99   [anon_shmem:heap]",
        ] {
            assert_eq!(kinds(line), [false, true, true], "{line}");
        }
        let file = "7f00-7f10 rw-s 00000000 08:01 99   /var/lib/heap";
        assert_eq!(kinds(file), [false, true, false]);
        let private = "7f00-7f10 rw-p 00000000 08:01 99   /var/lib/heap";
        assert_eq!(kinds(private), [true, false, false]);
        let anonymous = |line: &str| Mapping::parse(line.as_bytes()).unwrap().is_anonymous();
        assert!(!anonymous(private) && !anonymous(file));
        assert!(anonymous("7f00-7f10 rw-p 00000000 00:00 0   [anon:heap]"));
        assert!(anonymous("7f00-7f10 rw-p 00000000 00:00 0 "));
    }
}
