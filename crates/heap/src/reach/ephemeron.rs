//! Ephemeron entries that wait for their key.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::node::NodeId;
use hashbrown::HashTable;

/// What may be followed once its key has been reached.
#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    key: NodeId,
    /// What is to be known of it then.
    what: T,
    /// The next entry of the same key; the last one's is the first.
    next: u32,
}

/// The entries of each key, in the order in which they began to wait.
pub(crate) struct Waiting<T> {
    entries: Vec<Entry<T>>,
    /// The last entry of each key.
    last: HashTable<u32>,
}

impl<T> Default for Waiting<T> {
    fn default() -> Self {
        Waiting {
            entries: Vec::new(),
            last: HashTable::new(),
        }
    }
}

fn hash(key: NodeId) -> u64 {
    let mixed = u64::from(key.0).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}

impl<T: Copy> Waiting<T> {
    /// Makes an entry, at most one for each edge, wait for `key`.
    pub(crate) fn add(&mut self, key: NodeId, what: T) -> Result<(), BuildError> {
        let entries = &mut self.entries;
        // Edge numbers have 32 bits.
        let new = entries.len() as u32;
        push(
            entries,
            Entry {
                key,
                what,
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

    /// What an entry said, and which comes after it.
    pub(crate) fn entry(&self, at: u32) -> (T, u32) {
        let entry = &self.entries[at as usize];
        (entry.what, entry.next)
    }
}
