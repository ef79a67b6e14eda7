//! Changes of objects between two snapshots.

use crate::graph::fallible_vec::held;
use crate::graph::node::NodeId;

/// The change of an object between two snapshots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// No known change: the object is in the difference because a changed object is below it.
    None,
    /// It is new.
    New,
    /// It is gone.
    Gone,
    /// It is a table with this many more entries.
    Grew(u32),
    /// It is a table with this many fewer entries.
    Shrank(u32),
}

/// The change of each object of a difference.
#[derive(Debug)]
pub(crate) struct Changes {
    by_node: Vec<Change>,
    count: usize,
}

impl Changes {
    /// Creates it from the change of each node.
    pub(crate) fn new(by_node: Vec<Change>) -> Changes {
        let changed = by_node.iter().filter(|change| **change != Change::None);
        Changes {
            count: changed.count(),
            by_node,
        }
    }

    /// Returns the change of a node.
    #[inline]
    pub(crate) fn of(&self, node: NodeId) -> Change {
        self.by_node[node.index()]
    }

    /// Returns the number of changed objects.
    pub(crate) fn count(&self) -> usize {
        self.count
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.by_node)
    }
}
