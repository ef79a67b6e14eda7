//! What the headers of all objects share, and values.

use crate::memory::memory::Structure;

/// `nextgc`, then a byte for the collector and the type.
pub(super) const HEADER: u16 = 16;
pub(super) const MARKED: u16 = 8;
pub(super) const TYPE: u16 = 9;
/// Bytes of a value, and of a reference.
pub(super) const WORD: u16 = 8;

/// The consecutive values in `bytes`.
#[inline]
pub(super) fn words(bytes: &[u8]) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + '_ {
    let words = bytes.chunks_exact(usize::from(WORD));
    words.map(|word| Structure(word).word(0))
}
