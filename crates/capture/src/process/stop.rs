//! Stopping all threads of a process, and resuming them whatever happens.
//!
//! A thread is seized, which does not disturb it, and then interrupted. When the guard is dropped,
//! threads resume, each with the signal that it was about to get, if any; if the whole process was
//! stopped before, it stays stopped. If this process is killed meanwhile, the kernel does the same:
//! a seized thread without a tracer resumes.

use crate::process::error::AttachError;
use crate::process::ptrace::{
    DETACH, INTERRUPT, SEIZE, ThreadState, own_thread, request, state_of, wait_for,
};
use crate::process::refusal;
use crate::process::threads::{has_ended, runs_or_is_traced, threads};
use std::ffi::c_int;
use std::marker::PhantomData;
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How much longer to wait where only a processor is lacking: for a thread, which stops as soon as
/// it gets one, or for this one, which has not yet seen that all have stopped. It is bounded, since
/// a thread that executes another program may go on running without having been interrupted.
const MORE_FOR_BUSY: Duration = Duration::from_millis(500);
/// How long to sleep before checking again whether a thread has stopped, when it takes long.
const PAUSE: Duration = Duration::from_micros(100);
/// How many times to check without sleeping.
const AT_ONCE: u32 = 200;
/// How many times to try to seize a thread that is just taking over another's place.
const TRIES: u32 = 20;
/// Why a process could not be stopped.
#[derive(Debug)]
pub(super) enum NotStopped {
    /// This thread of the process does not stop.
    Never(u32),
    /// Another reason, which waiting does not change.
    Refused(AttachError),
}

impl From<AttachError> for NotStopped {
    fn from(error: AttachError) -> NotStopped {
        NotStopped::Refused(error)
    }
}

/// A stopped thread.
#[derive(Debug)]
struct Stopped {
    thread: u32,
    /// The signal that it was about to get when it was stopped; 0 where there was none.
    signal: c_int,
}

/// All threads of a process, which are stopped until this is dropped.
///
/// Only the thread that stopped them can resume them, so this cannot be sent to another. After an
/// error, the kernel detaches from threads that have not stopped when that thread ends.
#[derive(Debug)]
pub(super) struct Stop {
    process: u32,
    stopped: Vec<Stopped>,
    /// Seized, and not yet known to have stopped.
    seized: Vec<u32>,
    since: Instant,
    /// When to give up.
    deadline: Instant,
    stays_here: PhantomData<*const ()>,
}

/// The outcome of seizing a thread.
enum Seized {
    Yes,
    /// It is ending or has ended.
    Gone,
}

impl Stop {
    /// Stops a process. After an error, none of its threads stays stopped.
    pub(super) fn new(process: u32, patience: Duration) -> Result<Stop, NotStopped> {
        let mut stop = Stop::unseized(process, patience);
        // A thread that is not stopped yet may create others.
        while stop.seize_new_threads()? {
            // A process that executes other programs again and again always has new ones.
            if Instant::now() > stop.deadline && !stop.stopped.is_empty() {
                return Err(NotStopped::Never(stop.seized[0]));
            }
            stop.interrupt()?;
            stop.wait()?;
        }
        match stop.stopped.is_empty() {
            true => Err(AttachError::ended(process).into()),
            false => Ok(stop),
        }
    }

    /// A stop that has not seized any thread yet.
    fn unseized(process: u32, patience: Duration) -> Stop {
        let since = Instant::now();
        Stop {
            process,
            stopped: Vec::new(),
            seized: Vec::new(),
            since,
            deadline: since + patience,
            stays_here: PhantomData,
        }
    }

    /// Resumes all threads; returns how long they were stopped.
    pub(super) fn release(mut self) -> Duration {
        self.detach();
        self.since.elapsed()
    }

