//! Two heaps and more: what changed, what grew, and where it accumulates.

pub(crate) mod difference;
pub(crate) mod growth;
pub(crate) mod identity;
pub(crate) mod suspect;
