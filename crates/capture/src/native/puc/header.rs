//! What the headers of all objects share, and values.

/// `next`, then the tag.
pub(super) const HEADER: u16 = 16;
pub(super) const TAG: u16 = 8;
/// Bytes of a value, and where its tag is.
pub(super) const VALUE: u16 = 16;
