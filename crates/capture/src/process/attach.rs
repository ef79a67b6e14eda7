//! Attaching: capturing every Lua state of a running process.

use crate::capture_time::CaptureTime;
use crate::memory::memory_pieces::MemoryPieces;
use crate::native::main_state::{MainState, main_state_at};
use crate::native::sight::look;
use crate::process::buffer::Place;
use crate::process::capture::{Captures, StateCapture};
use crate::process::copy::Copier;
use crate::process::error::{AttachError, AttachErrorKind};
use crate::process::program::is_thirty_two_bit;
use crate::process::refusal;
use crate::process::search::{expect_state, states_in};
use crate::process::shared_memory::SharedMemory;
use luasnap_heap::Printable;
use luasnap_words::{Sentence, Spoken};
use std::path::Path;
use std::thread::{self, sleep};
use std::time::Duration;

/// How long the process runs between two attempts, times the number of attempts so far.
const BETWEEN: Duration = Duration::from_millis(10);

/// How to attach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AttachOptions<'a> {
    /// The most times that the process is copied. A stop may catch a VM inside an allocation or the
    /// collector's work, so that not all of its bytes can be accounted for. The best attempt
    /// counts.
    pub tries: u32,
    /// The only state to capture, or all of that name; `None` for all states.
    pub state: Option<StateChoice<'a>>,
    /// A folder on a disk for the copy, which is kept there in a file without a name. `None` keeps
    /// it in memory.
    pub scratch: Option<&'a Path>,
}

/// Which of a process's states are meant.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum StateChoice<'a> {
    /// The one whose main thread is at this address.
    At(u64),
    /// All that are called so: see [`FoundState::name`](crate::process::FoundState). A service of skynet has also the
    /// service's name and its address, each alone: `agent`, `:0000000a`.
    Called(&'a str),
}

impl StateChoice<'_> {
    fn is(self, memory: &MemoryPieces<'_>, state: &MainState) -> bool {
        match self {
            StateChoice::At(address) => state.main_thread == address,
            StateChoice::Called(name) => look(memory, state).is_called(name),
        }
    }

    /// Says that a process has no such state.
    fn missing_in(self, process: u32) -> Sentence {
        match self {
            StateChoice::At(address) => Sentence::new("attach.no_state_at")
                .with("process", process)
                .with("address", format!("{address:#x}")),
            StateChoice::Called(name) => Sentence::new("attach.no_state_called")
                .with("process", process)
                .with("name", Printable(name.as_bytes()).to_string()),
        }
    }
}

impl Default for AttachOptions<'_> {
    fn default() -> AttachOptions<'static> {
        AttachOptions {
            tries: 5,
            state: None,
            scratch: None,
        }
    }
}

/// The result of attaching.
#[derive(Debug)]
pub struct Attached {
    /// The states by address, and the heap of each, or why it was not captured. A heap's provenance
    /// has the total that the VM reports; a [`Census`](luasnap_heap::Census) tells how much of that
    /// is unaccounted.
    pub captures: Vec<StateCapture>,
    /// How long the longest stop was: from when the first thread stopped until the last resumed.
    pub pause: Duration,
    /// How long the process stood still in total, including stops in which not all threads stopped.
    pub stood_still: Duration,
    /// Number of stops: larger than `tries` if such a stop failed, or if there was too little room
    /// for the copy.
    pub stops: u32,
    /// Bytes of the process's memory that were copied, in the largest attempt.
    pub copied: u64,
    /// Number of times that it was copied.
    pub tries: u32,
}

