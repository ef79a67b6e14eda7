//! Comparing snapshots: differences, growth, leak suspects.

pub(crate) mod arrival;
pub(crate) mod compare_error;
pub(crate) mod difference;
pub(crate) mod group_changes;
pub(crate) mod group_table;
pub(crate) mod grouped_alike;
pub(crate) mod growth;
pub(crate) mod growth_step;
pub(crate) mod identity;
pub(crate) mod object_changes;
pub(crate) mod path_growth;
pub(crate) mod subtree_growth;
pub(crate) mod suspect;
pub(crate) mod twins;
pub(crate) mod view;
