//! Whether a process is still the one that it was.

use crate::capture_time::start_time;
use crate::process::threads::{has_ended, living_thread};
use std::fs;
use std::os::unix::fs::MetadataExt;

/// What tells a process from a later one with its id, and from another program that it may have become.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ProcessIdentity {
    id: u32,
    /// When it started, in clock ticks since boot.
    start: u64,
    program: ProgramIdentity,
}

/// What tells a program that runs from another one that the process runs later; `None` where the system does not tell.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
struct ProgramIdentity {
    /// Device and number of its file.
    file: Option<(u64, u64)>,
    /// Where its stack begins, which differs from one `exec` to the next.
    stack: Option<u64>,
}

/// What has become of a process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Fate {
    /// It runs the same program.
    Same,
    /// It has ended.
    Ended,
    /// It runs another program by now, or the same one from the start (`exec`).
    Replaced,
    /// It has ended, and another process has its id.
    Another,
}

impl ProcessIdentity {
    /// Returns the identity of the process with this id; `None` if there is none or if it has ended.
    pub fn of(id: u32) -> Option<ProcessIdentity> {
        let thread = living_thread(id);
        if has_ended(id, thread) {
            return None;
        }
        let folder = format!("/proc/{id}/task/{thread}");
        let file = fs::metadata(format!("{folder}/exe")).ok();
        let stat = fs::read(format!("{folder}/stat")).ok()?;
        Some(ProcessIdentity {
            id,
            // Threads start later than their process.
            start: start_time(&fs::read(format!("/proc/{id}/stat")).ok()?)?,
            program: ProgramIdentity {
                file: file.map(|file| (file.dev(), file.ino())),
                stack: stack_start(&stat),
            },
        })
    }

    /// Returns what has become of the process since.
    pub fn fate(&self) -> Fate {
        self.fate_of(ProcessIdentity::of(self.id))
    }

    fn fate_of(&self, now: Option<ProcessIdentity>) -> Fate {
        match now {
            None => Fate::Ended,
            Some(now) if now.start != self.start => Fate::Another,
            Some(now) if now.program.differs_from(self.program) => Fate::Replaced,
            Some(_) => Fate::Same,
        }
    }
}

impl ProgramIdentity {
    fn differs_from(self, other: ProgramIdentity) -> bool {
        let file = self.file.zip(other.file);
        let stack = self.stack.zip(other.stack);
        file.is_some_and(|(a, b)| a != b) || stack.is_some_and(|(a, b)| a != b)
    }
}

/// `startstack` in `/proc/PID/stat`; `None` where it is hidden.
fn stack_start(stat: &[u8]) -> Option<u64> {
    const AFTER_NAME: usize = 25;
    let name_end = stat.iter().rposition(|&byte| byte == b')')?;
    let words = std::str::from_utf8(&stat[name_end + 1..]).ok()?;
    let start = words.split_ascii_whitespace().nth(AFTER_NAME)?.parse().ok();
    // Where it may not be seen, it reads 0 or 1.
    start.filter(|start| *start > 1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::process::{Command, Stdio};
    use std::thread::sleep;
    use std::time::{Duration, Instant};

    /// Asks until something other than `Same` has become of a process, or half a minute is over.
    fn fate_in_time(identity: &ProcessIdentity) -> Fate {
        let end = Instant::now() + Duration::from_secs(30);
        while identity.fate() == Fate::Same && Instant::now() < end {
            sleep(Duration::from_millis(5));
        }
        identity.fate()
    }

    #[test]
    fn this_process_stays_the_same() {
        let identity = ProcessIdentity::of(std::process::id()).expect("/proc");
        assert!(identity.program.file.is_some() && identity.program.stack.is_some());
        assert_eq!(identity.fate(), Fate::Same);
        assert_eq!(ProcessIdentity::of(u32::MAX), None);
    }

    #[test]
    fn a_process_that_ends_has_ended_though_nobody_waits_for_it() {
        let mut cat = Command::new("cat").stdin(Stdio::piped()).spawn().unwrap();
        let identity = ProcessIdentity::of(cat.id()).expect("it waits for a line");
        drop(cat.stdin.take());
        assert_eq!(fate_in_time(&identity), Fate::Ended);
        cat.wait().unwrap();
        assert_eq!(identity.fate(), Fate::Ended);
    }

    #[test]
    fn exec_is_seen_even_of_the_same_program() {
        for program in ["cat", "sh -c 'read line'"] {
            let mut shell = Command::new("sh")
                .args(["-c", &format!("read line; exec {program}")])
                .stdin(Stdio::piped())
                .spawn()
                .unwrap();
            // The shell itself may still be starting.
            sleep(Duration::from_millis(200));
            let identity = ProcessIdentity::of(shell.id()).expect("it waits for a line");
            let mut line = shell.stdin.take().unwrap();
            std::io::Write::write_all(&mut line, b"go\n").unwrap();
            assert_eq!(fate_in_time(&identity), Fate::Replaced, "{program}");
            drop(line);
            shell.wait().unwrap();
        }
    }

    #[test]
    fn another_process_of_the_same_id_started_at_another_time() {
        let before = ProcessIdentity::of(std::process::id()).expect("/proc");
        let later = ProcessIdentity {
            start: before.start + 1,
            ..before
        };
        assert_eq!(before.fate_of(Some(later)), Fate::Another);
        // What the system does not tell is no difference.
        let unknown = ProcessIdentity {
            program: ProgramIdentity::default(),
            ..before
        };
        assert_eq!(before.fate_of(Some(unknown)), Fate::Same);
        assert_eq!(unknown.fate_of(Some(before)), Fate::Same);
    }
}
