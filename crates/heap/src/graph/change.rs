//! What became of objects between two snapshots.

use crate::graph::fallible_vec::held;
use crate::graph::node::NodeId;

/// What became of an object between two snapshots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing, as far as the difference tells: it is there because it holds something changed.
    None,
    /// It is new.
    New,
    /// It is gone.
    Gone,
    /// It is a table that got so many entries more.
    Grew(u32),
    /// It is a table that has so many entries fewer.
    Shrank(u32),
}

/// What became of each object of a difference.
#[derive(Debug)]
pub(crate) struct Changes {
    by_node: Vec<Change>,
    count: usize,
}

impl Changes {
    /// By node, what became of it.
    pub(crate) fn new(by_node: Vec<Change>) -> Changes {
        let changed = by_node.iter().filter(|change| **change != Change::None);
        Changes {
            count: changed.count(),
            by_node,
        }
    }

    /// What became of a node.
    #[inline]
    pub(crate) fn of(&self, node: NodeId) -> Change {
        self.by_node[node.index()]
    }

    /// How many objects have changed.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Bytes of memory that it holds.
    pub(crate) fn memory(&self) -> usize {
        held(&self.by_node)
    }
}
