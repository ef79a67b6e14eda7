//! Slots: of stacks, of tables, of closed upvalues. Each has a value.

use crate::memory::memory::Structure;

/// Bytes of a value.
pub(super) const VALUE: u16 = 8;
/// Bytes of a slot.
pub(super) const SLOT: u64 = VALUE as u64;

/// The consecutive slots in `bytes`.
#[inline]
pub(super) fn slots(bytes: &[u8]) -> impl ExactSizeIterator<Item = u64> + '_ {
    let slots = bytes.chunks_exact(usize::from(VALUE));
    slots.map(|slot| Structure(slot).word(0))
}
