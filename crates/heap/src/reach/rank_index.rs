//! The rank of every node, for those who ask about many.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};

/// The rank of every node in a tree of shortest paths. [`ShortestPathTree::ranks_of`] goes through all ranks for
/// each question; this has the answers, in four bytes a node.
#[derive(Clone, Debug, Default)]
pub struct RankIndex {
    /// By node; [`RankIndex::NOWHERE`] for unreachable ones.
    ranks: Vec<u32>,
}

impl RankIndex {
    const NOWHERE: u32 = u32::MAX;

    /// Finds the ranks of all nodes of the heap whose tree it is.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn new(heap: &Heap, tree: &ShortestPathTree) -> Result<RankIndex, BuildError> {
        let mut ranks = filled(heap.node_count(), Self::NOWHERE)?;
        for rank in tree.ranks() {
            ranks[tree.node(rank).index()] = rank.0;
        }
        Ok(RankIndex { ranks })
    }

    /// Returns the rank of a node; `None` for unreachable ones.
    #[inline]
    pub fn rank(&self, node: NodeId) -> Option<Rank> {
        let rank = self.ranks.get(node.index()).copied();
        rank.filter(|rank| *rank != Self::NOWHERE).map(Rank)
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        held(&self.ranks)
    }
}
