//! Counting: objects by kind, and bytes that are wasted.

pub(crate) mod census;
pub(crate) mod waste;
