//! Whether there is room for the copy of a process and for its heaps, checked before it is stopped:
//! a copy that exhausts the memory would bring down other programs, that process first.

use crate::cgroup;
use crate::memory::page_size::page_size;
use crate::process::buffer::Place;
use crate::process::error::{AttachError, AttachErrorKind};
use crate::process_memory::{Size, available};
use luasnap_heap::Printable;
use luasnap_words::Sentence;
use rustix::fs::statvfs;
use rustix::process::{Resource, getrlimit};
use std::fs;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Bytes of memory for each object while its heap is captured.
const FOR_A_NODE: u64 = 53;
/// Assumed bytes of a process for each object. The number of objects is unknown before the process
/// is stopped; small tables and strings, which most heaps consist of, take about this much.
const BYTES_A_NODE: u64 = 80;

/// Memory needed to read a process, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
struct Need {
    /// For the copy.
    copy: u64,
    /// For the heaps captured from it.
    heaps: u64,
}

impl Need {
    fn of_copy(copy: u64) -> Need {
        Need {
            copy,
            heaps: copy / BYTES_A_NODE * FOR_A_NODE,
        }
    }
}

/// Available room, in bytes; `None` where it is unknown, or there is no limit.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct Room {
    /// In the machine.
    machine: Option<u64>,
    /// In the control groups.
    groups: Option<u64>,
    /// In the address space (`ulimit -v`), and of that for private data (`ulimit -d`).
    addresses: Option<u64>,
    plain: Option<u64>,
    /// On the disk for the copy, or for a file there (`ulimit -f`).
    disk: Option<u64>,
}

impl Room {
    fn now(place: Place<'_>) -> Room {
        let [in_use, _, _, _, _, plain_in_use] = statm().unwrap_or_default();
        let left = |resource, in_use: u64| Some(limit(resource)?.saturating_sub(in_use));
        Room {
            machine: available(),
            groups: cgroup::left(),
            addresses: left(Resource::As, in_use),
            plain: left(Resource::Data, plain_in_use),
            disk: match place {
                Place::Memory => None,
                Place::Folder(folder) => [free_on_disk(folder), limit(Resource::Fsize)]
                    .into_iter()
                    .flatten()
                    .min(),
            },
        }
    }
}

/// Checks that there is room for a copy of `copy` bytes and for the heaps captured from it.
pub(super) fn check(process: u32, copy: usize, place: Place<'_>) -> Result<(), AttachError> {
    let need = Need::of_copy(copy as u64);
    let Some(reason) = lacks(need, Room::now(place), place) else {
        return Ok(());
    };
    let sentence = Sentence::new("room.not_stopped")
        .with("process", process)
        .with("reason", reason);
    Err(AttachError::new(AttachErrorKind::NoRoom, sentence))
}

/// Whether the address space of this process is limited.
pub(super) fn addresses_are_limited() -> bool {
    limit(Resource::As).is_some()
}

/// Why there is no room; `None` where there is.
fn lacks(need: Need, room: Room, place: Place<'_>) -> Option<Sentence> {
    let all = need.copy + need.heaps;
    const BOTH: &str = "room.for_both";
    let (in_memory, what) = match place {
        Place::Memory => (all, BOTH),
        Place::Folder(_) => (need.heaps, "room.for_heaps"),
    };
    let needs = |what, of, there: Option<u64>, left, remedy: Sentence| {
        let there = there.filter(|&there| there < of)?;
        let reason = Sentence::new("room.lacks")
            .with(
                "what",
                Sentence::new(what).with("size", Size(of).to_string()),
            )
            .with(
                "left",
                Sentence::new(left).with("size", Size(there).to_string()),
            )
            .with("remedy", remedy);
        Some((there, reason))
    };
    // A mapped file takes addresses like any memory.
    let addressed = match place {
        Place::Memory => BOTH,
        Place::Folder(_) => "room.for_mapped",
    };
    let elsewhere = || Sentence::new("room.elsewhere");
    let remedy = || match place {
        Place::Memory => Sentence::new("room.scratch").with("elsewhere", elsewhere()),
        Place::Folder(_) => elsewhere(),
    };
    let raise = |limit| {
        Sentence::new("room.raise")
            .with("limit", limit)
            .with("elsewhere", elsewhere())
    };
    const LIMIT: &str = "room.left_of_limit";
    let reasons = [
        needs(what, in_memory, room.machine, "room.available", remedy()),
        needs(what, in_memory, room.groups, "room.left_of_group", remedy()),
        needs(addressed, all, room.addresses, LIMIT, raise("v")),
        needs(what, in_memory, room.plain, LIMIT, raise("d")),
    ];
    let least = reasons
        .into_iter()
        .flatten()
        .min_by_key(|(there, _)| *there);
    match (least, place, room.disk) {
        (Some((_, reason)), ..) => Some(reason),
        (None, Place::Folder(folder), Some(disk)) if disk < need.copy => Some(
            Sentence::new("room.no_disk")
                .with("need", Size(need.copy).to_string())
                .with("free", Size(disk).to_string())
                .with(
                    "folder",
                    Printable(folder.as_os_str().as_bytes()).to_string(),
                ),
        ),
        _ => None,
    }
}

