//! A process whose first thread has ended before the others: the system shows no memory under its
//! number.

use crate::target::child_of_this_test;
use luasnap_capture::process::{AttachOptions, attach, lua_processes};
use mlua_sys as lua;
use std::fs;
use std::io::{BufRead, BufReader};
use std::process::{Child, Stdio};
use std::thread;
use std::time::{Duration, Instant};

/// Nothing here takes this long.
const LIMIT: Duration = Duration::from_secs(60);

/// Ends only the thread that gets the signal.
extern "C" fn end_thread(_: libc::c_int) {
    // SAFETY: nothing of this thread is used any more; the process is killed later.
    unsafe { libc::syscall(libc::SYS_exit, 0) };
}

/// Run by another test as a child process, and does nothing otherwise: has a Lua state in this
/// thread, and ends the first thread, which waits for the tests.
#[test]
fn child_without_its_first_thread() {
    if std::env::var_os("WITHOUT_FIRST_THREAD").is_none() {
        return;
    }
    // SAFETY: a new state, which this thread alone has.
    unsafe {
        let state = lua::luaL_newstate();
        lua::luaL_openlibs(state);
        let source = c"kept = {} for i = 1, 1000 do kept[i] = { i } end";
        assert_eq!(lua::luaL_loadstring(state, source.as_ptr()), 0);
        assert_eq!(lua::lua_pcall(state, 0, 0, 0), 0);
    }
    println!("ready");
    let handler: extern "C" fn(libc::c_int) = end_thread;
    // SAFETY: the handler makes one system call. The signal goes to the first thread, which has the
    // process's number, and ends it where it waits for this one.
    unsafe {
        libc::signal(libc::SIGUSR1, handler as libc::sighandler_t);
        let process = libc::getpid();
        libc::syscall(libc::SYS_tgkill, process, process, libc::SIGUSR1);
    }
    loop {
        thread::sleep(LIMIT);
    }
}

#[test]
fn a_process_is_read_by_a_thread_that_lives() {
    let mut child = child_of_this_test("first_thread::child_without_its_first_thread")
        .env("WITHOUT_FIRST_THREAD", "")
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .spawn()
        .expect("this test");
    let mut lines = BufReader::new(child.stdout.take().expect("a pipe")).lines();
    assert!(lines.any(|line| line.expect("text").contains("ready")));
    let deadline = Instant::now() + LIMIT;
    let child = Killed(child);
    let child = &child.0;
    let stat = || fs::read_to_string(format!("/proc/{}/stat", child.id())).expect("a process");
    while !stat().contains(") Z ") {
        assert!(Instant::now() < deadline, "its first thread goes on");
        thread::yield_now();
    }
    let attached = attach(child.id(), AttachOptions::default()).unwrap();
    assert_eq!(attached.captures.len(), 1);
    let (_, heap) = &attached.captures[0];
    assert!(heap.as_ref().unwrap().node_count() > 1000);
    let listed = lua_processes();
    let process = listed.iter().find(|process| process.pid == child.id());
    let process = process.expect("it is listed");
    assert_eq!(process.states.len(), 1);
    assert!(!process.command.is_empty());
}

/// A child that is killed however the test ends.
struct Killed(Child);

impl Drop for Killed {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}
