//! Who holds what alone: the dominator tree.

use crate::dominators::dfs_numbering::DfsNumbering;
use crate::dominators::holding_edges::HoldingEdges;
use crate::dominators::lengauer_tarjan::{Dominated, immediate_dominators};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, room};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::tally::Tally;
use std::hint::black_box;
use std::ops::Range;

/// The dominator tree of all that a heap's roots keep alive, and retained sizes.
///
/// A node dominates another one when every path from the roots to that one leads through it: it
/// holds it alone. Weak references hold nothing. The value of an ephemeron counts as held by its
/// table and by its key, once both are alive, so it is dominated by what dominates both.
///
/// Nodes have places, which number them in preorder: what a node dominates has the places right
/// behind its own.
#[derive(Clone, Debug, Default)]
pub struct Dominators {
    /// By node; [`Dominators::NOWHERE`] for what is not alive.
    places: Vec<u32>,
    /// By place.
    pub(crate) nodes: Vec<NodeId>,
    /// By place: that of the immediate dominator; the root's is its own.
    parents: Vec<u32>,
    /// By place: where the subtree ends.
    ends: Vec<u32>,
    /// By place: the bytes of the subtree.
    bytes: Vec<u64>,
    /// Whether some value is held by a table and a key together.
    pub(crate) has_ephemerons: bool,
}

impl Dominators {
    const NOWHERE: u32 = u32::MAX;

    /// The dominators of all that the roots of `heap` keep alive.
    pub fn new(heap: &Heap) -> Result<Dominators, BuildError> {
        let holding = HoldingEdges::new(heap)?;
        let has_ephemerons = holding.has_ephemerons();
        let search = DfsNumbering::new(&holding, heap.node_count())?;
        drop(holding);
        let dominated = immediate_dominators(search)?;
        let mut dominators = Self::in_preorder(&dominated, heap.node_count())?;
        drop(dominated);
        dominators.has_ephemerons = has_ephemerons;
        dominators.bytes = dominators.retained_bytes(heap)?;
        Ok(dominators)
    }

    /// Lays the tree out in preorder, siblings by their numbers.
    fn in_preorder(dominated: &Dominated, node_count: usize) -> Result<Dominators, BuildError> {
        let Dominated { nodes, dominators } = dominated;
        let len = nodes.len();
        let mut sizes = filled(len, 1u32)?;
        for at in (1..len).rev() {
            sizes[dominators[at] as usize] += sizes[at];
        }
        let mut tree = Dominators {
            places: filled(node_count, Self::NOWHERE)?,
            nodes: filled(len, NodeId::ROOT)?,
            parents: filled(len, 0)?,
            ends: filled(len, 0)?,
            ..Dominators::default()
        };
        // By number: the place of the next child. What dominates comes before what it dominates.
        let mut free: Vec<u32> = room(len)?;
        for (at, &node) in nodes.iter().enumerate() {
            let dominator = dominators[at] as usize;
            let (place, parent) = match at {
                0 => (0, 0),
                _ => (free[dominator], tree.places[nodes[dominator].index()]),
            };
            if at > 0 {
                free[dominator] += sizes[at];
            }
            free.push(place + 1);
            tree.places[node.index()] = place;
            tree.nodes[place as usize] = node;
            tree.parents[place as usize] = parent;
            tree.ends[place as usize] = place + sizes[at];
        }
        Ok(tree)
    }

    /// The bytes of each subtree.
    fn retained_bytes(&self, heap: &Heap) -> Result<Vec<u64>, BuildError> {
        let mut bytes: Vec<u64> = room(self.len())?;
        let mut ahead = self.nodes.iter().skip(16);
        for &node in &self.nodes {
            if let Some(&node) = ahead.next() {
                black_box(heap.size(node));
            }
            bytes.push(heap.size(node));
        }
        for place in (1..self.len()).rev() {
            let parent = self.parents[place] as usize;
            // A heap that was read from broken memory may say anything.
            bytes[parent] = bytes[parent].saturating_add(bytes[place]);
        }
        Ok(bytes)
    }

    /// How many nodes are alive, the synthetic root included.
    #[inline]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether there is not even the synthetic root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether a node is alive.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.place(node).is_some()
    }

    /// The nearest of those that dominate a node, itself aside. `None` for the synthetic root and
    /// for what is not alive.
    #[inline]
    pub fn immediate(&self, node: NodeId) -> Option<NodeId> {
        let place = self.place(node).filter(|place| *place != 0)?;
        Some(self.node_at(self.parents[place as usize]))
    }

    /// Whether every path from the roots to `b` leads through `a`. Each node that is alive dominates
    /// itself; what is not alive neither dominates nor is dominated.
    #[inline]
    pub fn dominates(&self, a: NodeId, b: NodeId) -> bool {
        self.place(b)
            .is_some_and(|place| self.subtree(a).contains(&place))
    }

    /// The nodes whose [immediate](Self::immediate) dominator is `node`, by their places.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let subtree = self.subtree(node);
        let inside = move |place: &u32| *place < subtree.end;
        let first = Some(subtree.start + 1).filter(inside);
        let places = std::iter::successors(first, move |place| {
            Some(self.ends[*place as usize]).filter(inside)
        });
        places.map(|place| self.node_at(place))
    }

    /// The place of a node; `None` for what is not alive.
    #[inline]
    pub fn place(&self, node: NodeId) -> Option<u32> {
        let place = self.places.get(node.index()).copied();
        place.filter(|place| *place != Self::NOWHERE)
    }

    /// The places of a node, which comes first, and of all that it dominates. Empty for what is not
    /// alive.
    #[inline]
    pub fn subtree(&self, node: NodeId) -> Range<u32> {
        self.place(node)
            .map_or(0..0, |place| self.subtree_at(place))
    }

    /// The places of the node at `place` and of all that it dominates.
    #[inline]
    pub(crate) fn subtree_at(&self, place: u32) -> Range<u32> {
        place..self.ends[place as usize]
    }

    /// The node at a place, which is less than [`len`](Self::len).
    #[inline]
    pub fn node_at(&self, place: u32) -> NodeId {
        self.nodes[place as usize]
    }

    /// The node that dominates all that lies at these places, in order, and is nearest to them.
    pub(crate) fn common(&self, first: u32, last: u32) -> u32 {
        let mut place = first;
        while !self.subtree_at(place).contains(&last) {
            place = self.parents[place as usize];
        }
        place
    }

    /// How many objects would be garbage if the node were gone, itself included, and their bytes: all
    /// that it dominates. The synthetic root is no object and is not counted. Nothing for what is
    /// not alive.
    #[inline]
    pub fn retained(&self, node: NodeId) -> Tally {
        self.place(node)
            .map_or_else(Tally::default, |place| self.retained_at(place))
    }

    /// What the node at a place retains.
    #[inline]
    pub(crate) fn retained_at(&self, place: u32) -> Tally {
        let places = self.subtree_at(place).len() as u64;
        Tally {
            count: places - u64::from(place == 0),
            bytes: self.bytes[place as usize],
        }
    }

    /// Bytes of memory that the tree holds.
    pub fn memory(&self) -> usize {
        held(&self.places)
            + held(&self.nodes)
            + held(&self.parents)
            + held(&self.ends)
            + held(&self.bytes)
    }
}
