//! Names: byte strings in one arena.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{room, shrink};
use crate::graph::sums::Sums;
use hashbrown::HashTable;
use rustc_hash::FxHasher;
use std::hash::Hasher;

/// A name of a [`Heap`](crate::Heap): a key, the name of an upvalue or a local variable, a source.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
#[repr(transparent)]
pub struct NameId(pub u32);

impl NameId {
    /// The empty name, present in every heap.
    pub const EMPTY: NameId = NameId(0);
}

/// The names of a heap. Lua strings are bytes, so names are too.
#[derive(Clone, Debug)]
pub struct Names {
    bytes: Vec<u8>,
    /// The lengths of the names, which lie one after the other.
    lengths: Sums,
}

impl Default for Names {
    fn default() -> Self {
        Names {
            bytes: Vec::new(),
            lengths: Sums::of_zero(),
        }
    }
}

impl Names {
    /// Returns the bytes of a name.
    #[inline]
    pub fn get(&self, name: NameId) -> &[u8] {
        &self.bytes[self.lengths.place(name.0 as usize)]
    }

    /// Returns the bytes of all names, one after the other, in the order of their ids.
    pub fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Returns the number of names, the empty one included.
    pub fn len(&self) -> usize {
        self.lengths.len()
    }

    /// Never true: the empty name is always there.
    pub fn is_empty(&self) -> bool {
        false
    }

    /// Returns the names of these lengths, in bytes, one after the other in `bytes`. `None` unless the first
    /// one is empty and all together are as long as `bytes`.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn from_parts(
        bytes: Vec<u8>,
        lengths: impl ExactSizeIterator<Item = u64>,
    ) -> Result<Option<Names>, BuildError> {
        let mut sums = Sums::with_room_for(lengths.len())?;
        for length in lengths {
            sums.push(length)?;
            if sums.all() > bytes.len() as u128 {
                return Ok(None);
            }
        }
        let is_whole =
            sums.all() == bytes.len() as u128 && sums.len() > 0 && sums.place(0).is_empty();
        let lengths = sums;
        Ok(is_whole.then_some(Names { bytes, lengths }))
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.bytes.capacity() + self.lengths.memory()
    }

    /// Returns the bytes of memory that the names take where nothing more was asked for.
    pub(crate) fn least_memory(&self) -> usize {
        self.bytes.len() + self.lengths.least_memory()
    }

    /// Gives back unused capacity.
    pub(crate) fn shrink(&mut self) {
        shrink(&mut self.bytes);
        self.lengths.shrink();
    }

    /// Adds the first `length` bytes of a name as a name.
    pub(crate) fn add_part(&mut self, name: NameId, length: usize) -> Result<NameId, BuildError> {
        let mut part = room(length)?;
        part.extend_from_slice(&self.get(name)[..length]);
        self.add(&part)
    }

    /// Adds a name, even if there is one with the same bytes.
    #[inline]
    pub(crate) fn add(&mut self, bytes: &[u8]) -> Result<NameId, BuildError> {
        let id = next_id(self.len())?;
        if self.bytes.capacity() - self.bytes.len() < bytes.len() {
            self.bytes.try_reserve(bytes.len())?;
        }
        self.lengths.push(bytes.len() as u64)?;
        self.bytes.extend_from_slice(bytes);
        Ok(id)
    }
}

/// Returns the id of the name after `len` others. The number of names must fit 32 bits too, as their
/// ids do.
fn next_id(len: usize) -> Result<NameId, BuildError> {
    match u32::try_from(len) {
        Ok(id) if id < u32::MAX => Ok(NameId(id)),
        _ => Err(BuildError::TooManyNames),
    }
}

/// Finds names by their bytes while a heap is built.
#[derive(Debug, Default)]
pub(crate) struct NameIndex {
    table: HashTable<u32>,
}

fn hash(bytes: &[u8]) -> u64 {
    let mut hasher = FxHasher::default();
    hasher.write(bytes);
    hasher.finish()
}

impl NameIndex {
    /// Returns the id of `bytes`, which are added to `names` if they are new.
    pub(crate) fn intern(&mut self, names: &mut Names, bytes: &[u8]) -> Result<NameId, BuildError> {
        if bytes.is_empty() {
            return Ok(NameId::EMPTY);
        }
        let code = hash(bytes);
        if let Some(&id) = self.table.find(code, |&id| names.get(NameId(id)) == bytes) {
            return Ok(NameId(id));
        }
        self.table
            .try_reserve(1, |&id| hash(names.get(NameId(id))))
            .map_err(|_| BuildError::OutOfMemory)?;
        let id = names.add(bytes)?;
        self.table
            .insert_unique(code, id.0, |&id| hash(names.get(NameId(id))));
        Ok(id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn there_are_as_many_names_as_the_error_says() {
        const MAX: usize = 4_294_967_295;
        assert_eq!(next_id(0), Ok(NameId::EMPTY));
        assert_eq!(next_id(MAX - 1), Ok(NameId(u32::MAX - 1)));
        for len in [MAX, MAX + 1, usize::MAX] {
            assert_eq!(next_id(len), Err(BuildError::TooManyNames));
        }
        assert_eq!(
            BuildError::TooManyNames.to_string(),
            "the heap has more names than a snapshot can number (4,294,967,295)"
        );
    }
}
