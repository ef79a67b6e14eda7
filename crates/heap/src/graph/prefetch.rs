//! Prefetching: a search in a heap that is larger than the cache mostly waits for memory. Values
//! that are read before they are needed arrive while it waits for others, which halves the time.
//! The farther ahead a node is, the less of it can be expected in the cache.

use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use std::hint::black_box;

/// Reads a value that is needed soon, so that the wait for memory starts now.
#[inline(always)]
pub fn prefetch<T>(value: T) {
    black_box(value);
}

/// Reads the values of the next places at once, for a loop that has come to `place` of `len` and takes long for each: the
/// machine waits for many of them together, while it looks ahead over a few rounds of such a loop only. Call it at
/// each place; it reads at every 32nd.
#[inline(always)]
pub fn read_block(place: usize, len: usize, value: impl Fn(usize) -> u32) {
    const TOGETHER: usize = 32;
    if place.is_multiple_of(TOGETHER) {
        let places = place..len.min(place + TOGETHER);
        black_box(places.fold(0, |read, at| read ^ value(at)));
    }
}

impl Heap {
    /// Prefetches the edge range of a node.
    #[inline]
    pub(crate) fn prefetch_edge_range(&self, node: NodeId) {
        prefetch(self.edge_range(node));
    }

    /// Prefetches the first edge of a node.
    #[inline]
    pub(crate) fn prefetch_first_edge(&self, node: NodeId) {
        let first = self.edge_starts[node.index()] as usize;
        prefetch((
            self.targets.get(first).copied(),
            self.labels.get(first).copied(),
        ));
    }

    /// Prefetches what a breadth-first search needs for the nodes in its queue: `queued` returns
    /// the node that many places ahead, and `target` prefetches what the search knows about an
    /// edge's target.
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
            // If the node has fewer edges, those of its neighbours are read, which does no harm.
            let first = self.edge_starts[node.index()] as usize;
            for &near in self.targets[first..].iter().take(4) {
                target(near);
            }
        }
    }
}
