//! When a capture is made, and in which process, with what memory.

use crate::process_memory;
use luasnap_heap::{Heap, Process, ProcessMemory};
use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::sync::atomic::{AtomicU32, AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// When a capture begins, and in which process, with what memory.
#[derive(Clone, Copy, Debug)]
pub(crate) struct CaptureTime {
    taken_at: Option<u64>,
    process: Option<Process>,
    memory: ProcessMemory,
}

impl CaptureTime {
    /// This moment in this process.
    pub(crate) fn now() -> CaptureTime {
        CaptureTime {
            taken_at: milliseconds(SystemTime::now()),
            process: this_process(),
            memory: ProcessMemory::default(),
        }
    }

    /// This moment in this process, with what the system says of its memory. Snapshots hold so many bytes
    /// of that.
    pub(crate) fn with_memory(snapshots: usize) -> CaptureTime {
        CaptureTime {
            memory: process_memory::of_this_process(snapshots as u64),
            ..CaptureTime::now()
        }
    }

    /// This moment in the process that this one knows as `id`.
    pub(crate) fn in_process(id: u32) -> CaptureTime {
        let status = fs::read(format!("/proc/{id}/status")).unwrap_or_default();
        CaptureTime {
            taken_at: milliseconds(SystemTime::now()),
            process: other_process(id, &status),
            memory: process_memory::of_process(id, &status),
        }
    }

    /// The time when a core file of a process was written, and that process.
    pub(crate) fn of_core(written: Option<SystemTime>, process: Option<Process>) -> CaptureTime {
        CaptureTime {
            taken_at: written.and_then(milliseconds),
            process,
            memory: ProcessMemory::default(),
        }
    }

    /// Records time, process and its memory in the captured heap.
    pub(crate) fn mark(self, mut heap: Heap) -> Heap {
        heap.set_capture_time(self.taken_at, self.process, self.memory);
        heap
    }
}

fn milliseconds(time: SystemTime) -> Option<u64> {
    let since_1970 = time.duration_since(UNIX_EPOCH).ok()?;
    u64::try_from(since_1970.as_millis()).ok()
}

/// The id of the process that [`INSTANCE`] belongs to, 0 before the first call. A forked child has
/// another id, and so does not use its parent's instance.
static ID: AtomicU32 = AtomicU32::new(0);
static INSTANCE: AtomicU64 = AtomicU64::new(0);

/// This process; `None` where the system does not tell enough about it.
fn this_process() -> Option<Process> {
    let id = std::process::id();
    if ID.load(Ordering::Acquire) != id {
        INSTANCE.store(instance_of(Path::new("/proc/self"), id)?, Ordering::Relaxed);
        ID.store(id, Ordering::Release);
    }
    let instance = INSTANCE.load(Ordering::Relaxed);
    Some(Process { id, instance })
}

/// Another process, as it knows itself: in a container it has a different id from the one seen
/// here. `None` where the system does not tell enough about it.
fn other_process(id: u32, status: &[u8]) -> Option<Process> {
    let folder = Path::new("/proc").join(id.to_string());
    let mut lines = status.split(|&byte| byte == b'\n');
    let own = lines.find_map(|line| std::str::from_utf8(line.strip_prefix(b"NSpid:")?).ok());
    let own = own.and_then(|ids| ids.split_ascii_whitespace().last()?.parse().ok());
    let id = own.unwrap_or(id);
    let instance = instance_of(&folder, id)?;
    Some(Process { id, instance })
}

/// A hash of what distinguishes the process with this `/proc` folder and this id from all others.
/// Takes tens of microseconds, which is a lot for a small snapshot.
fn instance_of(folder: &Path, id: u32) -> Option<u64> {
    let start = start_time(&fs::read(folder.join("stat")).ok()?)?;
    let boot = fs::read("/proc/sys/kernel/random/boot_id").ok()?;
    // Each container counts its processes from 1.
    let namespace = fs::metadata(folder.join("ns/pid")).map_or(0, |file| file.ino());
    let parts = [
        &boot[..],
        &namespace.to_le_bytes(),
        &id.to_le_bytes(),
        &start.to_le_bytes(),
    ];
    Some(fnv1a(parts.into_iter().flatten().copied()))
}

/// `starttime` in `/proc/PID/stat`: when the process started, in clock ticks since boot. The name
/// before it may itself contain blanks and parentheses.
pub(crate) fn start_time(stat: &[u8]) -> Option<u64> {
    const AFTER_NAME: usize = 19;
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let words = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    words.split_ascii_whitespace().nth(AFTER_NAME)?.parse().ok()
}

/// The 64-bit FNV-1a hash, which is the same in all versions of this module.
pub(crate) fn fnv1a(bytes: impl Iterator<Item = u8>) -> u64 {
    bytes.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x100_0000_01b3)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs::File;
    use std::io::{Read, Write};
    use std::os::fd::FromRawFd;

    #[test]
    fn the_name_of_a_process_may_be_anything() {
        let rest = "S 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 4711 20 21";
        for name in ["lua", "a b", "a) S 1 2 (b", ")"] {
            let stat = format!("99 ({name}) {rest}\n");
            assert_eq!(start_time(stat.as_bytes()), Some(4711), "{name}");
        }
        for other in ["", "99 (lua", "99 (lua) S 1 2"] {
            assert_eq!(start_time(other.as_bytes()), None);
        }
    }

    #[test]
    fn a_process_is_always_the_same() {
        let process = this_process().expect("/proc");
        assert_eq!(process.id, std::process::id());
        let itself = instance_of(Path::new("/proc/self"), process.id);
        assert_eq!(itself, Some(process.instance));
        assert_eq!(this_process(), Some(process));
    }

    #[test]
    fn others_see_what_a_process_is() {
        let status = fs::read("/proc/self/status").expect("/proc");
        let seen = other_process(std::process::id(), &status).expect("/proc");
        assert_eq!(Some(seen), this_process());
        assert_eq!(other_process(u32::MAX, b""), None);
    }

    #[test]
    fn a_fork_is_another_process() {
        let parent = this_process().expect("/proc");
        let mut ends = [0; 2];
        // SAFETY: there is room for both ends.
        assert_eq!(unsafe { libc::pipe(ends.as_mut_ptr()) }, 0);
        // SAFETY: both were opened just now, and nobody else has them.
        let [mut from, mut to] = ends.map(|end| unsafe { File::from_raw_fd(end) });
        // SAFETY: the child allocates, reads and writes, which is allowed where the C library's
        // `fork` leaves the allocator intact, and ends without running anything else.
        let child = unsafe { libc::fork() };
        if child == 0 {
            let instance = this_process().map_or(0, |process| process.instance);
            let written = to.write_all(&instance.to_ne_bytes());
            // SAFETY: ends the child at once.
            unsafe { libc::_exit(i32::from(written.is_err())) };
        }
        drop(to);
        let mut instance = [0; 8];
        from.read_exact(&mut instance).expect("what the child says");
        // SAFETY: a child of ours that nobody else waits for.
        let ended = unsafe { libc::waitpid(child, std::ptr::null_mut(), 0) };
        assert_eq!(ended, child);
        let instance = u64::from_ne_bytes(instance);
        assert!(instance != 0 && instance != parent.instance);
        assert_eq!(this_process(), Some(parent));
    }

    #[test]
    fn the_hash_is_that_of_the_books() {
        assert_eq!(fnv1a("".bytes()), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a("foobar".bytes()), 0x8594_4171_f739_67e8);
    }
}
