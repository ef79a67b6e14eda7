//! Ephemerons: values that a table keeps alive only while their keys live (5.2 and later).
//!
//! A pair whose key has not been reached waits. Reaching the key wakes exactly the pairs that wait
//! for it, so that a chain of ephemerons takes linear, not quadratic, time.

use luasnap_heap::{BuildError, Kind, NodeId};
use rustc_hash::FxHashMap;

/// A waiting pair. Its value is in the Lua table of pending values, at the pair's index plus 1.
pub(super) struct Pair {
    pub(super) table: NodeId,
    pub(super) key: (Kind, u64),
    /// The next pair that waits for the same key.
    pub(super) next: u32,
}

pub(super) const NONE: u32 = u32::MAX;

#[derive(Default)]
pub(super) struct Ephemerons {
    pub(super) pairs: Vec<Pair>,
    /// The first pair that waits for a key.
    pub(super) waiting: FxHashMap<(Kind, u64), u32>,
    /// First pairs of keys that were reached and whose values are still to be walked.
    pub(super) awake: Vec<u32>,
}

impl Ephemerons {
    /// Makes a pair wait for its key; returns the index of its value among the pending values.
    pub(super) fn wait(
        &mut self,
        kind: Kind,
        address: u64,
        table: NodeId,
    ) -> Result<i64, BuildError> {
        let pair = u32::try_from(self.pairs.len()).map_err(|_| BuildError::TooManyEdges)?;
        self.pairs.try_reserve(1)?;
        self.awake.try_reserve(self.waiting.len() + 1)?; // so that waking needs no memory
        self.waiting.try_reserve(1)?;
        let key = (kind, address);
        let next = self.waiting.insert(key, pair).unwrap_or(NONE);
        self.pairs.push(Pair { table, key, next });
        Ok(i64::from(pair) + 1)
    }

    /// Wakes the pairs that wait for an object that has just been reached.
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
