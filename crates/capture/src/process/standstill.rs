//! Doing work while a process is stopped, for as short a time as possible.
//!
//! A thread that waits in the kernel does not stop, and no request can detach from a thread that
//! has not stopped: it would stop once it leaves the kernel. So a process is stopped by a separate
//! thread, which ends afterwards: then the kernel detaches from all that it traced.
//!
//! While one thread does not stop, all others stand still. So before any is stopped, a thread that
//! hangs in the kernel is waited for; and if one does not stop all the same, the process runs for
//! longer than it stood still before the next attempt.

use crate::process::error::AttachError;
use crate::process::ptrace::wait_for;
use crate::process::stop::{NotStopped, Stop};
use crate::process::threads::{threads, waiting};
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long to keep trying with a thread that does not stop: it may wait for a device.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long the first, second and third attempt wait for all threads to stop. After each all are
/// released, and the next starts afresh: a process that is just executing another program may have
/// threads that no interruption reaches.
const TRIES: [Duration; 3] = [
    Duration::from_millis(100),
    Duration::from_millis(300),
    Duration::from_millis(600),
];
/// How long the process runs between two attempts, as a multiple of the time it stood still.
const REST: u32 = 2;
/// Interval between checks whether a thread still hangs.
const LOOK: Duration = Duration::from_millis(5);
/// Interval between checks whether the stopping thread itself waits in the kernel.
const WATCH: Duration = Duration::from_millis(20);
/// Stack size, in bytes, of the thread that stops a process.
const STACK: usize = 512 << 10;

/// How long a process stood still in all of its stops, failed ones included.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(super) struct StopTimes {
    /// The sum.
    pub(super) total: Duration,
    /// The longest stop.
    pub(super) longest: Duration,
    /// Number of stops.
    pub(super) stops: u32,
    /// Number of failed attempts.
    failed_attempts: usize,
}

impl StopTimes {
    fn add(&mut self, time: Duration) {
        self.total += time;
        self.longest = self.longest.max(time);
        self.stops += 1;
    }
}

/// Does work while a process is stopped, and adds the time it stood still to `times`. Earlier
/// failed attempts in it count: after a few in total there is no further attempt.
///
/// # Errors
/// Why the process could not be stopped. Then no work was done and all threads resume. A thread
/// that did not stop
/// ([`AttachErrorKind::DoesNotStop`](crate::process::error::AttachErrorKind::DoesNotStop)) is no
/// longer traced either a moment later, so it resumes whenever the kernel lets it.
pub(super) fn while_stopped<T: Send>(
    process: u32,
    patience: Duration,
    times: &mut StopTimes,
    work: impl FnOnce() -> T + Send,
) -> Result<T, AttachError> {
    let deadline = Instant::now() + patience;
    let mut work = Some(work);
    loop {
        let does_not_stop =
            |thread, times: &StopTimes| AttachError::does_not_stop(process, thread, times.total);
        if let Some(thread) = wait_for_hanging(process, deadline) {
            return Err(does_not_stop(thread, times));
        }
        let since = Instant::now();
        let tried = try_once(process, TRIES[times.failed_attempts], &mut work);
        match tried {
            Ok((Some(done), pause)) => {
                times.add(pause);
                return Ok(done);
            }
            Ok((None, _)) => unreachable!("work is done once"),
            Err(NotStopped::Never(thread)) => {
                let stood = since.elapsed();
                times.add(stood);
                let is_last = times.failed_attempts + 1 == TRIES.len();
                if is_last || Instant::now() > deadline {
                    return Err(does_not_stop(thread, times));
                }
                times.failed_attempts += 1;
                sleep(REST * stood);
            }
            Err(NotStopped::Refused(error)) => return Err(error),
        }
    }
}