/// Captures the Lua states of a running process.
///
/// The process is stopped for as long as it takes to copy its writable memory, and never written
/// to. It resumes whatever happens here. It is not stopped if there is not enough memory for the
/// copy and the heaps captured from it. Memory that it shares with others is copied only if Lua
/// memory is in it.
///
/// Since a process may be stopped anywhere, stacks are read up to the last slot that each call may
/// use: nothing in use is missed, but values that were in use a moment before may be seen too.
/// Values that LuaJIT's compiled code has only in machine registers are not seen.
///
/// # Errors
/// See [`AttachErrorKind`].
pub fn attach(process: u32, options: AttachOptions<'_>) -> Result<Attached, AttachError> {
    check(process)?;
    let shared =
        SharedMemory::of_process(process).map_err(|error| refusal::of_process(process, &error))?;
    let places = expect_state(process, &shared)?;
    let place = options.scratch.map_or(Place::Memory, Place::Folder);
    let mut copier = Copier::new(process, place, &shared, places.shared.is_some())?;
    let mut captures = Captures::default();
    let mut known: Vec<u64> = places.private.into_iter().chain(places.shared).collect();
    let mut attached = Attached {
        captures: Vec::new(),
        pause: Duration::ZERO,
        stood_still: Duration::ZERO,
        stops: 0,
        copied: 0,
        tries: 0,
    };
    while attached.tries < options.tries.max(1) {
        let moment = CaptureTime::in_process(process);
        let copied = match copier.copy() {
            // It has ended since, or another program traces it: what is known remains.
            Err(_) if captures.have_heap() => break,
            copied => copied?,
        };
        attached.tries += 1;
        attached.copied = attached.copied.max(copied);
        known = capture_states(&copier, &known, options.state, moment, &mut captures)?;
        if captures.are_settled() {
            break;
        }
        // A state that cannot be read at all may have some of its memory in shared mappings.
        if captures.have_failed() {
            copier.take_shared();
        }
        sleep(BETWEEN * attached.tries);
    }
    let stop_times = copier.stop_times();
    attached.pause = stop_times.longest;
    attached.stood_still = stop_times.total;
    attached.stops = stop_times.stops;
    drop(copier);
    attached.captures = finish(process, options, captures)?;
    Ok(attached)
}

/// Captures the states in a copy, except those with an exact capture. Those at `known` places are captured while
/// another thread searches for more. Returns the places of all.
fn capture_states(
    copier: &Copier<'_>,
    known: &[u64],
    only: Option<StateChoice<'_>>,
    moment: CaptureTime,
    captures: &mut Captures,
) -> Result<Vec<u64>, AttachError> {
    let (memory, beside) = (copier.memory()?, copier.memory()?);
    let mut places = Vec::new();
    let mut capture = |state: &MainState| {
        let place = state.place();
        if places.contains(&place) {
            return;
        }
        places.push(place);
        if only.is_none_or(|only| only.is(&memory, state)) {
            captures.add(&memory, state, moment);
        }
    };
    let states = thread::scope(|scope| {
        let searching = thread::Builder::new().spawn_scoped(scope, move || states_in(&beside));
        for &place in known {
            main_state_at(&memory, place).iter().for_each(&mut capture);
        }
        match searching {
            Ok(searching) => {
                let found = searching.join();
                found.unwrap_or_else(|panic| std::panic::resume_unwind(panic))
            }
            // Where no thread is available, this one does it all.
            Err(_) => states_in(&memory),
        }
    });
    states.iter().for_each(&mut capture);
    Ok(places)
}

fn finish(
    process: u32,
    options: AttachOptions<'_>,
    captures: Captures,
) -> Result<Vec<StateCapture>, AttachError> {
    match (captures.is_empty(), options.state) {
        (true, Some(choice)) => Err(AttachError::new(
            AttachErrorKind::NoLuaState,
            choice.missing_in(process),
        )),
        (true, None) => Err(AttachError::no_lua_state(process)),
        (false, _) => captures.finish().map_err(|error| {
            let sentence = Sentence::new("attach.of_process")
                .with("process", process)
                .with("reason", error.sentence());
            let kind = match error.is_unknown() {
                true => AttachErrorKind::Unsupported,
                false => AttachErrorKind::Failed,
            };
            AttachError::new(kind, sentence).with_details(error.details())
        }),
    }
}

/// Checks what can be checked without touching the process.
pub(super) fn check(process: u32) -> Result<(), AttachError> {
    if cfg!(not(target_os = "linux")) {
        let sentence = Sentence::new("attach.not_on_this_system");
        return Err(AttachError::new(AttachErrorKind::Unsupported, sentence));
    }
    let folder = format!("/proc/{process}");
    if process == 0 || !Path::new(&folder).exists() {
        return Err(AttachError::no_such_process(process));
    }
    if process == std::process::id() {
        let sentence = Sentence::new("attach.itself");
        return Err(AttachError::new(AttachErrorKind::Failed, sentence));
    }
    if let Some(tracer) = refusal::tracer(process) {
        return Err(refusal::traced(process, tracer));
    }
    if is_thirty_two_bit(process) {
        let sentence = Sentence::new("attach.thirty_two_bit").with("process", process);
        return Err(AttachError::new(AttachErrorKind::ThirtyTwoBit, sentence));
    }
    Ok(())
}
