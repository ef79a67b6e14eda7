//! Comparing snapshots: differences, growth, leak suspects.

pub(crate) mod difference;
pub(crate) mod growth;
pub(crate) mod identity;
pub(crate) mod suspect;
