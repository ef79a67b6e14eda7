//! What the headers of all objects share, and values.

/// `next`, then the tag, which a value has at the same offset.
pub(super) const HEADER: u16 = 16;
pub(in crate::native) const TAG: u16 = 8;
/// Bytes of a value.
pub(super) const VALUE: u16 = 16;
