//! Stopping all threads of a process, and letting them go on whatever happens.
//!
//! A thread is seized, which does not disturb it, and interrupted. When the guard is dropped, threads go
//! on, with a signal that one of them was about to get; where the whole process was stopped before, it
//! stays so. If this process is killed meanwhile, the kernel does the same: a seized thread without a
//! tracer goes on.
//!
//! A thread that waits in the kernel does not stop, and one that did not stop cannot be let go by a request.
//! It would stand still once it comes back. So what stops a process is a thread of its own, which ends
//! afterwards: then the kernel lets go of all that it traced.

use crate::process::error::{AttachError, AttachErrorKind};
use crate::process::ptrace::{ThreadState, has_ended, own_thread, request, state_of, wait_for};
use crate::process::refusal;
use std::ffi::c_int;
use std::fs;
use std::marker::PhantomData;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, sleep};
use std::time::{Duration, Instant};

/// How long to try with a thread that does not stop: it may wait for a device. All others stand still
/// for most of that time.
pub(super) const PATIENCE: Duration = Duration::from_secs(5);
/// How long to wait at once. Then all threads are let go, and it begins anew: a process that runs another
/// program at that moment may have threads that no interruption reaches.
const TRY: Duration = Duration::from_millis(500);
/// How often to look whether the thread that stops a process waits for the kernel itself.
const WATCH: Duration = Duration::from_millis(20);
/// The kernel lets go a moment after the end of the thread that traced.
const BETWEEN_TRIES: Duration = Duration::from_millis(5);
/// How long to sleep before asking again whether a thread has stopped, once it takes long.
const PAUSE: Duration = Duration::from_micros(100);
/// How often to ask without sleeping.
const AT_ONCE: u32 = 200;
/// How often to try to seize a thread that is just becoming another one.
const TRIES: u32 = 20;
/// Bytes of the stack of the thread that stops a process.
const STACK: usize = 512 << 10;

/// Does something while a process stands still; answers how long it did, too.
///
/// # Errors
/// Why it could not be stopped. Then nothing was done and all threads go on: at once, or after `patience` if
/// one of them does not stop ([`AttachErrorKind::DoesNotStop`]). That one is seized no longer either a moment
/// later, so it goes on whenever the kernel lets it.
pub(super) fn while_stopped<T: Send>(
    process: u32,
    patience: Duration,
    work: impl FnOnce() -> T + Send,
) -> Result<(T, Duration), AttachError> {
    let since = Instant::now();
    let mut work = Some(work);
    loop {
        let left = patience.saturating_sub(since.elapsed());
        let (this, is_done) = (thread::current(), AtomicBool::new(false));
        let tried = thread::scope(|scope| {
            let stop_and_work = || -> Result<_, AttachError> {
                let stop = Stop::new(process, left.min(TRY));
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
                bury_ended(process);
            }
            let stopped = stopping.join();
            stopped.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
        });
        match tried {
            Ok((Some(done), pause)) => return Ok((done, pause)),
            Ok((None, _)) => unreachable!("work is done once"),
            Err(error) if error.kind() == AttachErrorKind::DoesNotStop && left > TRY => {
                sleep(BETWEEN_TRIES);
            }
            Err(error) => return Err(error),
        }
    }
}

/// Deals with the ends of threads that this process traces. A thread that is to run another program waits for
/// that, and holds a lock meanwhile for which whoever seizes another thread waits: so the one that stops the
/// process cannot do it.
fn bury_ended(process: u32) {
    let threads = fs::read_dir(format!("/proc/{process}/task"));
    for thread in threads.into_iter().flatten().flatten() {
        let number = thread
            .file_name()
            .to_str()
            .and_then(|name| name.parse().ok());
        if let Some(number) = number.filter(|&number: &u32| number != process) {
            let _ = wait_for(number, libc::WEXITED);
        }
    }
}

/// A thread that is stopped.
#[derive(Debug)]
struct Stopped {
    thread: u32,
    /// The signal that it was about to get when it was stopped; 0 where there was none.
    signal: c_int,
}

/// All threads of a process, which stand still until this is dropped.
///
/// Only the thread that stopped them may let them go: so this cannot be sent to another. After an error, the
/// kernel lets go of threads that have not stopped when that thread ends.
#[derive(Debug)]
struct Stop {
    process: u32,
    stopped: Vec<Stopped>,
    /// Seized, and not yet known to have stopped.
    seized: Vec<u32>,
    since: Instant,
    /// When to give up.
    deadline: Instant,
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
    fn new(process: u32, patience: Duration) -> Result<Stop, AttachError> {
        let mut stop = Stop::of_none(process, patience);
        // A thread that is not stopped yet may make others.
        while stop.seize_new_threads()? {
            // One that runs other programs again and again has new ones for ever.
            if Instant::now() > stop.deadline {
                return Err(AttachError::does_not_stop(process, stop.seized[0]));
            }
            stop.interrupt()?;
            stop.wait()?;
        }
        match stop.stopped.is_empty() {
            true => Err(AttachError::ended(process)),
            false => Ok(stop),
        }
    }

