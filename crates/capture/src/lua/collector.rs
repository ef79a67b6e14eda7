//! The collector: how to stop it, and how to make it account for memory outside its heap.

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
        // An old LuaJIT does not know this command and returns -1.
        (Version::LuaJit, Some(question)) => state.gc(question) != 0,
        // Inside a finalizer 5.4 and 5.5 return -1: there the collector does not run.
        (_, Some(question)) => state.gc(question) == 1,
    }
}

/// Stops the collector while this lives, then restores its state.
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
/// The collector's pace ignores it: a loop that drops one snapshot per turn would grow without
/// bound. So the module counts this memory, and before making another snapshot runs a full
/// collection once as much has piled up as the Lua heap itself holds. That keeps the pile within
/// the heap's size, and costs at most one collection per heap's worth of snapshots.
#[derive(Clone, Copy, Default)]
pub(crate) struct OutsideMemory {
    held: usize,
    held_after_collection: usize,
}

impl OutsideMemory {
    /// Bytes below which no collection is worthwhile.
    const SMALL: usize = 32 << 20;

    /// Bytes that they hold.
    pub(crate) fn held(&self) -> usize {
        self.held
    }

    pub(crate) fn add(&mut self, bytes: usize) {
        self.held += bytes;
    }

    pub(crate) fn remove(&mut self, bytes: usize) {
        self.held = self.held.saturating_sub(bytes);
        self.held_after_collection = self.held_after_collection.min(self.held);
    }

    /// Whether enough has piled up for a collection. Never while the collector is stopped.
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

/// Stops the collector. A full collection restarts it in 5.1 and LuaJIT.
pub(crate) fn stop(state: State) {
    state.gc(STOP);
}

/// Runs a full collection. Finalizers run, and may raise (up to 5.3, LuaJIT).
pub(crate) fn collect(state: State) {
    state.gc(COLLECT);
}
