//! A set of nodes with one bit for each: a 32nd of a column of numbers, so that more of it stays in the
//! cache.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held};
use crate::graph::node::NodeId;
use crate::graph::prefetch::prefetch;

/// A set of the nodes of one heap.
#[derive(Clone, Debug, Default)]
pub(crate) struct NodeSet {
    words: Vec<u64>,
}

impl NodeSet {
    /// Returns the empty set, with room for `nodes` nodes.
    pub(crate) fn with_room_for(nodes: usize) -> Result<NodeSet, BuildError> {
        Ok(NodeSet {
            words: filled(nodes.div_ceil(64), 0)?,
        })
    }

    #[inline]
    pub(crate) fn contains(&self, node: NodeId) -> bool {
        self.words[node.index() / 64] >> (node.0 % 64) & 1 != 0
    }

    /// Adds a node. Returns false if it was there already.
    #[inline]
    pub(crate) fn insert(&mut self, node: NodeId) -> bool {
        let word = &mut self.words[node.index() / 64];
        let bit = 1 << (node.0 % 64);
        let is_new = *word & bit == 0;
        *word |= bit;
        is_new
    }

    #[inline]
    pub(crate) fn remove(&mut self, node: NodeId) {
        self.words[node.index() / 64] &= !(1 << (node.0 % 64));
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.words)
    }

    /// Prefetches what a query for `node` will need.
    #[inline]
    pub(crate) fn prefetch(&self, node: NodeId) {
        prefetch(self.words[node.index() / 64]);
    }
}
