//! Finding the Lua states of a process, without symbols.

use crate::machine::Machine;
use crate::memory::memory::Memory as _;
use crate::memory::memory_pieces::MemoryPieces;
use crate::native::main_state::{MainState, Signatures, main_state_at};
use crate::process::error::{AttachError, no_memory};
use crate::process::lua_inside::no_known_state;
use crate::process::pages::{MappingKind, Pages};
use crate::process::remote_memory::{LiveMemory, RemoteMemory};
use crate::process::shared_memory::SharedMemory;
use crate::process::threads::{has_ended, living_thread};
use std::io;
use std::ops::ControlFlow;

/// Bytes of a running process that are read at once.
const CHUNK: usize = 1 << 20;

/// All main states in memory that does not change, by address.
pub(super) fn states_in(memory: &MemoryPieces<'_>) -> Vec<MainState> {
    let signatures = Signatures::new(memory.machine());
    let mut states = Vec::new();
    for piece in memory.iter().filter(|piece| piece.is_writable) {
        signatures.find(piece.bytes, piece.address, |place| {
            states.extend(main_state_at(memory, place));
        });
    }
    states
}

/// Calls `found` with the main states of a process while it runs, and with its memory, until `found` breaks.
pub(super) fn states_of_running(
    process: u32,
    kind: MappingKind<'_>,
    mut found: impl FnMut(MainState, &LiveMemory<'_>) -> ControlFlow<()>,
) -> io::Result<()> {
    let signatures = Signatures::new(Machine::HERE);
    let remote = RemoteMemory::new(process);
    let pages = Pages::of_process(process, kind)?;
    if pages.runs.is_empty() {
        return Ok(());
    }
    let most = pages.present_bytes();
    let mut bytes = Vec::new();
    bytes.try_reserve_exact(CHUNK).map_err(no_memory)?;
    bytes.resize(CHUNK, 0);
    for run in &pages.runs {
        let mut at = run.address;
        while at < run.address + run.len {
            let len = CHUNK.min((run.address + run.len - at) as usize);
            let read = remote.read(at, &mut bytes[..len])?;
            let mut goes_on = ControlFlow::Continue(());
            signatures.find(&bytes[..read], at, |place| {
                if goes_on.is_continue()
                    && let Some(state) = live_state_at(&remote, place, most)
                {
                    // What was read of it before may be out of date.
                    goes_on = found(state, &LiveMemory::new(&remote));
                }
            });
            if goes_on.is_break() {
                return Ok(());
            }
            at += len as u64;
        }
    }
    Ok(())
}

/// The main state at an address, if there is one. It is read again where its total is more than the
/// process has: it was changing.
fn live_state_at(remote: &RemoteMemory, place: u64, most: u64) -> Option<MainState> {
    const TRIES: usize = 5;
    let ask = || main_state_at(&LiveMemory::new(remote), place);
    let mut state = ask()?;
    for _ in 1..TRIES {
        if state.total <= most {
            break;
        }
        state = ask()?;
    }
    Some(state)
}

/// The first state in each kind of a process's memory: the address of the word by which it is recognized.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Places {
    /// In private memory.
    pub(super) private: Option<u64>,
    /// In shared memory.
    pub(super) shared: Option<u64>,
}

/// Checks that a process has a Lua state, so that it is worth stopping, and where.
pub(super) fn expect_state(process: u32, shared: &SharedMemory) -> Result<Places, AttachError> {
    let first_state = |kind: MappingKind<'_>| {
        let mut first = None;
        let looked = states_of_running(process, kind, |state, _| {
            first = Some(state.place());
            ControlFlow::Break(())
        });
        match first {
            Some(_) => Ok(first),
            None => looked.map(|()| None),
        }
    };
    let looked = first_state(MappingKind::Private).and_then(|private| {
        Ok(Places {
            private,
            shared: first_state(MappingKind::Shared(shared))?,
        })
    });
    match looked {
        Ok(places) if places.private.or(places.shared).is_some() => Ok(places),
        _ if has_ended(process, living_thread(process)) => Err(AttachError::ended(process)),
        Ok(_) => Err(no_known_state(process, shared)),
        Err(error) => Err(super::refusal::of_process(process, &error)),
    }
}
