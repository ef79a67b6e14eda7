//! Ephemeron entries that wait for their key.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::node::NodeId;
use hashbrown::HashTable;

/// An entry to follow once its key is reached.
#[derive(Clone, Copy, Debug)]
struct Entry<T> {
    key: NodeId,
    /// What the search then needs.
    what: T,
    /// The next entry of the same key; of the last one, the first.
    next: u32,
}

/// The entries of each key, in the order in which they began to wait.
pub(crate) struct Waiting<T> {
    entries: Vec<Entry<T>>,
    /// The last entry of each key.
    last: HashTable<u32>,
}

/// Entries that no longer wait: the next one and the last one of those that are left.
pub(crate) struct Released(Option<(u32, u32)>);

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
    /// Whether nothing waits.
    #[inline]
    pub(crate) fn is_empty(&self) -> bool {
        self.last.is_empty()
    }

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

    /// Releases all entries that wait for `key`, which has been reached. [`next`](Self::next)
    /// returns them one by one.
    #[inline]
    pub(crate) fn release(&mut self, key: NodeId) -> Released {
        if self.last.is_empty() {
            return Released(None);
        }
        self.release_some(key)
    }

    fn release_some(&mut self, key: NodeId) -> Released {
        let entries = &self.entries;
        let found = self
            .last
            .find_entry(hash(key), |&at| entries[at as usize].key == key);
        Released(found.ok().map(|found| {
            let (last, _) = found.remove();
            (entries[last as usize].next, last)
        }))
    }

    /// Returns the next released entry, in the order in which they began to wait.
    #[inline]
    pub(crate) fn next(&self, released: &mut Released) -> Option<T> {
        let (at, last) = released.0?;
        let entry = &self.entries[at as usize];
        released.0 = (at != last).then_some((entry.next, last));
        Some(entry.what)
    }
}
