//! The identity of a node inside one heap.

/// A node of a [`Heap`](crate::Heap): an index into its columns, valid in that heap alone.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug, Default)]
#[repr(transparent)]
pub struct NodeId(pub u32);

impl NodeId {
    /// The synthetic root, the first node of every heap.
    pub const ROOT: NodeId = NodeId(0);

    /// The node as an index into columns.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}
