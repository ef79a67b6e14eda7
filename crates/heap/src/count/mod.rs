//! Counting: the census by kind, and waste.

pub(crate) mod census;
pub(crate) mod finalizers;
pub(crate) mod waste;
