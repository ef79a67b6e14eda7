//! Numbering all that the roots keep alive in depth-first order.

use crate::error::BuildError;
use crate::grow::{filled, room};
use crate::holding::Holding;
use crate::node::NodeId;
use std::hint::black_box;

/// A depth-first search from the synthetic root, which has number 0.
pub(crate) struct DepthFirst {
    /// By number.
    pub(crate) nodes: Vec<NodeId>,
    /// By node; [`DepthFirst::NONE`] for what is not alive.
    pub(crate) numbers: Vec<u32>,
    /// By number: the number of the node from which it was found.
    pub(crate) parents: Vec<u32>,
}

impl DepthFirst {
    /// In the place of a number. No node has it, since no node has this id.
    pub(crate) const NONE: u32 = u32::MAX;

    /// Numbers what is alive of `node_count` nodes.
    pub(crate) fn new(holding: &Holding, node_count: usize) -> Result<Self, BuildError> {
        let mut search = DepthFirst {
            nodes: room(node_count)?,
            numbers: filled(node_count, Self::NONE)?,
            parents: room(node_count)?,
        };
        if node_count > 0 {
            search.run(holding)?;
        }
        Ok(search)
    }

    fn run(&mut self, holding: &Holding) -> Result<(), BuildError> {
        // By number: which reference is to be looked at next.
        let mut next: Vec<u32> = room(self.numbers.len())?;
        self.add(NodeId::ROOT, 0);
        next.push(0);
        let mut at = 0;
        loop {
            let node = self.nodes[at as usize];
            if next[at as usize] == 0 {
                self.read_ahead(holding, node);
            }
            let is_new = |target: NodeId| self.numbers[target.index()] == Self::NONE;
            match holding.find(node, next[at as usize], is_new) {
                Some((target, after)) => {
                    next[at as usize] = after;
                    at = self.add(target, at);
                    next.push(0);
                }
                None if at == 0 => return Ok(()),
                None => at = self.parents[at as usize],
            }
        }
    }

    /// Numbers a node. There is room for all of them.
    #[inline]
    fn add(&mut self, node: NodeId, parent: u32) -> u32 {
        let number = self.nodes.len() as u32;
        self.numbers[node.index()] = number;
        self.nodes.push(node);
        self.parents.push(parent);
        number
    }

    /// Reads what a node's targets will need, all at once: one of them comes next.
    #[inline]
    fn read_ahead(&self, holding: &Holding, node: NodeId) {
        for target in holding.first_targets(node) {
            black_box(self.numbers[target.index()]);
            holding.expect_edges(target);
        }
    }
}
