//! Hundreds of states in one process, as in actor frameworks, each in use by some thread.

use crate::heaps::{global, reachable_string};
use crate::target::{Target, child_of_this_test};
use luasnap_capture::process::{AttachErrorKind, AttachOptions, Attached, attach};
use luasnap_heap::{Reach, Through};
use mlua_sys as lua;
use std::ffi::CString;
use std::io::Write;
use std::process::Command;
use std::thread;
use std::time::{Duration, Instant};

const THREADS: usize = 4;
const STATES: usize = 75;
/// Number of states that were closed before; their remains in memory do not count.
const CLOSED: usize = 20;

/// A state used by one thread at a time.
struct State(*mut lua::lua_State);

// SAFETY: only its owner uses it.
unsafe impl Send for State {}

impl State {
    fn new(number: usize) -> State {
        // SAFETY: a new state, or none.
        let state = unsafe { lua::luaL_newstate() };
        assert!(!state.is_null());
        // SAFETY: it is live, and nobody else has it.
        unsafe { lua::luaL_openlibs(state) };
        let state = State(state);
        state.run(&format!(
            "actor = {{ number = {number}, mark = 'actor number ' .. {number} }} count = 0"
        ));
        state
    }

    fn run(&self, source: &str) {
        let source = CString::new(source).expect("no zero byte");
        // SAFETY: the state is live, and this thread alone has it.
        let failed = unsafe {
            lua::luaL_loadstring(self.0, source.as_ptr()) != 0
                || lua::lua_pcall(self.0, 0, 0, 0) != 0
        };
        assert!(!failed);
    }

    fn close(self) {
        // SAFETY: the state is live, and this was its last use.
        unsafe { lua::lua_close(self.0) };
    }
}

/// Attaches, trying again where threads do not stop: on a busy machine they may not get a processor
/// for longer than their process may stand still.
fn attach_with_retries(process: u32, options: AttachOptions<'_>) -> Attached {
    let deadline = Instant::now() + Duration::from_secs(60);
    loop {
        match attach(process, options) {
            Err(error)
                if error.kind() == AttachErrorKind::DoesNotStop && Instant::now() < deadline => {}
            attached => return attached.unwrap(),
        }
    }
}

/// Run by another test as a child process, and does nothing otherwise: runs threads that go from
/// one state to the next forever.
#[test]
fn child_with_many_states() {
    if std::env::var_os("MANY_STATES").is_none() {
        return;
    }
    for number in 0..CLOSED {
        State::new(number).close();
    }
    let threads: Vec<_> = (0..THREADS)
        .map(|thread| {
            let numbers = thread * STATES..(thread + 1) * STATES;
            let states: Vec<State> = numbers.map(State::new).collect();
            thread::spawn(move || {
                while !states.is_empty() {
                    for state in &states {
                        state.run("for i = 1, 50 do count = count + #{ i, 'turn ' .. i } end");
                    }
                }
            })
        })
        .collect();
    println!("\nready");
    std::io::stdout().flush().expect("a pipe");
    for thread in threads {
        thread.join().expect("no panic");
    }
}

fn child() -> Command {
    let mut child = child_of_this_test("many_states::child_with_many_states");
    child.env("MANY_STATES", "1");
    child
}

#[test]
fn each_of_hundreds_is_found_and_captured() {
    let child = child();
    let target = Target::start_command(child, "");
    let options = AttachOptions {
        tries: 20,
        ..AttachOptions::default()
    };
    let attached = attach_with_retries(target.id(), options);
    assert_eq!(attached.captures.len(), THREADS * STATES);
    let mut numbers = Vec::new();
    for (state, heap) in &attached.captures {
        assert_eq!(state.vm.family(), "Lua 5.4");
        let heap = heap.as_ref().unwrap_or_else(|error| panic!("{error}"));
        let reach = Reach::new(heap, Through::Everything).unwrap();
        assert_eq!(heap.count(global(heap, "actor")), 2);
        let number = (0..THREADS * STATES).find(|number| {
            reachable_string(heap, &reach, &format!("actor number {number}")).is_some()
        });
        numbers.push(number.expect("a mark"));
    }
    numbers.sort_unstable();
    assert!(numbers.into_iter().eq(0..THREADS * STATES));
}

#[test]
fn all_threads_go_on() {
    let child = child();
    let target = Target::start_command(child, "");
    for _ in 0..5 {
        let options = AttachOptions {
            tries: 1,
            ..AttachOptions::default()
        };
        attach_with_retries(target.id(), options);
    }
    let folder = format!("/proc/{}/task", target.id());
    for thread in std::fs::read_dir(folder).expect("threads") {
        let status = thread.expect("a thread").path().join("status");
        let status = std::fs::read_to_string(status).expect("a status");
        assert!(status.contains("\nTracerPid:\t0\n"), "{status}");
        assert!(!status.contains("\nState:\tt"), "{status}");
    }
}
