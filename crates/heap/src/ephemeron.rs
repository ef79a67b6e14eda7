//! Ephemeron entries that wait for their key.

use crate::error::BuildError;
use crate::grow::push;
use crate::node::NodeId;
use hashbrown::HashTable;

/// An edge that may be followed once its key has been reached.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Entry {
    key: NodeId,
    /// The rank of the table that holds the entry.
    pub(crate) rank: u32,
    /// The edge from the table to the value.
    pub(crate) edge: u32,
    /// The next entry of the same key; the last one's is the first.
    next: u32,
}

/// The entries of each key, in the order in which they began to wait.
#[derive(Default)]
pub(crate) struct Waiting {
    entries: Vec<Entry>,
    /// The last entry of each key.
    last: HashTable<u32>,
}

fn hash(key: NodeId) -> u64 {
    let mixed = u64::from(key.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}

impl Waiting {
    /// Makes an entry wait for `key`.
    pub(crate) fn add(&mut self, key: NodeId, rank: u32, edge: u32) -> Result<(), BuildError> {
        let entries = &mut self.entries;
        // No more entries than edges, whose numbers have 32 bits.
        let new = entries.len() as u32;
        push(
            entries,
            Entry {
                key,
                rank,
                edge,
                next: new,
            },
        )?;
        if let Some(last) = self
            .last
            .find_mut(hash(key), |&at| entries[at as usize].key == key)
        {
            entries[new as usize].next = entries[*last as usize].next;
            entries[*last as usize].next = new;
            *last = new;
            return Ok(());
        }
        self.last
            .try_reserve(1, |&at| hash(entries[at as usize].key))
            .map_err(|_| BuildError::OutOfMemory)?;
        self.last
            .insert_unique(hash(key), new, |&at| hash(entries[at as usize].key));
        Ok(())
    }

    /// The first and the last entry that wait for `key`; they wait no more.
    #[inline]
    pub(crate) fn take(&mut self, key: NodeId) -> Option<(u32, u32)> {
        if self.last.is_empty() {
            return None;
        }
        let entries = &self.entries;
        let found = self
            .last
            .find_entry(hash(key), |&at| entries[at as usize].key == key);
        let (last, _) = found.ok()?.remove();
        Some((entries[last as usize].next, last))
    }

    /// An entry, and which comes after it.
    pub(crate) fn entry(&self, at: u32) -> (Entry, u32) {
        let entry = self.entries[at as usize];
        (entry, entry.next)
    }
}
