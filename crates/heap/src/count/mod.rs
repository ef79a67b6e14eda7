//! Counting: the census by kind, and waste.

pub(crate) mod census;
pub(crate) mod waste;
pub(crate) mod weak_tables;