    /// Seizes the threads that are not seized yet; returns whether any is now seized but not
    /// stopped.
    fn seize_new_threads(&mut self) -> Result<bool, AttachError> {
        let threads = threads(self.process).map_err(|_| AttachError::ended(self.process))?;
        let mut known: Vec<u32> = self.stopped.iter().map(|one| one.thread).collect();
        known.sort_unstable();
        for thread in threads {
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
        let mut tries = 0;
        loop {
            let Err(error) = request(SEIZE, thread, 0) else {
                return Ok(Seized::Yes);
            };
            if error.raw_os_error() == Some(libc::ESRCH) || has_ended(self.process, thread) {
                return Ok(Seized::Gone);
            }
            // A thread that executes another program takes over the place and the number of the
            // first thread. We may have seized it under its own number, or the thread that it
            // replaces has just ended.
            let has_any = !self.seized.is_empty() || !self.stopped.is_empty();
            if has_any && refusal::tracing_thread(thread) == Some(own_thread()) {
                return Ok(Seized::Yes);
            }
            if error.raw_os_error() != Some(libc::EPERM) || tries == TRIES {
                return Err(refusal::of_process(self.process, &error));
            }
            tries += 1;
            // What does not change is given up after some milliseconds.
            sleep(PAUSE);
        }
    }

    fn interrupt(&self) -> Result<(), AttachError> {
        for &thread in &self.seized {
            match request(INTERRUPT, thread, 0) {
                Err(error) if error.raw_os_error() != Some(libc::ESRCH) => {
                    return Err(AttachError::failed(self.process, &error));
                }
                _ => {}
            }
        }
        Ok(())
    }

    /// Waits until all seized threads have stopped or ended.
    ///
    /// A thread that executes another program first ends all others, stopped ones too, and waits
    /// until their tracer has noticed: so it stops only after these were checked as well. Then it
    /// goes by the number of the first thread, which may have been stopped already.
    fn wait(&mut self) -> Result<(), NotStopped> {
        for round in 0.. {
            let mut any_ended = self.look_at_seized();
            if round >= AT_ONCE || (any_ended && self.seized.is_empty()) {
                any_ended |= self.look_at_stopped()?;
            }
            if self.seized.is_empty() {
                break;
            }
            if any_ended {
                // The thread that now goes by the first one's number may have missed both
                // interruptions.
                self.interrupt()?;
            }
            if Instant::now() > self.deadline && !self.is_machine_busy() {
                return Err(NotStopped::Never(self.seized[0]));
            }
            match round < AT_ONCE {
                true => thread::yield_now(),
                false => sleep(PAUSE),
            }
        }
        Ok(())
    }

    /// Whether only a processor is lacking.
    fn is_machine_busy(&self) -> bool {
        let mut seized = self.seized.iter();
        Instant::now() < self.deadline + MORE_FOR_BUSY
            && seized.all(|&thread| runs_or_is_traced(self.process, thread))
    }

    /// Records seized threads that have stopped or ended; returns whether any has ended.
    fn look_at_seized(&mut self) -> bool {
        let mut any_ended = false;
        let mut seized = std::mem::take(&mut self.seized);
        seized.retain(|&thread| match state_of(thread) {
            ThreadState::Stopped(signal) => {
                self.stopped.push(Stopped { thread, signal });
                false
            }
            ThreadState::Ended => {
                self.reap(thread);
                any_ended = true;
                false
            }
            ThreadState::Runs => true,
        });
        self.seized = seized;
        any_ended
    }

    /// Records stopped threads that have ended, or whose numbers others have taken over; returns
    /// whether any has ended.
    fn look_at_stopped(&mut self) -> Result<bool, AttachError> {
        let mut any_ended = false;
        let mut stopped = std::mem::take(&mut self.stopped);
        let mut again = Vec::new();
        stopped.retain(|one| match state_of(one.thread) {
            ThreadState::Stopped(_) => true,
            ThreadState::Ended => {
                self.reap(one.thread);
                any_ended = true;
                false
            }
            ThreadState::Runs => {
                again.push(one.thread);
                false
            }
        });
        self.stopped = stopped;
        if !again.is_empty() {
            self.seized.append(&mut again);
            self.interrupt()?;
        }
        Ok(any_ended)
    }

    /// Reaps a thread that has ended: another one, which executes another program, may wait for
    /// that. The end of the process itself is left to its parent.
    fn reap(&self, thread: u32) {
        if thread != self.process {
            let _ = wait_for(thread, libc::WEXITED);
        }
    }

    fn detach(&mut self) {
        for one in self.stopped.drain(..) {
            // A thread that was killed meanwhile is gone, which is no error here.
            let _ = request(DETACH, one.thread, one.signal);
        }
    }
}

impl Drop for Stop {
    fn drop(&mut self) {
        self.detach();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::error::AttachErrorKind;
    use crate::process::test_programs::{child_of_this_test, lines};
    use std::fs;
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::process::ExitStatusExt;
    use std::process::{Child, Command, Stdio};

    const PATIENCE: Duration = Duration::from_secs(5);

    #[track_caller]
    fn refused(process: u32) -> AttachErrorKind {
        match Stop::new(process, PATIENCE) {
            Err(NotStopped::Refused(error)) => error.kind(),
            other => panic!("{other:?}"),
        }
    }

    /// A program that echoes every line.
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
        let stop = Stop::new(program.id(), PATIENCE).unwrap();
        assert_eq!(state(program.id()), 't');
        assert_eq!(refusal::tracer(program.id()), Some(std::process::id()));
        let error = crate::process::attach(program.id(), Default::default()).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::Traced, "{error}");
        assert_eq!(refused(program.id()), AttachErrorKind::Traced);
        drop(stop);
        assert_eq!(refusal::tracer(program.id()), None);
        answers(program);
    }

