//! The dominators of objects that several others hold and that hold nothing themselves: strings, for the most part.

use crate::dominators::contraction::Contraction;
use crate::dominators::dominator_tree::Dominators;
use crate::dominators::holding_edges::HoldingEdges;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, room};
use crate::graph::node::NodeId;

/// Going up one by one takes at most so many steps for each node; beyond that, jumps are worth their memory.
const MOST_STEPS: usize = 4;

impl Dominators {
    /// Adds the shared leaves to a tree that has all other nodes, as the first children of their dominators.
    pub(super) fn add_shared_leaves(
        &mut self,
        holding: &HoldingEdges<'_>,
        contraction: Contraction<'_>,
    ) -> Result<(), BuildError> {
        let leaves = SharedLeaves::new(self, holding, contraction)?;
        if leaves.nodes.is_empty() {
            return Ok(());
        }
        let dominators = leaves.dominators(self)?;
        self.insert(&leaves.nodes, &dominators)
    }

    /// Inserts leaves as the first children of what is at these places.
    fn insert(&mut self, leaves: &[NodeId], dominators: &[u32]) -> Result<(), BuildError> {
        let len = self.len();
        // By place: how many leaves come before it. The last one is for the end.
        let mut before = filled(len + 1, 0u32)?;
        for place in dominators {
            before[*place as usize + 1] += 1;
        }
        for place in 0..len {
            before[place + 1] += before[place];
        }
        self.add_places(leaves.len());
        let moved = |place: u32| place + before[place as usize];
        for place in (0..len).rev() {
            let (node, to) = (self.nodes[place], moved(place as u32));
            self.nodes[to as usize] = node;
            self.parents[to as usize] = moved(self.parents[place]);
            self.ends[to as usize] = moved(self.ends[place]);
            self.places[node.index()] = to;
        }
        // By the place of a dominator before: how many of its leaves have theirs.
        let mut placed = filled(len, 0u32)?;
        for (&leaf, &dominator) in leaves.iter().zip(dominators) {
            let parent = moved(dominator);
            let placed = &mut placed[dominator as usize];
            *placed += 1;
            let place = parent + *placed;
            self.nodes[place as usize] = leaf;
            self.parents[place as usize] = parent;
            self.ends[place as usize] = place + 1;
            self.places[leaf.index()] = place;
        }
        Ok(())
    }

    /// Returns the place of the nearest common dominator, taking at most this many steps, which are counted.
    fn common_within(&self, first: u32, last: u32, steps: &mut usize) -> Option<u32> {
        let mut place = first;
        while !self.subtree_at(place).contains(&last) {
            *steps = steps.checked_sub(1)?;
            place = self.parent_at(place);
        }
        Some(place)
    }
}

/// The shared leaves, and the first and last places of their holders.
struct SharedLeaves {
    nodes: Vec<NodeId>,
    holders: Vec<(u32, u32)>,
}

impl SharedLeaves {
    fn new(
        tree: &Dominators,
        holding: &HoldingEdges<'_>,
        contraction: Contraction<'_>,
    ) -> Result<SharedLeaves, BuildError> {
        let Contraction {
            mut immediate,
            shared_leaves,
            reach,
        } = contraction;
        let mut nodes = room(shared_leaves.len())?;
        nodes.extend(reach.nodes().filter(|node| shared_leaves.contains(*node)));
        // The dominators of leaves are not known yet: for the time being these are their numbers.
        for (number, leaf) in (0..).zip(&nodes) {
            immediate[leaf.index()] = NodeId(number);
        }
        let mut holders = filled(nodes.len(), (u32::MAX, 0))?;
        if nodes.is_empty() {
            return Ok(SharedLeaves { nodes, holders });
        }
        for node in reach.nodes() {
            let Some(place) = tree.place(node) else {
                continue;
            };
            holding.for_each(node, |target| {
                if shared_leaves.contains(target) {
                    let (first, last) = &mut holders[immediate[target.index()].index()];
                    *first = place.min(*first);
                    *last = place.max(*last);
                }
                Ok(())
            })?;
        }
        Ok(SharedLeaves { nodes, holders })
    }

    /// Returns the places of the leaves' dominators.
    fn dominators(&self, tree: &Dominators) -> Result<Vec<u32>, BuildError> {
        let mut steps = MOST_STEPS * tree.len();
        let mut dominators = room(self.holders.len())?;
        let mut holders = self.holders.iter();
        while let Some(&(first, last)) = holders.next() {
            if let Some(place) = tree.common_within(first, last, &mut steps) {
                dominators.push(place);
                continue;
            }
            let jumps = Jumps::new(tree)?;
            dominators.push(jumps.common(tree, first, last));
            let left = holders.by_ref();
            dominators.extend(left.map(|&(first, last)| jumps.common(tree, first, last)));
        }
        Ok(dominators)
    }
}

/// By place: an ancestor far above, so that any ancestor is found in a number of steps that grows with the
/// logarithm of the depth (Myers, "An applicative random-access stack", 1983).
struct Jumps(Vec<u32>);

impl Jumps {
    fn new(tree: &Dominators) -> Result<Jumps, BuildError> {
        let mut jumps: Vec<u32> = room(tree.len())?;
        let mut depths: Vec<u32> = room(tree.len())?;
        jumps.push(0);
        depths.push(0);
        for place in 1..tree.len() as u32 {
            let parent = tree.parent_at(place) as usize;
            let far = jumps[parent] as usize;
            let farther = jumps[far] as usize;
            let is_even = depths[parent] - depths[far] == depths[far] - depths[farther];
            jumps.push(if is_even { farther } else { parent } as u32);
            depths.push(depths[parent] + 1);
        }
        Ok(Jumps(jumps))
    }

    /// Returns the place of the nearest common dominator.
    fn common(&self, tree: &Dominators, first: u32, last: u32) -> u32 {
        let mut place = first;
        while !tree.subtree_at(place).contains(&last) {
            let far = self.0[place as usize];
            place = match tree.subtree_at(far).contains(&last) {
                true => tree.parent_at(place),
                false => far,
            };
        }
        place
    }
}
