//! Stopping all threads of a process, and letting them go on whatever happens.
//!
//! A thread is seized, which does not disturb it, and interrupted. When the guard is dropped, threads go
//! on, with a signal that one of them was about to get; where the whole process was stopped before, it
//! stays so. If this process is killed meanwhile, the kernel does the same: a seized thread without a
//! tracer goes on.

use super::error::AttachError;
use super::refusal;
use std::ffi::{c_int, c_long, c_void};
use std::fs;
use std::io;
use std::marker::PhantomData;
use std::ptr::null_mut;
use std::thread::sleep;
use std::time::{Duration, Instant};

/// A thread that waits for a device may not be stopped for long.
const PATIENCE: Duration = Duration::from_secs(5);
/// How long to sleep before asking again whether a thread has stopped, once it takes long.
const PAUSE: Duration = Duration::from_micros(100);
/// How often to ask without sleeping.
const AT_ONCE: u32 = 200;

/// A thread that is stopped.
#[derive(Debug)]
struct Stopped {
    thread: u32,
    /// The signal that it was about to get when it was stopped; 0 where there was none.
    signal: c_int,
}

/// All threads of a process, which stand still until this is dropped.
///
/// Only the thread that stopped them may let them go: so this cannot be sent to another.
#[derive(Debug)]
pub(super) struct Stop {
    process: u32,
    stopped: Vec<Stopped>,
    /// Seized, and not yet known to have stopped.
    seized: Vec<u32>,
    since: Instant,
    stays_here: PhantomData<*const ()>,
}

/// What became of a thread that was to be seized.
enum Seized {
    Yes,
    /// It is ending or has ended.
    Gone,
}

impl Stop {
    /// Stops a process. On an error nothing is left stopped.
    pub(super) fn new(process: u32) -> Result<Stop, AttachError> {
        let mut stop = Stop {
            process,
            stopped: Vec::new(),
            seized: Vec::new(),
            since: Instant::now(),
            stays_here: PhantomData,
        };
        // A thread that is not stopped yet may make others.
        while stop.seize_new_threads()? {
            stop.interrupt()?;
            stop.wait()?;
        }
        match stop.stopped.is_empty() {
            true => Err(AttachError::ended(process)),
            false => Ok(stop),
        }
    }

    /// Lets all go on; answers how long they stood still.
    pub(super) fn release(mut self) -> Duration {
        self.detach();
        self.since.elapsed()
    }

    /// Seizes the threads that are not seized yet; answers whether there were any.
    fn seize_new_threads(&mut self) -> Result<bool, AttachError> {
        let folder = format!("/proc/{}/task", self.process);
        let threads = fs::read_dir(folder).map_err(|_| AttachError::ended(self.process))?;
        let mut known: Vec<u32> = self.stopped.iter().map(|one| one.thread).collect();
        known.sort_unstable();
        for thread in threads.flatten() {
            let thread = thread.file_name();
            let Some(thread) = thread.to_str().and_then(|name| name.parse().ok()) else {
                continue;
            };
            if known.binary_search(&thread).is_ok() {
                continue;
            }
            if let Seized::Yes = self.seize(thread)? {
                self.seized.push(thread);
            }
        }
        Ok(!self.seized.is_empty())
    }

    fn seize(&self, thread: u32) -> Result<Seized, AttachError> {
        let Err(error) = request(libc::PTRACE_SEIZE, thread, 0) else {
            return Ok(Seized::Yes);
        };
        let is_gone = error.raw_os_error() == Some(libc::ESRCH) || has_ended(self.process, thread);
        match is_gone {
            true => Ok(Seized::Gone),
            false => Err(refusal::of_process(self.process, &error)),
        }
    }

