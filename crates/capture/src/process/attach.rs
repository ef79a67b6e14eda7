//! Attaching: capturing every Lua state of a running process.

use crate::capture_time::CaptureTime;
use crate::memory::memory_pieces::MemoryPieces;
use crate::process::buffer::Place;
use crate::process::capture::{Captures, StateCapture};
use crate::process::copy::Copier;
use crate::process::error::{AttachError, AttachErrorKind};
use crate::process::refusal;
use crate::process::search::{expect_state, states_in};
use crate::process::shared_memory::SharedMemory;
use crate::process::threads::living_thread;
use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::thread::sleep;
use std::time::Duration;

/// How long the process runs between two tries, times the number of tries so far.
const BETWEEN: Duration = Duration::from_millis(10);

/// How to attach.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct AttachOptions<'a> {
    /// How often to stop the process at most, where a stop caught a VM inside an allocation or the
    /// collector's work so that not all of its bytes can be accounted for. The best try counts.
    pub tries: u32,
    /// The address of the main thread of the one state that is wanted; all, where there is none.
    pub state: Option<u64>,
    /// A folder for the copy, on a disk: it is kept there in a file without a name. In memory, where there is
    /// none.
    pub scratch: Option<&'a Path>,
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

/// What attaching gave.
#[derive(Debug)]
pub struct Attached {
    /// The states by address, and what each held, or why that is not known. In a heap's provenance is
    /// what the VM says it holds in all; a [`Census`](luasnap_heap::Census) says how much of that is
    /// not accounted for.
    pub captures: Vec<StateCapture>,
    /// How long the process stood still: the longest of all stops, from the first thread's until the last one
    /// was let go.
    pub pause: Duration,
    /// How long it stood still in all. Stops in which not all threads stopped count, too.
    pub stood_still: Duration,
    /// How often it was stopped: more often than there were tries, where such a stop was in vain, or where there
    /// was too little room for the copy.
    pub stops: u32,
    /// Bytes of the process's memory that were copied, in the largest of all tries.
    pub copied: u64,
    /// How often it was copied.
    pub tries: u32,
}

/// Captures the Lua states of a running process.
///
/// The process is stopped for as long as it takes to copy what it can write, and never written to. It
/// goes on whatever happens here. It is not stopped where there is not enough memory for the copy and for
/// what is made of it. Memory that it shares with others is copied only where that has Lua's. Stacks of a process that was stopped anywhere are read up to the last
/// slot that each call may use, so that nothing in use is missed, and what was in use a moment before may
/// be seen too. Values that LuaJIT's compiled code has in the machine's registers alone are not seen.
///
/// # Errors
/// See [`AttachErrorKind`].
pub fn attach(process: u32, options: AttachOptions<'_>) -> Result<Attached, AttachError> {
    check(process)?;
    let shared =
        SharedMemory::of_process(process).map_err(|error| refusal::of_process(process, &error))?;
    let places = expect_state(process, &shared)?;
    let place = options.scratch.map_or(Place::Memory, Place::Folder);
    let mut copier = Copier::new(process, place, &shared, places.shared)?;
    let mut captures = Captures::default();
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
            // It has ended since, or is traced by somebody else: what is known remains.
            Err(_) if captures.have_heap() => break,
            copied => copied?,
        };
        attached.tries += 1;
        attached.copied = attached.copied.max(copied);
        capture_states(&copier.memory()?, options.state, moment, &mut captures);
        if captures.are_settled() {
            break;
        }
        // A state that cannot be read at all may have part of its memory elsewhere.
        if captures.have_failed() {
            copier.take_shared();
        }
        sleep(BETWEEN * attached.tries);
    }
    let standstill = copier.standstill();
    attached.pause = standstill.longest;
    attached.stood_still = standstill.total;
    attached.stops = standstill.stops;
    drop(copier);
    attached.captures = finish(process, options, captures)?;
    Ok(attached)
}

/// Captures the states in a copy, but for those of which an exact capture is there.
fn capture_states(
    memory: &MemoryPieces<'_>,
    only: Option<u64>,
    moment: CaptureTime,
    captures: &mut Captures,
) {
    for state in states_in(memory) {
        if only.is_none_or(|only| only == state.main_thread) {
            captures.add(memory, &state, moment);
        }
    }
}

fn finish(
    process: u32,
    options: AttachOptions<'_>,
    captures: Captures,
) -> Result<Vec<StateCapture>, AttachError> {
    match (captures.is_empty(), options.state) {
        (true, Some(address)) => Err(AttachError::new(
            AttachErrorKind::NoLuaState,
            format!("process {process} has no Lua state whose main thread is at {address:#x}"),
        )),
        (true, None) => Err(AttachError::no_lua_state(process)),
        (false, _) => captures.finish().map_err(|error| {
            let message = format!("process {process}: {error}");
            let kind = match error.is_unknown() {
                true => AttachErrorKind::Unsupported,
                false => AttachErrorKind::Failed,
            };
            AttachError::new(kind, message)
        }),
    }
}

/// What can be told of a process before it is touched.
fn check(process: u32) -> Result<(), AttachError> {
    let folder = format!("/proc/{process}");
    if process == 0 || !Path::new(&folder).exists() {
        return Err(AttachError::no_such_process(process));
    }
    if process == std::process::id() {
        let message = "a process cannot stop itself; its own heap is read by the module `snapshot`";
        return Err(AttachError::new(AttachErrorKind::Failed, message));
    }
    if let Some(tracer) = refusal::tracer(process) {
        return Err(refusal::traced(process, tracer));
    }
    let mut start = [0; 5];
    let program = File::open(format!("/proc/{}/exe", living_thread(process)));
    if program.is_ok_and(|mut program| program.read_exact(&mut start).is_ok())
        && start == *b"\x7fELF\x01"
    {
        let message = format!("process {process} is a 32-bit one, whose Luas are not known");
        return Err(AttachError::new(AttachErrorKind::ThirtyTwoBit, message));
    }
    Ok(())
}