/// Waits until no thread hangs in the kernel, where it would not stop: waiting for a disk takes
/// moments. Returns a thread that still hangs at the deadline.
fn wait_for_hanging(process: u32, deadline: Instant) -> Option<u32> {
    let mut before = waiting(process);
    while !before.is_empty() {
        sleep(LOOK);
        let now = waiting(process);
        let hangs = now.iter().find(|one| before.contains(one))?;
        if Instant::now() > deadline {
            return Some(hangs.thread);
        }
        before = now;
    }
    None
}

/// Stops a process, by a thread that ends afterwards, and does the work; returns also how long the
/// process stood still.
fn try_once<T: Send, W: FnOnce() -> T + Send>(
    process: u32,
    patience: Duration,
    work: &mut Option<W>,
) -> Result<(Option<T>, Duration), NotStopped> {
    let (this, is_done) = (thread::current(), AtomicBool::new(false));
    thread::scope(|scope| {
        let stop_and_work = || -> Result<_, NotStopped> {
            let stop = Stop::new(process, patience);
            is_done.store(true, Ordering::Release);
            this.unpark();
            let stop = stop?;
            let done = work.take().map(|work| work());
            Ok((done, stop.release()))
        };
        let stopping = thread::Builder::new()
            .stack_size(STACK)
            .spawn_scoped(scope, stop_and_work)
            .map_err(|error| AttachError::no_thread(process, &error))?;
        while !is_done.load(Ordering::Acquire) && !stopping.is_finished() {
            thread::park_timeout(WATCH);
            reap_ended(process);
        }
        let stopped = stopping.join();
        stopped.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
    })
}

