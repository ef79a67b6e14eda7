//! What the system says of a process's memory.

use crate::cgroup;
use luasnap_heap::ProcessMemory;
use std::fmt;
use std::fs;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{SystemTime, UNIX_EPOCH};

/// The memory of this process, of which snapshots of the VM hold so many bytes. Reads one small file,
/// and now and then the limits of control groups.
pub(crate) fn of_this_process(snapshots: u64) -> ProcessMemory {
    let status = fs::read("/proc/self/status").unwrap_or_default();
    ProcessMemory {
        limit: LIMIT.get(milliseconds(), cgroup::limit),
        snapshots: Some(snapshots),
        ..of_status(&status)
    }
}

/// The memory of the process that this one knows as `id`, whose `/proc/PID/status` is given.
pub(crate) fn of_process(id: u32, status: &[u8]) -> ProcessMemory {
    ProcessMemory {
        limit: cgroup::limit_of(id),
        ..of_status(status)
    }
}

/// Returns the bytes of a process that are in physical memory (RSS), by its id; `None` if it has ended.
pub fn resident(process: u32) -> Option<u64> {
    let status = fs::read(format!("/proc/{process}/status")).ok()?;
    of_status(&status).resident
}

fn of_status(status: &[u8]) -> ProcessMemory {
    let field = |name: &[u8]| {
        let mut lines = status.split(|&byte| byte == b'\n');
        let value = lines.find_map(|line| line.strip_prefix(name))?;
        let mut words = std::str::from_utf8(value).ok()?.split_ascii_whitespace();
        let kilobytes: u64 = words.next()?.parse().ok()?;
        kilobytes.checked_mul(1024)
    };
    ProcessMemory {
        resident: field(b"VmRSS:"),
        peak_resident: field(b"VmHWM:"),
        ..ProcessMemory::default()
    }
}

/// Bytes of memory that the machine has left, with what it can free; `None` where the system does not tell.
pub(crate) fn available() -> Option<u64> {
    available_by(&fs::read_to_string("/proc/meminfo").ok()?)
}

/// `MemAvailable` of `/proc/meminfo`.
fn available_by(meminfo: &str) -> Option<u64> {
    let line = meminfo
        .lines()
        .find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kilobytes: u64 = line.split_ascii_whitespace().next()?.parse().ok()?;
    Some(kilobytes << 10)
}

/// A number of bytes in readable form.
pub(crate) struct Size(pub(crate) u64);

impl fmt::Display for Size {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let mib = self.0 as f64 / f64::from(1 << 20);
        match mib {
            ..1024.0 => write!(f, "{mib:.1} MiB"),
            _ => write!(f, "{:.1} GiB", mib / 1024.0),
        }
    }
}

fn milliseconds() -> u64 {
    let now = SystemTime::now().duration_since(UNIX_EPOCH);
    now.map_or(0, |time| time.as_millis() as u64)
}

/// The limit of this process's control groups. Finding it takes several files, which is a lot for a
/// small snapshot, and it seldom changes: so it is remembered for a while. (No lock: a process may be
/// forked while another thread has it.)
static LIMIT: Remembered = Remembered {
    since: AtomicU64::new(0),
    bytes: AtomicU64::new(NONE),
};

/// How long the limit is remembered, in milliseconds.
const A_WHILE: u64 = 10_000;
/// Stands for no limit.
const NONE: u64 = u64::MAX;

struct Remembered {
    /// When it was found, in milliseconds since 1970.
    since: AtomicU64,
    bytes: AtomicU64,
}

impl Remembered {
    fn get(&self, now: u64, find: impl FnOnce() -> Option<u64>) -> Option<u64> {
        let since = self.since.load(Ordering::Acquire);
        // The clock may have been set back.
        if !(since..since.saturating_add(A_WHILE)).contains(&now) {
            self.bytes.store(find().unwrap_or(NONE), Ordering::Relaxed);
            self.since.store(now, Ordering::Release);
        }
        let bytes = self.bytes.load(Ordering::Relaxed);
        (bytes != NONE).then_some(bytes)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_process_has_memory() {
        let own = of_this_process(7);
        let resident = own.resident.expect("/proc");
        assert!(resident > 1 << 16 && own.peak_resident >= Some(resident));
        assert_eq!(own.snapshots, Some(7));
        let id = std::process::id();
        let status = fs::read(format!("/proc/{id}/status")).unwrap();
        let seen = of_process(id, &status);
        assert!(seen.resident.is_some() && seen.peak_resident.is_some());
        assert_eq!((seen.limit, seen.snapshots), (own.limit, None));
    }

    #[test]
    fn what_the_system_does_not_say_is_unknown() {
        assert_eq!(of_process(u32::MAX, b""), ProcessMemory::default());
        // That of a kernel thread, or of a process that has ended, has no sizes.
        let status = b"Name:\ta \xff\nState:\tZ (zombie)\nVmRSS:\n";
        assert_eq!(of_status(status), ProcessMemory::default());
        let status = b"Name:\tVmRSS\nVmHWM:\t    12 kB\nVmRSS:\t     8 kB\n";
        let memory = of_status(status);
        assert_eq!(
            (memory.resident, memory.peak_resident),
            (Some(8192), Some(12288))
        );
        let status = b"VmRSS: 18446744073709551615 kB\n";
        assert_eq!(of_status(status).resident, None);
    }

    #[test]
    fn memory_that_can_be_freed_is_available() {
        let text = "MemFree: 1 kB\nMemAvailable:   12 kB\n";
        assert_eq!(available_by(text), Some(12 << 10));
        assert_eq!(available_by("MemFree: 1 kB\n"), None);
        assert!(available().is_some_and(|bytes| bytes > 1 << 20));
    }

    #[test]
    fn limits_are_remembered_for_a_while() {
        let limit = Remembered {
            since: AtomicU64::new(0),
            bytes: AtomicU64::new(NONE),
        };
        let at = |now, found| limit.get(now, || found);
        assert_eq!(at(1_000_000, Some(5)), Some(5));
        assert_eq!(at(1_009_999, Some(6)), Some(5));
        assert_eq!(at(1_010_000, None), None);
        assert_eq!(at(1_010_001, Some(7)), None);
        assert_eq!(at(900_000, Some(8)), Some(8));
    }
}