    /// None of its threads is seized yet.
    fn of_none(process: u32, patience: Duration) -> Stop {
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

    /// Lets all go on; answers how long they stood still.
    fn release(mut self) -> Duration {
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
        let mut tries = 0;
        loop {
            let Err(error) = request(libc::PTRACE_SEIZE, thread, 0) else {
                return Ok(Seized::Yes);
            };
            if error.raw_os_error() == Some(libc::ESRCH) || has_ended(self.process, thread) {
                return Ok(Seized::Gone);
            }
            // A thread that runs another program takes the first one's place and number. We may have seized it
            // under its own number, or the one whose place it takes has just ended.
            let has_any = !self.seized.is_empty() || !self.stopped.is_empty();
            if has_any && refusal::tracing_thread(thread) == Some(own_thread()) {
                return Ok(Seized::Yes);
            }
            if error.raw_os_error() != Some(libc::EPERM) || tries == TRIES {
                return Err(refusal::of_process(self.process, &error));
            }
            tries += 1;
            // What will not change is not tried for long: that is some milliseconds.
            sleep(PAUSE);
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
    ///
    /// A thread that runs another program first ends all others, those that stand still too, and waits until
    /// whoever traces them knows: so it stops only once these were looked at as well. Then it goes on by the
    /// number of the first, which had stopped perhaps.
    fn wait(&mut self) -> Result<(), AttachError> {
        for round in 0.. {
            let mut any_ended = self.look_at_seized();
            if round >= AT_ONCE || (any_ended && self.seized.is_empty()) {
                any_ended |= self.look_at_stopped()?;
            }
            if self.seized.is_empty() {
                break;
            }
            if any_ended {
                // The one that now goes by the first one's number may have been interrupted by neither.
                self.interrupt()?;
            }
            if Instant::now() > self.deadline {
                let thread = self.seized[0];
                return Err(AttachError::does_not_stop(self.process, thread));
            }
            match round < AT_ONCE {
                true => thread::yield_now(),
                false => sleep(PAUSE),
            }
        }
        Ok(())
    }

    /// Takes note of seized threads that have stopped or ended; answers whether any has ended.
    fn look_at_seized(&mut self) -> bool {
        let mut any_ended = false;
        let mut seized = std::mem::take(&mut self.seized);
        seized.retain(|&thread| match state_of(thread) {
            ThreadState::Stopped(signal) => {
                self.stopped.push(Stopped { thread, signal });
                false
            }
            ThreadState::Ended => {
                self.bury(thread);
                any_ended = true;
                false
            }
            ThreadState::Runs => true,
        });
        self.seized = seized;
        any_ended
    }

    /// Takes note of threads that had stopped and are ending, or are others by now; answers whether any has
    /// ended.
    fn look_at_stopped(&mut self) -> Result<bool, AttachError> {
        let mut any_ended = false;
        let mut stopped = std::mem::take(&mut self.stopped);
        let mut again = Vec::new();
        stopped.retain(|one| match state_of(one.thread) {
            ThreadState::Stopped(_) => true,
            ThreadState::Ended => {
                self.bury(one.thread);
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

    /// Deals with the end of a thread: another one, which is to run another program, may wait for that. The
    /// end of the process itself is for its parent to know.
    fn bury(&self, thread: u32) {
        if thread != self.process {
            let _ = wait_for(thread, libc::WEXITED);
        }
    }

    fn detach(&mut self) {
        for one in self.stopped.drain(..) {
            // One that was killed meanwhile is gone, which is no error here.
            let _ = request(libc::PTRACE_DETACH, one.thread, one.signal);
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
    use std::io::{BufRead, BufReader, Write};
    use std::os::unix::process::ExitStatusExt;
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
        let stop = Stop::new(program.id(), PATIENCE).unwrap();
        assert_eq!(state(program.id()), 't');
        assert_eq!(refusal::tracer(program.id()), Some(std::process::id()));
        let error = super::super::attach(program.id(), Default::default()).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::Traced, "{error}");
        let error = Stop::new(program.id(), PATIENCE).unwrap_err();
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
        let error = Stop::new(program.id(), PATIENCE).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::Ended);
    }

    /// A test of this program that is run by another test, in a process of its own.
    fn child_of_this_test(name: &str) -> Command {
        let mut command = Command::new(std::env::current_exe().expect("this test"));
        let name = format!("process::stop::tests::{name}");
        command.args(["--exact", &name, "--nocapture"]);
        command.stdin(Stdio::piped()).stdout(Stdio::piped());
        command
    }

    fn lines(program: &mut Child) -> impl Iterator<Item = String> + use<> {
        let lines = BufReader::new(program.stdout.take().expect("a pipe")).lines();
        lines.map_while(Result::ok)
    }

    #[test]
    fn the_end_of_a_process_is_for_its_parent_to_know() {
        let mut program = echo();
        let mut stop = Stop::of_none(program.id(), PATIENCE);
        assert!(stop.seize_new_threads().unwrap());
        program.kill().expect("it is there");
        stop.wait().unwrap();
        assert!(stop.seized.is_empty() && stop.stopped.is_empty());
        assert_eq!(
            program.wait().expect("its end").signal(),
            Some(libc::SIGKILL)
        );
    }

    /// A child of another test, and nothing where none started it: stops the process that the environment
    /// names, and waits to be killed.
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
        let mut tracer = child_of_this_test("child_that_stops")
            .env("TARGET", program.id().to_string())
            .spawn()
            .expect("this test");
        assert!(lines(&mut tracer).any(|line| line.contains("stopped")));
        assert_eq!(state(program.id()), 't');
        tracer.kill().expect("it is there");
        tracer.wait().expect("its end");
        answers(program);
    }

    /// A child of another test, and nothing where none started it: waits in the kernel for a child of its
    /// own, which ends once it is sent a byte. Then it gives back a line.
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

    #[test]
    fn a_thread_that_does_not_stop_is_let_go_all_the_same() {
        let mut program = child_of_this_test("child_that_waits_in_the_kernel")
            .env("WAITS", "")
            .spawn()
            .expect("this test");
        let mut lines = lines(&mut program);
        assert!(lines.any(|line| line.contains("waits")));
        let patience = Duration::from_millis(100);
        let error = while_stopped(program.id(), patience, || panic!("it stopped")).unwrap_err();
        assert_eq!(error.kind(), AttachErrorKind::DoesNotStop, "{error}");
        // Another thread had stopped before. The kernel lets go a moment after a thread's end is known.
        let deadline = Instant::now() + PATIENCE;
        while let Some(tracer) = refusal::tracer(program.id()) {
            assert!(Instant::now() < deadline, "{tracer} traces it");
            thread::yield_now();
        }

        let mut stdin = program.stdin.take().expect("a pipe");
        writeln!(stdin, "!a line").expect("it reads");
        assert!(lines.any(|line| line.contains("got a line")));
        drop(stdin);
        assert!(program.wait().expect("its end").success());
    }

    /// A child of another test, and nothing where none started it: seizes the process that the environment
    /// names, waits until a signal stops it, and then to be killed.
    #[test]
    fn child_that_holds_a_signal_back() {
        let Ok(target) = std::env::var("SIGNALLED") else {
            return;
        };
        let target = target.parse().expect("a number");
        request(libc::PTRACE_SEIZE, target, 0).expect("it may be traced");
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
        let mut tracer = child_of_this_test("child_that_holds_a_signal_back")
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

    /// A child of another test, and nothing where none started it: has several threads, one of which soon
    /// replaces it by itself.
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
            child_of_this_test("child_that_replaces_itself")
                .stdin(Stdio::inherit())
                .stdout(Stdio::inherit())
                .exec()
        });
        panic!("{}", replaced.join().expect("no panic"));
    }

    /// All other threads end meanwhile, those that stand still as well, and it waits for them.
    #[test]
    fn a_process_that_replaces_itself_is_not_waited_for() {
        let mut program = child_of_this_test("child_that_replaces_itself")
            .env("REPLACES", "")
            .stdout(Stdio::null())
            .spawn()
            .expect("this test");
        let mut done = 0;
        for _ in 0..400 {
            match while_stopped(program.id(), PATIENCE, || ()) {
                Ok(_) => done += 1,
                Err(error) => {
                    let kinds = [AttachErrorKind::Ended, AttachErrorKind::NotPermitted];
                    assert!(kinds.contains(&error.kind()), "{error}");
                }
            }
            // At another moment each time.
            sleep(Duration::from_micros(37 * (done % 100)));
        }
        assert!(done > 200, "{done}");
        program.kill().expect("it runs");
        program.wait().expect("its end");
    }
}
