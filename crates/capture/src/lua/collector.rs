//! The collector: how to make it stand still, and how to let it see memory outside its heap.

use crate::lua::private_state::collector_is_stopped;
use crate::lua::state::State;
use crate::version::Version;
use std::ffi::c_int;

const STOP: c_int = 0;
const RESTART: c_int = 1;
const COLLECT: c_int = 2;

/// Whether the collector runs.
pub(crate) fn is_running(state: State) -> bool {
    match (state.version(), state.version().gc_is_running()) {
        (_, None) => collector_is_stopped(state) != Some(true),
        // An old LuaJIT that does not know the question answers -1.
        (Version::LuaJit, Some(question)) => state.gc(question) != 0,
        // Inside a finalizer 5.4 and 5.5 answer -1: the collector stands still by itself.
        (_, Some(question)) => state.gc(question) == 1,
    }
}

/// The collector stands still while this lives, and then is as it was.
pub(crate) struct Standstill {
    state: State,
    was_running: bool,
}

impl Standstill {
    pub(crate) fn begin(state: State) -> Standstill {
        let was_running = is_running(state);
        if was_running {
            state.gc(STOP);
        }
        Standstill { state, was_running }
    }
}

impl Drop for Standstill {
    fn drop(&mut self) {
        if self.was_running {
            self.state.gc(RESTART);
        }
    }
}

/// Memory that snapshots hold outside the Lua heap, where the collector cannot see it.
///
/// What it cannot see it does not hurry for: a loop that drops a snapshot a turn would grow
/// without bound. So the module counts, and before making another snapshot runs a full
/// collection once as much has piled up as the Lua heap itself holds. That keeps the pile within
/// the heap's size, and costs at most a collection for each heap's worth of snapshots.
#[derive(Clone, Copy, Default)]
pub(crate) struct OutsideMemory {
    held: usize,
    held_after_collection: usize,
}

impl OutsideMemory {
    /// Below this no collection is worth its while.
    const SMALL: usize = 32 << 20;

    pub(crate) fn add(&mut self, bytes: usize) {
        self.held += bytes;
    }

    pub(crate) fn remove(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
        self.held_after_collection = self.held_after_collection.min(self.held);
    }

    /// Whether as much piled up that a collection is due. Never while the collector is stopped.
    pub(crate) fn collection_is_due(&self, state: State) -> bool {
        let pile = self.held - self.held_after_collection;
        if pile < Self::SMALL || !is_running(state) {
            return false;
        }
        state
            .allocated_bytes()
            .is_some_and(|heap| pile as u64 >= heap)
    }

    /// To be called after a collection.
    pub(crate) fn collected(&mut self) {
        self.held_after_collection = self.held;
    }
}

/// Stops the collector, which in 5.1 and LuaJIT a full collection sets going.
pub(crate) fn stop(state: State) {
    state.gc(STOP);
}

/// Runs a full collection. Finalizers run, and may raise (up to 5.3, LuaJIT).
pub(crate) fn collect(state: State) {
    state.gc(COLLECT);
}
