//! The process as the host sees it: running, or ended well or not.

use crate::background::child::{self, PANICKED};
use crate::background::report::{Failure, Report};
use std::io;
use std::os::fd::RawFd;
use std::path::{Path, PathBuf};
use std::ptr::null_mut;
use std::sync::atomic::{AtomicPtr, AtomicUsize, Ordering};
use std::time::Duration;

/// A name, and what removes it.
pub type LeftName = (PathBuf, fn(&Path));

/// The file that the process writes.
pub struct JobFile {
    /// What it is called in messages.
    pub path: PathBuf,
    /// What the process writes to.
    pub descriptor: RawFd,
    /// A name that it may leave behind, and what removes that when it has ended.
    pub left: Option<LeftName>,
}

/// A process that writes a file.
pub struct Job {
    id: i32,
    /// The process that made it, and can wait for it.
    parent: u32,
    file: JobFile,
    report: Report,
    ended: Option<Result<(), Failure>>,
}

impl Job {
    /// Makes a process that does `work` and says how that ended.
    ///
    /// # Errors
    ///
    /// What the system says, where there can be no such process.
    pub(crate) fn start(
        file: JobFile,
        work: impl FnOnce() -> Result<(), Failure>,
    ) -> io::Result<Job> {
        let report = Report::new().ok_or(io::ErrorKind::OutOfMemory)?;
        let id = child::make(file.descriptor, || report.say(&work()))?;
        Ok(Job {
            id,
            parent: std::process::id(),
            file,
            report,
            ended: None,
        })
    }

    /// The file's path.
    pub fn path(&self) -> &Path {
        &self.file.path
    }

    /// How it ended; `None` while it runs. Does not wait.
    pub fn ended(&mut self) -> Option<&Result<(), Failure>> {
        if self.ended.is_none() {
            self.look(libc::WNOHANG);
        }
        self.ended.as_ref()
    }

    /// Waits until it has ended, and returns how.
    pub fn wait(&mut self) -> &Result<(), Failure> {
        /// How often one looks for a process that is somebody else's child, or whose end somebody else was told.
        const PAUSE: Duration = Duration::from_millis(10);
        while self.ended.is_none() {
            if !self.look(0) {
                std::thread::sleep(PAUSE);
            }
        }
        self.ended.get_or_insert(Err(Failure::Silent))
    }

    /// Whether it has ended is asked of the system. False where that does not know it as a child of this process.
    fn look(&mut self, flags: i32) -> bool {
        let mut status = 0;
        // It has no signal of its own, and would be passed over otherwise.
        #[cfg(target_os = "linux")]
        let flags = flags | libc::__WALL;
        let is_child = self.parent == std::process::id();
        let waited = match is_child {
            // SAFETY: there is room for the status.
            true => unsafe { libc::waitpid(self.id, &raw mut status, flags) },
            false => -1,
        };
        match waited {
            0 => return true,
            -1 if is_child && is_interrupted() => return true,
            -1 => {
                // The host waits for all processes, or this is a copy of it.
                // SAFETY: no signal is sent.
                let is_there = unsafe { libc::kill(self.id, 0) } == 0;
                if is_there && self.report.said().is_none() {
                    return false;
                }
                self.end(Failure::Silent);
            }
            _ if libc::WIFSIGNALED(status) => self.end(Failure::Killed(libc::WTERMSIG(status))),
            _ if libc::WEXITSTATUS(status) == PANICKED => self.end(Failure::Panicked),
            _ => self.end(Failure::Silent),
        }
        true
    }

    /// Notes its end: what it has said, or this.
    fn end(&mut self, silent: Failure) {
        self.ended = Some(self.report.said().unwrap_or(Err(silent)));
        if let Some((path, remove)) = self.file.left.take() {
            remove(&path);
        }
    }

    /// Nobody will ask for it any more. It goes on, and is waited for when there is an occasion.
    pub(crate) fn abandon(mut self: Box<Job>) {
        if self.ended().is_none() {
            keep(self);
        }
    }
}

fn is_interrupted() -> bool {
    io::Error::last_os_error().kind() == io::ErrorKind::Interrupted
}

/// How many jobs can be abandoned at once; the host keeps the dead processes of others until it ends.
const MOST_ABANDONED: usize = 64;

/// Jobs that nobody asks for, but whose processes have to be waited for when they end. (No lock: a host may fork while
/// another thread has it.)
static ABANDONED: [AtomicPtr<Job>; MOST_ABANDONED] =
    [const { AtomicPtr::new(null_mut()) }; MOST_ABANDONED];
/// How many there are, so that it costs nothing to find none.
static COUNT: AtomicUsize = AtomicUsize::new(0);

/// Keeps a job until its process has ended.
fn keep(job: Box<Job>) {
    let job = Box::into_raw(job);
    for place in &ABANDONED {
        let free = place.compare_exchange(null_mut(), job, Ordering::AcqRel, Ordering::Relaxed);
        if free.is_ok() {
            COUNT.fetch_add(1, Ordering::Release);
            return;
        }
    }
    // SAFETY: made above, and in no place.
    drop(unsafe { Box::from_raw(job) });
}

/// Waits for the processes of abandoned jobs that have ended. Returns whether others still run.
pub(crate) fn wait_for_abandoned() -> bool {
    if COUNT.load(Ordering::Acquire) == 0 {
        return false;
    }
    for place in &ABANDONED {
        let job = place.swap(null_mut(), Ordering::AcqRel);
        if !job.is_null() {
            COUNT.fetch_sub(1, Ordering::Release);
            // SAFETY: from `keep`, and whoever took it out of its place has it alone.
            unsafe { Box::from_raw(job) }.abandon();
        }
    }
    COUNT.load(Ordering::Acquire) > 0
}
