//! Snapshots and answers as text for people.

pub(crate) mod leaks;
pub(crate) mod object_table;
pub(crate) mod report;
