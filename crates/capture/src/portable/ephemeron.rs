//! Ephemerons: values that a table holds only while their keys live (5.2 and later).
//!
//! A pair whose key has not been reached waits. Reaching the key wakes exactly the pairs that
//! wait for it, so that a chain of ephemerons costs what its length is, not its square.

use crate::portable::{Walk, Walked, index};
use crate::state::State;
use luasnap_heap::{BuildError, Kind, Label, NodeId, Strength};
use rustc_hash::FxHashMap;

/// A pair that waits; its value is in the Lua table of pending values, one place further on.
struct Pair {
    table: NodeId,
    key: (Kind, u64),
    /// The next pair that waits for the same key.
    next: u32,
}

const NONE: u32 = u32::MAX;

#[derive(Default)]
pub(super) struct Ephemerons {
    pairs: Vec<Pair>,
    /// The first pair that waits for a key.
    waiting: FxHashMap<(Kind, u64), u32>,
    /// First pairs of keys that were reached and whose values are still to be walked.
    awake: Vec<u32>,
}

impl Ephemerons {
    /// Lets a pair wait for its key; answers where its value belongs.
    pub(super) fn wait(&mut self, kind: Kind, address: u64, table: NodeId) -> Walked<i64> {
        let pair = u32::try_from(self.pairs.len()).map_err(|_| BuildError::TooManyEdges)?;
        self.pairs.try_reserve(1)?;
        self.awake.try_reserve(self.waiting.len() + 1)?; // so that waking needs no memory
        self.waiting.try_reserve(1)?;
        let key = (kind, address);
        let next = self.waiting.insert(key, pair).unwrap_or(NONE);
        self.pairs.push(Pair { table, key, next });
        Ok(i64::from(pair) + 1)
    }

    /// An object was reached: the pairs that wait for it wake.
    #[inline]
    pub(super) fn key_reached(&mut self, kind: Kind, address: u64) {
        if self.waiting.is_empty() {
            return;
        }
        if let Some(first) = self.waiting.remove(&(kind, address)) {
            self.awake.push(first);
        }
    }
}

impl Walk {
    /// Walks the value of a pair that woke; false when there is none.
    pub(super) fn wake_ephemeron(&mut self, state: State) -> Walked<bool> {
        let Some(at) = self.ephemerons.awake.pop() else {
            return Ok(false);
        };
        let &Pair {
            table,
            key: (kind, address),
            next,
        } = &self.ephemerons.pairs[at as usize];
        if next != NONE {
            self.ephemerons.awake.push(next);
        }
        let slot = i64::from(at) + 1;
        if let Some(key) = self.builder.find(kind, address) {
            state.raw_get_index(index::PENDING, slot);
            self.refer_late(state, table, Label::Object(key), Strength::Ephemeron)?;
        }
        Ok(true)
    }
}