    fn interrupt(&self) -> Result<(), AttachError> {
        for &thread in &self.seized {
            match request(libc::PTRACE_INTERRUPT, thread, 0) {
                Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                    return Err(AttachError::failed(self.process, error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until all seized threads have stopped or ended.
    fn wait(&mut self) -> Result<(), AttachError> {
        let deadline = Instant::now() + PATIENCE;
        let mut asked = 0;
        while let Some(&thread) = self.seized.last() {
            match state_of(thread) {
                ThreadState::Stopped(signal) => {
                    self.seized.pop();
                    self.stopped.push(Stopped { thread, signal });
                }
                ThreadState::Ended => {
                    self.seized.pop();
                }
                ThreadState::Runs if Instant::now() > deadline => {
                    return Err(AttachError::does_not_stop(self.process, thread));
                }
                ThreadState::Runs if asked < AT_ONCE => std::thread::yield_now(),
                ThreadState::Runs => sleep(PAUSE),
            }
            asked += 1;
        }
        Ok(())
    }

    fn detach(&mut self) {
        for one in self.stopped.drain(..) {
            // One that was killed meanwhile is gone, which is no error here.
            let _ = request(libc::PTRACE_DETACH, one.thread, one.signal);
        }
        for thread in self.seized.drain(..) {
            detach_running(thread);
        }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.detach();
    }
}

/// Lets go of a thread that was seized and may not have stopped: only a stopped one can be let go.
fn detach_running(thread: u32) {
    let _ = request(libc::PTRACE_INTERRUPT, thread, 0);
    let deadline = Instant::now() + PATIENCE;
    while Instant::now() < deadline {
        match state_of(thread) {
            ThreadState::Stopped(signal) => {
                let _ = request(libc::PTRACE_DETACH, thread, signal);
                return;
            }
            ThreadState::Ended => return,
            ThreadState::Runs => sleep(PAUSE),
        }
    }
}

enum ThreadState {
    /// With the signal that it is about to get, or 0.
    Stopped(c_int),
    Ended,
    Runs,
}

/// What the kernel says of a thread that we traced.
fn state_of(thread: u32) -> ThreadState {
    let mut status = 0;
    let options = libc::__WALL | libc::WNOHANG;
    // SAFETY: there is room for the status.
    let waited = unsafe { libc::waitpid(thread as libc::pid_t, &raw mut status, options) };
    match waited {
        0 => ThreadState::Runs,
        -1 if io::Error::last_os_error().raw_os_error() == Some(libc::EINTR) => ThreadState::Runs,
        -1 => ThreadState::Ended,
        _ if !libc::WIFSTOPPED(status) => ThreadState::Ended,
        // The event behind the signal says that the stop is ours, or that of the whole process.
        _ if status >> 16 == libc::PTRACE_EVENT_STOP => ThreadState::Stopped(0),
        _ => ThreadState::Stopped(libc::WSTOPSIG(status)),
    }
}

fn request(request: libc::c_uint, thread: u32, data: c_int) -> io::Result<()> {
    // SAFETY: the requests of this file read and write no memory of ours: the last argument is a number.
    let answer: c_long = unsafe {
        libc::ptrace(
            request,
            thread as libc::pid_t,
            null_mut::<c_void>(),
            data as usize as *mut c_void,
        )
    };
    match answer {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// Whether a thread is no more, or about to be.
pub(super) fn has_ended(process: u32, thread: u32) -> bool {
    const EXITING: u32 = 4; // PF_EXITING
    let stat = fs::read(format!("/proc/{process}/task/{thread}/stat"));
    let Ok(stat) = stat else { return true };
    // The name before it may have blanks and brackets of its own.
    let name_end = stat.iter().rposition(|&byte| byte == b')').unwrap_or(0);
    let mut words = stat[name_end..].split(|&byte| byte == b' ').skip(1);
    let state = words.next().unwrap_or_default();
    let flags = words
        .nth(5)
        .and_then(|flags| std::str::from_utf8(flags).ok());
    let flags: u32 = flags.and_then(|flags| flags.parse().ok()).unwrap_or(0);
    matches!(state, b"Z" | b"X") || flags & EXITING != 0
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::error::AttachErrorKind;
    use std::io::{BufRead, BufReader, Write};
    use std::process::{Child, Command, Stdio};

    /// A program that gives back every line.
    fn echo() -> Child {
        let mut cat = Command::new("cat");
        let cat = cat.stdin(Stdio::piped()).stdout(Stdio::piped());
        cat.spawn().expect("cat")
    }

    fn state(process: u32) -> char {
        let stat = fs::read_to_string(format!("/proc/{process}/stat")).expect("a process");
        let end = stat.rfind(')').expect("a name");
        stat[end + 2..].chars().next().expect("a state")
    }

    #[track_caller]
    fn answers(mut program: Child) {
        let mut stdin = program.stdin.take().expect("a pipe");
        writeln!(stdin, "a line").expect("it reads");
        let mut line = String::new();
        let stdout = program.stdout.take().expect("a pipe");
        BufReader::new(stdout)
            .read_line(&mut line)
            .expect("it writes");
        assert_eq!(line, "a line\n");
        drop(stdin);
        assert!(program.wait().expect("its end").success());
    }

    #[test]
    fn it_stands_still_until_the_stop_is_dropped() {
        let program = echo();
        let stop = Stop::new(program.id()).unwrap();
        assert_eq!(state(program.id()), 't');
        assert_eq!(refusal::tracer(program.id()), Some(std::process::id()));
        let error = super::super::attach(program.id(), Default::default()).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::Traced, "{error}");
        let error = Stop::new(program.id()).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::Traced, "{error}");
        drop(stop);
        assert_eq!(refusal::tracer(program.id()), None);
        answers(program);
    }

    #[test]
    fn it_goes_on_after_a_panic() {
        let program = echo();
        let id = program.id();
        let panicked = std::panic::catch_unwind(|| {
            let _stop = Stop::new(id).unwrap();
            panic!("on purpose");
        });
        assert!(panicked.is_err());
        answers(program);
    }

    #[test]
    fn one_that_is_killed_meanwhile_is_no_error() {
        let mut program = echo();
        let stop = Stop::new(program.id()).unwrap();
        program.kill().expect("it is there");
        stop.release();
        program.wait().expect("its end");
        let error = Stop::new(program.id()).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::Ended);
    }

    /// A child of another test, and nothing where none started it: stops the process that the environment names, and waits to be killed.
    #[test]
    fn child_that_stops() {
        let Ok(target) = std::env::var("TARGET") else {
            return;
        };
        let _stop = Stop::new(target.parse().expect("a number")).unwrap();
        println!("stopped");
        loop {
            sleep(PATIENCE);
        }
    }

    #[test]
    fn it_goes_on_when_this_process_is_killed() {
        let program = echo();
        let name = "process::stop::tests::child_that_stops";
        let mut tracer = Command::new(std::env::current_exe().expect("this test"))
            .args(["--exact", name, "--nocapture"])
            .env("TARGET", program.id().to_string())
            .stdout(Stdio::piped())
            .spawn()
            .expect("this test");
        let lines = BufReader::new(tracer.stdout.take().expect("a pipe")).lines();
        let mut lines = lines.map_while(Result::ok);
        assert!(lines.any(|line| line.contains("stopped")));
        assert_eq!(state(program.id()), 't');
        tracer.kill().expect("it is there");
        tracer.wait().expect("its end");
        answers(program);
    }
}
