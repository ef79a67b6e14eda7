//! Groups of objects, their names, and the patterns of their paths.

pub(crate) mod changed_groups;
pub(crate) mod class;
pub(crate) mod coroutine;
pub(crate) mod fingerprint;
pub(crate) mod group;
pub(crate) mod group_key;
pub(crate) mod grouped;
pub(crate) mod grouping;
pub(crate) mod known_name;
pub(crate) mod older_fingerprint;
pub(crate) mod path_map;
pub(crate) mod path_pattern;
pub(crate) mod path_start;
pub(crate) mod path_tallies;
pub(crate) mod pattern_set;
pub(crate) mod projected;
pub(crate) mod refolded;
pub(crate) mod stable_fingerprint;
pub(crate) mod string_owners;
