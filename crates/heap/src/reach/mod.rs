//! Reachability, shortest paths, retainers, and paths that share nothing.

pub(crate) mod disjoint_paths;
pub(crate) mod environments;
pub(crate) mod ephemeron;
pub(crate) mod known_paths;
pub(crate) mod path_levels;
pub(crate) mod path_search;
pub(crate) mod rank_index;
pub(crate) mod reach;
pub(crate) mod retainers;
pub(crate) mod shortest_path_tree;
pub(crate) mod upvalue;
pub(crate) mod walk;
pub(crate) mod weak_step;
mod wide_level;
