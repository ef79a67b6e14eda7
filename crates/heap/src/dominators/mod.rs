//! Retained sizes: the dominator tree, and what a set of nodes retains.

pub(crate) mod children;
pub(crate) mod contraction;
pub(crate) mod dfs_numbering;
pub(crate) mod dominator_tree;
pub(crate) mod holding_edges;
pub(crate) mod known_dominators;
pub(crate) mod lengauer_tarjan;
mod preorder;
pub(crate) mod retained_set;
pub(crate) mod retained_sets;
mod shared_leaves;
