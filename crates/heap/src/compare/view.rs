//! What of a snapshot is compared.

use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::snapshot::Snapshot;

/// A snapshot as one of its heaps: the objects that people see, or everything.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View<'a> {
    pub(crate) snapshot: &'a Snapshot,
    pub(crate) heap: &'a Heap,
    is_everything: bool,
}

impl<'a> View<'a> {
    /// Returns the [objects](Snapshot::objects) of a snapshot.
    pub(crate) fn objects(snapshot: &'a Snapshot) -> Result<View<'a>, BuildError> {
        Ok(View {
            snapshot,
            heap: snapshot.objects()?,
            is_everything: false,
        })
    }

    /// Returns [everything](Snapshot::everything) in a whole snapshot, garbage included.
    pub(crate) fn everything(snapshot: &'a Snapshot) -> View<'a> {
        View {
            snapshot,
            heap: snapshot.everything(),
            is_everything: true,
        }
    }

    /// Whether a node is compared.
    #[inline]
    pub(crate) fn is_member(self, node: NodeId) -> bool {
        match self.is_everything {
            true => !matches!(self.heap.kind(node), Kind::Root | Kind::Snapshot),
            false => self.snapshot.is_member(node),
        }
    }
}