    #[test]
    fn it_goes_on_after_a_panic() {
        let program = echo();
        let id = program.id();
        let panicked = std::panic::catch_unwind(|| {
            let _stop = Stop::new(id, PATIENCE).unwrap();
            panic!("on purpose");
        });
        assert!(panicked.is_err());
        answers(program);
    }

    #[test]
    fn one_that_is_killed_meanwhile_is_no_error() {
        let mut program = echo();
        let stop = Stop::new(program.id(), PATIENCE).unwrap();
        program.kill().expect("it is there");
        stop.release();
        program.wait().expect("its end");
        assert_eq!(refused(program.id()), AttachErrorKind::Ended);
    }

    #[test]
    fn the_end_of_a_process_is_for_its_parent_to_know() {
        let mut program = echo();
        let mut stop = Stop::unseized(program.id(), PATIENCE);
        assert!(stop.seize_new_threads().unwrap());
        program.kill().expect("it is there");
        stop.wait().unwrap();
        assert!(stop.seized.is_empty() && stop.stopped.is_empty());
        assert_eq!(
            program.wait().expect("its end").signal(),
            Some(libc::SIGKILL)
        );
    }

    /// Run by another test as a child process, and does nothing otherwise: stops the process that
    /// the environment names, and waits to be killed.
    #[test]
    fn child_that_stops() {
        let Ok(target) = std::env::var("TARGET") else {
            return;
        };
        let _stop = Stop::new(target.parse().expect("a number"), PATIENCE).unwrap();
        println!("stopped");
        loop {
            sleep(PATIENCE);
        }
    }

    #[test]
    fn it_goes_on_when_this_process_is_killed() {
        let program = echo();
        let mut tracer = child_of_this_test("process::stop::tests::child_that_stops")
            .env("TARGET", program.id().to_string())
            .spawn()
            .expect("this test");
        assert!(lines(&mut tracer).any(|line| line.contains("stopped")));
        assert_eq!(state(program.id()), 't');
        tracer.kill().expect("it is there");
        tracer.wait().expect("its end");
        answers(program);
    }

    /// Run by another test as a child process, and does nothing otherwise: seizes the process that
    /// the environment names, waits until a signal stops it, and then to be killed.
    #[test]
    fn child_that_holds_a_signal_back() {
        let Ok(target) = std::env::var("SIGNALLED") else {
            return;
        };
        let target = target.parse().expect("a number");
        request(SEIZE, target, 0).expect("it may be traced");
        println!("seized");
        loop {
            match state_of(target) {
                ThreadState::Stopped(signal) => break println!("stopped by {signal}"),
                ThreadState::Runs => sleep(PAUSE),
                ThreadState::Ended => panic!("it ended"),
            }
        }
        loop {
            sleep(PATIENCE);
        }
    }

    #[test]
    fn a_signal_arrives_though_this_process_is_killed() {
        let mut program = echo();
        let mut tracer = child_of_this_test("process::stop::tests::child_that_holds_a_signal_back")
            .env("SIGNALLED", program.id().to_string())
            .spawn()
            .expect("this test");
        let mut lines = lines(&mut tracer);
        assert!(lines.any(|line| line.contains("seized")));
        // SAFETY: it has no effect on this process.
        unsafe { libc::kill(program.id() as libc::pid_t, libc::SIGTERM) };
        assert!(lines.any(|line| line.contains("stopped by 15")));
        tracer.kill().expect("it is there");
        tracer.wait().expect("its end");
        drop(program.stdin.take());
        assert_eq!(
            program.wait().expect("its end").signal(),
            Some(libc::SIGTERM)
        );
    }
}
