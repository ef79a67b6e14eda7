//! Numbering everything that the roots keep alive in depth-first order.

use crate::dominators::holding_edges::HoldingEdges;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::prefetch::prefetch;

/// A depth-first search from the synthetic root, which has number 0. Each column is by number.
///
/// References between numbered nodes are noted as they are found: a second pass over the heap took
/// longer.
pub(crate) struct DfsNumbering {
    pub(crate) nodes: Vec<NodeId>,
    /// The node from which each was found.
    pub(crate) parents: Vec<u32>,
    /// The lowest number of the nodes that refer to each; of the root, its own.
    pub(crate) least: Vec<u32>,
    /// The references from a node to one with a lower number, except to the root.
    pub(crate) back: Vec<Back>,
}

/// A reference from a node to one that was found before it, both by number.
#[derive(Clone, Copy)]
pub(crate) struct Back {
    pub(crate) source: u32,
    pub(crate) target: u32,
}

/// Stands for a missing number. No node has this id.
const NONE: u32 = u32::MAX;

impl DfsNumbering {
    /// Numbers the reachable ones of `node_count` nodes.
    pub(crate) fn new(holding: &HoldingEdges, node_count: usize) -> Result<Self, BuildError> {
        Self::search(holding, node_count, |_| true)
    }

    /// Numbers some of the reachable nodes: these, to each of which a path leads through others of them.
    pub(super) fn within(
        holding: &HoldingEdges,
        node_count: usize,
        nodes: &NodeSet,
    ) -> Result<Self, BuildError> {
        Self::search(holding, node_count, |node| nodes.contains(node))
    }

    #[inline(always)]
    fn search(
        holding: &HoldingEdges,
        node_count: usize,
        counts: impl Fn(NodeId) -> bool,
    ) -> Result<Self, BuildError> {
        let mut search = Search {
            holding,
            counts,
            numbers: filled(node_count, NONE)?,
            starts: Vec::new(),
            pending: Vec::new(),
            found: DfsNumbering {
                nodes: room(node_count)?,
                parents: room(node_count)?,
                least: room(node_count)?,
                back: Vec::new(),
            },
        };
        if node_count > 0 {
            search.run()?;
        }
        Ok(search.found)
    }

    /// Notes a reference to a node that has a number.
    #[inline]
    fn note(&mut self, source: u32, target: u32) -> Result<(), BuildError> {
        if source < target {
            let least = &mut self.least[target as usize];
            *least = source.min(*least);
        } else if source > target && target != 0 {
            return push(&mut self.back, Back { source, target });
        }
        Ok(())
    }
}

/// The state of a search.
struct Search<'a, F> {
    holding: &'a HoldingEdges<'a>,
    /// Whether a node is numbered.
    counts: F,
    /// By node.
    numbers: Vec<u32>,
    /// For each node on the current path: the start of its own targets in `pending`.
    starts: Vec<u32>,
    /// Targets of the nodes on the path that had no number when these were entered.
    pending: Vec<NodeId>,
    found: DfsNumbering,
}

impl<F: Fn(NodeId) -> bool> Search<'_, F> {
    fn run(&mut self) -> Result<(), BuildError> {
        let mut at = self.enter(NodeId::ROOT, 0)?;
        loop {
            self.read_ahead();
            match self.next() {
                Some(target) => match self.numbers[target.index()] {
                    NONE => at = self.enter(target, at)?,
                    target => self.found.note(at, target)?,
                },
                None if at == 0 => return Ok(()),
                None => at = self.found.parents[at as usize],
            }
        }
    }

    /// Numbers a node and visits its references. This happens once: returning to the node needs
    /// only `pending`, not the heap.
    #[inline]
    fn enter(&mut self, node: NodeId, parent: u32) -> Result<u32, BuildError> {
        let number = self.found.nodes.len() as u32;
        self.numbers[node.index()] = number;
        // Room for all nodes is reserved.
        self.found.nodes.push(node);
        self.found.parents.push(parent);
        self.found.least.push(parent);
        push(&mut self.starts, self.pending.len() as u32)?;
        self.holding
            .for_each(node, |target| match self.numbers[target.index()] {
                NONE if !(self.counts)(target) => Ok(()),
                NONE => {
                    self.holding.expect_edges(target);
                    push(&mut self.pending, target)
                }
                target => self.found.note(number, target),
            })?;
        Ok(number)
    }

    /// Returns the next pending target of the current node. If there is none, the node leaves the path.
    #[inline]
    fn next(&mut self) -> Option<NodeId> {
        if self.starts.last() != Some(&(self.pending.len() as u32)) {
            return self.pending.pop();
        }
        self.starts.pop();
        None
    }

    /// Prefetches what the next pending nodes need.
    #[inline]
    fn read_ahead(&self) {
        let ahead = |distance| {
            let place = self.pending.len().checked_sub(distance)?;
            self.pending.get(place)
        };
        if let Some(target) = ahead(16) {
            prefetch(self.numbers[target.index()]);
        }
        if let Some(target) = ahead(8) {
            self.holding.expect_edges(*target);
        }
    }
}
