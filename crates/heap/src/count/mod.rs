//! Counting: the census by kind, userdata with a finalizer, and waste.

pub(crate) mod census;
pub(crate) mod finalizers;
pub(crate) mod waste;
pub(crate) mod weak_tables;