/// Memory that this process uses, in bytes: the first is its total size, the sixth its data.
fn statm() -> Option<[u64; 6]> {
    let page = page_size() as u64;
    let text = fs::read_to_string("/proc/self/statm").ok()?;
    let mut numbers = text.split_ascii_whitespace();
    let mut sizes = [0; 6];
    for size in &mut sizes {
        *size = page * numbers.next()?.parse::<u64>().ok()?;
    }
    Some(sizes)
}

/// The limit set on this process, if there is one.
fn limit(resource: Resource) -> Option<u64> {
    getrlimit(resource).current
}

/// Bytes that this user may still write to the file system of a folder.
fn free_on_disk(folder: &Path) -> Option<u64> {
    let facts = statvfs(folder).ok()?;
    Some(facts.f_bavail.saturating_mul(facts.f_frsize))
}

#[cfg(test)]
mod tests {
    use super::*;

    const MIB: u64 = 1 << 20;
    const NEED: Need = Need {
        copy: 2048 * MIB,
        heaps: 512 * MIB,
    };

    #[track_caller]
    fn refused(room: Room, place: Place<'_>, parts: &[&str]) {
        let reason = lacks(NEED, room, place).expect("there is no room");
        let reason = reason.to_string();
        for part in parts {
            assert!(reason.contains(part), "{reason}");
        }
    }

    const ALL: u64 = 2560 * MIB;
    const FOLDER: &str = "/scratch";

    #[test]
    fn what_is_there_is_enough_or_both_figures_are_said() {
        let enough = Room {
            machine: Some(ALL),
            groups: Some(ALL),
            addresses: Some(ALL),
            plain: Some(ALL),
            disk: None,
        };
        assert_eq!(lacks(NEED, enough, Place::Memory), None);
        assert_eq!(lacks(NEED, Room::default(), Place::Memory), None);
        let less = Some(ALL - MIB);
        for (room, where_, remedy) in [
            (
                Room {
                    machine: less,
                    ..enough
                },
                "are available",
                "--scratch FOLDER",
            ),
            (
                Room {
                    groups: less,
                    ..enough
                },
                "control group",
                "--scratch FOLDER",
            ),
            (
                Room {
                    addresses: less,
                    ..enough
                },
                "limit",
                "ulimit -v",
            ),
            (
                Room {
                    plain: less,
                    ..enough
                },
                "limit",
                "ulimit -d",
            ),
        ] {
            let figures = [
                "about 2.5 GiB of memory",
                "and 2.5 GiB",
                where_,
                remedy,
                "gcore",
            ];
            refused(room, Place::Memory, &figures);
        }
        // The smallest is reported.
        let room = Room {
            machine: Some(1000 * MIB),
            groups: Some(100 * MIB),
            ..enough
        };
        refused(room, Place::Memory, &["100.0 MiB", "control group"]);
    }

    #[test]
    fn a_disk_takes_the_copy_and_nothing_else() {
        let place = Place::Folder(FOLDER.as_ref());
        let room = Room {
            machine: Some(512 * MIB),
            groups: Some(512 * MIB),
            plain: Some(512 * MIB),
            disk: Some(2048 * MIB),
            addresses: None,
        };
        assert_eq!(lacks(NEED, room, place), None);
        let full = Room {
            disk: Some(2047 * MIB),
            ..room
        };
        let parts = [
            "a copy of it needs 2.0 GiB",
            "are free in /scratch",
            "another folder",
        ];
        refused(full, place, &parts);
        let little = Room {
            machine: Some(511 * MIB),
            ..room
        };
        let parts = [
            "beside the copy, about 512.0 MiB",
            "511.0 MiB are available",
            "gcore",
        ];
        refused(little, place, &parts);
        let reason = lacks(NEED, little, place).unwrap().to_string();
        assert!(!reason.contains("--scratch"), "{reason}");
        // A mapped file takes addresses too, which the figure includes.
        let narrow = Room {
            addresses: Some(ALL - 1),
            ..room
        };
        let parts = [
            "a copy of it, mapped from the disk, and what is in it count as about 2.5 GiB of memory",
            "ulimit -v",
        ];
        refused(narrow, place, &parts);
        let reason = lacks(NEED, narrow, place).unwrap().to_string();
        assert!(!reason.contains("beside the copy"), "{reason}");
    }

    #[test]
    fn this_machine_is_asked() {
        let folder = tempfile::tempdir().unwrap();
        let room = Room::now(Place::Folder(folder.path()));
        assert!(room.machine.is_some_and(|bytes| bytes > MIB));
        assert!(room.disk.is_some());
        let [all, .., plain] = statm().unwrap();
        assert!(all > plain && plain > 0);
        assert!(check(1, 1 << 16, Place::Memory).is_ok());
        let error = check(1, usize::MAX / 4, Place::Memory).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::NoRoom);
        assert!(error.to_string().starts_with("process 1 was not stopped: "));
    }
}
