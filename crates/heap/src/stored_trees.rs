//! The tree of shortest paths and the dominator tree for somebody who stores them beside their heap, and from stored ones,
//! each checked.
//!
//! Of the edges that keep an object alive, one is the last step of its shortest path. So a bit for each edge has the tree of
//! paths. Mostly the object at the other end of that edge is the immediate dominator, too: a number for each such edge
//! says so, or which one it is.

use crate::columns::{ColumnError, all};
use crate::dominators::dominator_tree::Dominators;
use crate::dominators::known_dominators::KnownDominators;
use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, room};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::known_trees::KnownTrees;
use crate::reach::known_paths::KnownPaths;
use crate::reach::shortest_path_tree::ShortestPathTree;
use crate::snapshot::Snapshot;

/// The number of the rule that makes dominators. Whoever changes what dominates what changes this number.
pub const DOMINATOR_RULE: u32 = 1;

/// Which edges are the steps of shortest paths, and the immediate dominators of what these lead to.
///
/// Edges are counted in the order of their nodes, as they are in files.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct StoredTrees {
    /// By edge, the first in the lowest bit of the first byte: whether it is the last step of a shortest path.
    pub steps: Vec<u8>,
    /// By such an edge: 0 if the object that has it dominates its target immediately, else the number of the node that does
    /// and 1.
    pub dominators: Vec<u32>,
    /// The environments at which paths for people start, in the order of their nodes.
    pub environments: Vec<Environment>,
}

impl StoredTrees {
    /// Returns the trees of a whole snapshot of which both are known; `None` for any other.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn of(snapshot: &Snapshot) -> Result<Option<StoredTrees>, BuildError> {
        match snapshot.found_trees() {
            Some((tree, dominators)) => {
                StoredTrees::new(snapshot.everything(), tree, dominators).map(Some)
            }
            None => Ok(None),
        }
    }

    fn new(
        heap: &Heap,
        tree: &ShortestPathTree,
        dominators: &Dominators,
    ) -> Result<StoredTrees, BuildError> {
        // By the edges' numbers in memory, which are others than in files.
        let mut is_step = filled(heap.targets.len().div_ceil(8), 0u8)?;
        for rank in tree.ranks() {
            set(&mut is_step, tree.edge(rank));
        }
        let mut stored = StoredTrees {
            steps: filled(heap.edge_count().div_ceil(8), 0)?,
            dominators: room(tree.len())?,
            environments: room(tree.environments().len())?,
        };
        stored.environments.extend_from_slice(tree.environments());
        let mut number = 0;
        for source in heap.nodes() {
            for edge in heap.edge_range(source) {
                if has(&is_step, edge) {
                    set(&mut stored.steps, number);
                    let dominator = dominators.immediate(heap.target(edge));
                    let other = dominator.filter(|dominator| *dominator != source);
                    stored.dominators.push(other.map_or(0, |other| other.0 + 1));
                }
                number += 1;
            }
        }
        Ok(stored)
    }

    /// Lets a whole snapshot know its trees, of which the answers about a few objects then need no more.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] says what does not fit the heap.
    pub fn put_into(self, snapshot: &Snapshot) -> Result<(), ColumnError> {
        let known = self.into_known(snapshot.everything())?;
        snapshot.set_known_trees(known);
        Ok(())
    }

    /// Returns what is known by node.
    fn into_known(self, heap: &Heap) -> Result<KnownTrees, ColumnError> {
        let wrong = |column| ColumnError::Order { column };
        if !heap.has_edges_in_order() || self.steps.len() != heap.edge_count().div_ceil(8) {
            return Err(wrong("steps of paths"));
        }
        let nodes = heap.node_count() as u64;
        all("dominators", &self.dominators, |number| {
            u64::from(*number) <= nodes
        })?;
        all("environments", &self.environments, |of| {
            heap.kinds.get(of.node.index()) == Some(&Kind::Table)
                && (of.chunk.0 as usize) < heap.names.len()
        })?;
        if !self.environments.is_sorted_by(|a, b| a.node < b.node) {
            return Err(wrong("environments"));
        }
        let mut known = KnownTrees {
            paths: KnownPaths::new(heap, self.environments)?,
            dominators: KnownDominators::new(heap)?,
        };
        let mut dominators = self.dominators.into_iter();
        for source in heap.nodes() {
            for edge in heap
                .edge_range(source)
                .filter(|edge| has(&self.steps, *edge))
            {
                let target = heap.target(edge);
                let dominator = dominators.next().ok_or_else(|| wrong("dominators"))?;
                if target == NodeId::ROOT || !known.paths.note(target, edge as u32) {
                    return Err(wrong("steps of paths"));
                }
                let dominator = match dominator.checked_sub(1) {
                    Some(other) => NodeId(other),
                    None => source,
                };
                known.dominators.note(target, dominator);
            }
        }
        match dominators.next() {
            Some(_) => Err(wrong("dominators")),
            None => Ok(known),
        }
    }
}

#[inline]
fn has(bits: &[u8], at: usize) -> bool {
    bits[at / 8] >> (at % 8) & 1 != 0
}

#[inline]
fn set(bits: &mut [u8], at: usize) {
    bits[at / 8] |= 1 << (at % 8);
}
