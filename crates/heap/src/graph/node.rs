//! Nodes of a heap.

/// A node of a [`Heap`](crate::Heap): an index into its columns, valid only in that heap.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The synthetic root, the first node of every heap.
    pub const ROOT: NodeId = NodeId(0);

    /// Returns the node as an index into columns.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