/// Reaps the ended threads that this process traces. A thread that executes another program waits
/// for that, and meanwhile holds a lock that whoever seizes another thread waits for: so the thread
/// that stops the process cannot do it.
fn reap_ended(process: u32) {
    let threads = threads(process).into_iter().flatten();
    for thread in threads.filter(|&thread| thread != process) {
        let _ = wait_for(thread, libc::WEXITED);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::error::AttachErrorKind;
    use crate::process::refusal;
    use crate::process::test_programs::{child_of_this_test, lines};
    use std::io::Write;
    use std::process::{Child, Stdio};

    /// Run by another test as a child process, and does nothing otherwise: waits in the kernel for
    /// a child of its own, which ends once it is sent a byte. Then it echoes a line.
    #[test]
    fn child_that_waits_in_the_kernel() {
        if std::env::var_os("WAITS").is_none() {
            return;
        }
        let flags = libc::c_long::from(libc::CLONE_VFORK | libc::SIGCHLD);
        let none: libc::c_long = 0;
        // SAFETY: without CLONE_VM this is a fork. The child has memory of its own, makes three system
        // calls and ends.
        unsafe {
            if libc::syscall(libc::SYS_clone, flags, none, none, none, none) == 0 {
                libc::write(1, c"waits\n".as_ptr().cast(), 6);
                libc::read(0, [0u8].as_mut_ptr().cast(), 1);
                libc::_exit(0);
            }
        }
        let mut line = String::new();
        std::io::stdin().read_line(&mut line).expect("a line");
        println!("got {line}");
    }

    /// A process with a thread that waits in the kernel, and the lines it prints.
    fn one_that_waits() -> (Child, impl Iterator<Item = String>) {
        let mut program =
            child_of_this_test("process::standstill::tests::child_that_waits_in_the_kernel")
                .env("WAITS", "")
                .spawn()
                .expect("this test");
        let mut lines = lines(&mut program);
        assert!(lines.any(|line| line.contains("waits")));
        // It prints this a moment before its parent waits.
        let deadline = Instant::now() + PATIENCE;
        while waiting(program.id()).is_empty() {
            assert!(Instant::now() < deadline, "none of its threads waits");
            thread::yield_now();
        }
        (program, lines)
    }

    #[track_caller]
    fn goes_on(mut program: Child, mut lines: impl Iterator<Item = String>) {
        let mut stdin = program.stdin.take().expect("a pipe");
        writeln!(stdin, "!a line").expect("it reads");
        assert!(lines.any(|line| line.contains("got a line")));
        drop(stdin);
        assert!(program.wait().expect("its end").success());
    }

    #[test]
    fn for_a_thread_that_hangs_no_other_is_stopped() {
        let (program, lines) = one_that_waits();
        let mut times = StopTimes::default();
        let patience = Duration::from_millis(100);
        let stopped = while_stopped(program.id(), patience, &mut times, || panic!("it stopped"));
        let error = stopped.unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::DoesNotStop, "{error}");
        assert!(error.to_string().contains("was not stopped"), "{error}");
        assert_eq!(times, StopTimes::default());
        assert_eq!(refusal::tracer(program.id()), None);
        goes_on(program, lines);
    }

    #[test]
    fn one_that_hangs_for_a_moment_is_waited_for() {
        let (mut program, mut lines) = one_that_waits();
        let mut times = StopTimes::default();
        let mut stdin = program.stdin.take().expect("a pipe");
        let id = program.id();
        thread::scope(|scope| {
            scope.spawn(|| {
                sleep(4 * LOOK);
                write!(stdin, "!").expect("it reads");
            });
            let minute = Duration::from_secs(60);
            while_stopped(id, minute, &mut times, || ()).expect("it stops");
        });
        assert!(times.stops >= 1 && times.longest <= times.total);
        writeln!(stdin, "a line").expect("it reads");
        assert!(lines.any(|line| line.contains("got a line")));
        drop(stdin);
        assert!(program.wait().expect("its end").success());
    }

    #[test]
    fn a_thread_that_does_not_stop_is_let_go_all_the_same() {
        let (program, lines) = one_that_waits();
        let patience = Duration::from_millis(100);
        let tried = try_once(program.id(), patience, &mut Some(|| panic!("it stopped")));
        let Err(NotStopped::Never(thread)) = tried else {
            panic!("another reason");
        };
        let error = AttachError::does_not_stop(program.id(), thread, patience);
        assert!(error.to_string().contains("still for 100.0 ms"), "{error}");
        // Another thread had stopped before. The kernel detaches a moment after a thread's end is
        // known.
        let deadline = Instant::now() + PATIENCE;
        while let Some(tracer) = refusal::tracer(program.id()) {
            assert!(Instant::now() < deadline, "{tracer} traces it");
            thread::yield_now();
        }
        goes_on(program, lines);
    }

    /// Run by another test as a child process, and does nothing otherwise: has several threads, one
    /// of which soon replaces the process by the same program.
    #[test]
    fn child_that_replaces_itself() {
        use std::os::unix::process::CommandExt;
        if std::env::var_os("REPLACES").is_none() {
            return;
        }
        for _ in 0..4 {
            thread::spawn(|| {
                loop {
                    sleep(Duration::from_millis(1));
                }
            });
        }
        println!("begins");
        let replaced = thread::spawn(|| {
            sleep(Duration::from_millis(2));
            child_of_this_test("process::standstill::tests::child_that_replaces_itself")
                .stdin(Stdio::inherit())
                .stdout(Stdio::inherit())
                .exec()
        });
        panic!("{}", replaced.join().expect("no panic"));
    }

    /// All other threads end meanwhile, the stopped ones too, and the process waits for them.
    #[test]
    fn a_process_that_replaces_itself_is_not_waited_for() {
        let mut program =
            child_of_this_test("process::standstill::tests::child_that_replaces_itself")
                .env("REPLACES", "")
                .stdout(Stdio::null())
                .spawn()
                .expect("this test");
        let mut done = 0;
        for _ in 0..400 {
            match while_stopped(program.id(), PATIENCE, &mut StopTimes::default(), || ()) {
                Ok(_) => done += 1,
                Err(error) => {
                    let kinds = [AttachErrorKind::Ended, AttachErrorKind::NotPermitted];
                    assert!(kinds.contains(&error.kind()), "{error}");
                }
            }
            // At a different moment each time.
            sleep(Duration::from_micros(37 * (done % 100)));
        }
        assert!(done > 200, "{done}");
        program.kill().expect("it runs");
        program.wait().expect("its end");
    }
}
