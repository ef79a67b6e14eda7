//! What of a snapshot is compared.

use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::snapshot::Snapshot;

/// A whole snapshot with everything in it, garbage included, or the changed objects of a difference.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) heap: &'a Heap,
}

impl<'a> View<'a> {
    pub(crate) fn of(snapshot: &'a Snapshot) -> View<'a> {
        View {
            snapshot,
            heap: snapshot.everything(),
        }
    }

    /// Whether a node is compared.
    #[inline]
    pub(crate) fn is_member(self, node: NodeId) -> bool {
        self.snapshot.is_member(node) && self.heap.kind(node) != Kind::Snapshot
    }
}
