//! Tables that keep far more slots than they use.

use crate::node::NodeId;

/// A table whose array or hash part is mostly empty, and what it has in each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SparseTable {
    /// The table.
    pub node: NodeId,
    /// How many values its array part has room for.
    pub array_slots: u32,
    /// How many of those are not nil.
    pub array_used: u32,
    /// How many entries its hash part has room for.
    pub hash_slots: u32,
    /// How many of those are in use: their value is not nil.
    pub hash_used: u32,
}
