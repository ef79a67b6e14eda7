//! Laying out a dominator tree in preorder.

use crate::dominators::contraction::Contraction;
use crate::dominators::dominator_tree::Dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::node::NodeId;

impl Dominators {
    /// Lays out what is reachable but for shared leaves. Of siblings, those with higher ids mostly come first.
    ///
    /// What holds an object mostly has a higher id. So the subtrees are summed up from the first node to the last, and
    /// the places given from the last to the first; where it is not so, by going up as far as that takes.
    pub(super) fn of_contraction(contraction: &Contraction<'_>) -> Result<Dominators, BuildError> {
        let Contraction {
            immediate,
            shared_leaves,
            reach,
        } = contraction;
        let nodes = || reach.nodes().filter(|node| !shared_leaves.contains(*node));
        let mut tree = Dominators {
            places: filled(immediate.len(), Self::NOWHERE)?,
            ..Dominators::default()
        };
        // Shared leaves come later.
        let all = reach.count() + 1;
        tree.reserve_places(all)?;
        tree.add_places(all - shared_leaves.len());
        let mut sizes = tree.subtree_sizes(immediate, nodes)?;
        // From here on, of nodes that have a place: that of the next child.
        let free = &mut sizes;
        tree.places[0] = 0;
        tree.ends[0] = free[0];
        free[0] = 1;
        let mut above = Vec::new();
        for node in reach.nodes_from_last() {
            let mut at = node;
            while tree.places[at.index()] == Self::NOWHERE && !shared_leaves.contains(at) {
                push(&mut above, at)?;
                at = immediate[at.index()];
            }
            while let Some(node) = above.pop() {
                let parent = immediate[node.index()];
                let place = free[parent.index()];
                let end = place + free[node.index()];
                free[parent.index()] = end;
                free[node.index()] = place + 1;
                tree.places[node.index()] = place;
                tree.nodes[place as usize] = node;
                tree.parents[place as usize] = tree.places[parent.index()];
                tree.ends[place as usize] = end;
            }
        }
        Ok(tree)
    }

    /// Makes room for this many places.
    fn reserve_places(&mut self, places: usize) -> Result<(), BuildError> {
        self.nodes.try_reserve_exact(places)?;
        self.parents.try_reserve_exact(places)?;
        Ok(self.ends.try_reserve_exact(places)?)
    }

    /// Adds places for which there is room.
    pub(super) fn add_places(&mut self, places: usize) {
        let len = self.len() + places;
        self.nodes.resize(len, NodeId::ROOT);
        self.parents.resize(len, 0);
        self.ends.resize(len, 0);
    }

    /// Returns by node how many nodes its subtree has. All places are nowhere before and afterwards.
    fn subtree_sizes<I: Iterator<Item = NodeId>>(
        &mut self,
        immediate: &[NodeId],
        nodes: impl Fn() -> I,
    ) -> Result<Vec<u32>, BuildError> {
        // For the time being: the number of children that are still to be summed up.
        let open = &mut self.places;
        for node in nodes() {
            open[node.index()] = 0;
        }
        for node in nodes().filter(|node| *node != NodeId::ROOT) {
            open[immediate[node.index()].index()] += 1;
        }
        let mut sizes = filled(immediate.len(), 1u32)?;
        for node in nodes() {
            let mut at = node;
            // What lies above is looked at later.
            while at <= node && open[at.index()] == 0 {
                open[at.index()] = Self::NOWHERE;
                if at != NodeId::ROOT {
                    let parent = immediate[at.index()];
                    sizes[parent.index()] += sizes[at.index()];
                    open[parent.index()] -= 1;
                    at = parent;
                }
            }
        }
        Ok(sizes)
    }
}
