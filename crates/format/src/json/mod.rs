//! Snapshots as JSON.

pub(crate) mod json_string;
pub(crate) mod object_tree;
