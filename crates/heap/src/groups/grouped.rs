//! The input of grouping.

use crate::dominators::dominator_tree::Dominators;
use crate::graph::change::{Change, Changes};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::reach::shortest_path_tree::ShortestPathTree;

/// A heap, or the excerpt of a difference, with its shortest paths.
#[derive(Clone, Copy)]
pub(crate) struct Grouped<'a> {
    pub(crate) heap: &'a Heap,
    /// Shortest paths in everything, by names.
    pub(crate) tree: &'a ShortestPathTree,
    /// Without them retained sizes are 0, and examples the first members.
    pub(crate) dominators: Option<&'a Dominators>,
    /// Only for a difference.
    pub(crate) changes: Option<&'a Changes>,
}

impl Grouped<'_> {
    /// Whether it is the difference of two snapshots.
    pub(crate) fn is_difference(&self) -> bool {
        self.changes.is_some()
    }

    /// Returns the change of a node; [`Change::None`] in a whole snapshot.
    pub(crate) fn change(&self, node: NodeId) -> Change {
        self.changes
            .map_or(Change::None, |changes| changes.of(node))
    }

    /// Whether an object is in a group: in a difference, if it is new or gone; else unless it is one of the
    /// module's own snapshots.
    pub(crate) fn is_member(&self, node: NodeId) -> bool {
        match self.changes {
            Some(changes) => matches!(changes.of(node), Change::New | Change::Gone),
            None => self.heap.kind(node) != Kind::Snapshot,
        }
    }
}
