//! The dominator tree, and retained sizes.

use crate::dominators::contraction::Contraction;
use crate::dominators::dfs_numbering::DfsNumbering;
use crate::dominators::holding_edges::HoldingEdges;
use crate::dominators::lengauer_tarjan::{Dominated, immediate_dominators};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, room};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::prefetch::prefetch;
use crate::graph::sums::Sums;
use crate::graph::tally::Tally;
use std::ops::Range;

/// The dominator tree of everything that a heap's GC roots keep alive, and retained sizes.
///
/// A node dominates another one if every path from the roots to that one leads through it: without it the
/// other one is garbage. Weak references keep nothing alive. The value of an ephemeron counts as referred to
/// by its table and by its key, so it is dominated by what dominates both.
///
/// Nodes have places, which number them in preorder: the nodes that a node dominates have the
/// places right after its own.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Dominators, HeapBuilder, Kind, Label, NodeId, Strength};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // `_G` has two tables, and both have the same third one.
/// let mut builder = HeapBuilder::new();
/// let mut nodes = [NodeId::ROOT; 4];
/// for (node, address) in nodes.iter_mut().zip([0x10, 0x20, 0x30, 0x40]) {
///     (*node, _) = builder.node(Kind::Table, address)?;
///     builder.set_size(*node, 100);
/// }
/// let [globals, left, right, shared] = nodes;
/// let name = builder.name(b"_G")?;
/// builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
/// for (from, to, index) in [(globals, left, 1), (globals, right, 2), (left, shared, 1), (right, shared, 1)] {
///     builder.edge(from, to, Label::Index(index), Strength::Strong)?;
/// }
/// let heap = builder.finish()?;
/// let dominators = Dominators::new(&heap)?;
///
/// assert_eq!(dominators.immediate(shared), Some(globals));
/// assert_eq!(dominators.retained(left).bytes, 100); // its shallow size: `right` has `shared` too
/// assert_eq!(dominators.retained(globals).bytes, 400);
/// assert_eq!(dominators.retained_by(&heap, &[left, right])?.bytes, 300);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct Dominators {
    /// By node; [`Dominators::NOWHERE`] for unreachable nodes.
    pub(super) places: Vec<u32>,
    /// By place.
    pub(crate) nodes: Vec<NodeId>,
    /// By place: the place of the immediate dominator; of the root, its own.
    pub(super) parents: Vec<u32>,
    /// By place: the end of the subtree.
    pub(super) ends: Vec<u32>,
    /// The shallow sizes at all places, in bytes. A subtree is a range of places.
    pub(super) sizes: Sums,
    /// Whether the heap has ephemerons.
    pub(crate) has_ephemerons: bool,
}

impl Dominators {
    pub(super) const NOWHERE: u32 = u32::MAX;

    /// Finds the dominators of everything that the roots of `heap` keep alive.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 references.
    pub fn new(heap: &Heap) -> Result<Dominators, BuildError> {
        Self::find(heap, true)
    }

    /// Finds the dominators by contraction, if it may be and is worth it, else by one search through everything.
    pub(crate) fn find(heap: &Heap, may_contract: bool) -> Result<Dominators, BuildError> {
        let holding = HoldingEdges::new(heap)?;
        let has_ephemerons = holding.has_ephemerons();
        let contraction = match may_contract {
            true => Contraction::new(heap, &holding)?,
            false => None,
        };
        let mut dominators = match contraction {
            Some(contraction) => {
                let mut dominators = Self::of_contraction(&contraction)?;
                dominators.add_shared_leaves(&holding, contraction)?;
                dominators
            }
            None => Self::of_all(holding, heap.node_count())?,
        };
        dominators.has_ephemerons = has_ephemerons;
        dominators.sizes = dominators.sizes_in_preorder(heap)?;
        Ok(dominators)
    }

    /// Finds the dominators by one search through everything.
    fn of_all(holding: HoldingEdges<'_>, node_count: usize) -> Result<Dominators, BuildError> {
        let search = DfsNumbering::new(&holding, node_count)?;
        drop(holding);
        let dominated = immediate_dominators(search)?;
        Self::in_preorder(&dominated, node_count)
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
        // By number: the place of the next child. A dominator comes before what it dominates.
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

    fn sizes_in_preorder(&self, heap: &Heap) -> Result<Sums, BuildError> {
        let mut sizes = Sums::with_room_for(self.len())?;
        let mut ahead = self.nodes.iter().skip(16);
        for &node in &self.nodes {
            if let Some(&node) = ahead.next() {
                prefetch(heap.size(node));
            }
            sizes.push(heap.size(node))?;
        }
        Ok(sizes)
    }

    /// Returns the number of reachable nodes, the synthetic root included.
    #[inline]
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether the heap has no node, not even the synthetic root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Whether a node is reachable.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.place(node).is_some()
    }

    /// Returns the nearest dominator of a node other than itself. `None` for the synthetic root and for
    /// unreachable nodes.
    #[inline]
    pub fn immediate(&self, node: NodeId) -> Option<NodeId> {
        let place = self.place(node).filter(|place| *place != 0)?;
        Some(self.node_at(self.parents[place as usize]))
    }

    /// Whether every path from the roots to `b` leads through `a`. Each reachable node dominates itself;
    /// unreachable nodes neither dominate nor are dominated.
    #[inline]
    pub fn dominates(&self, a: NodeId, b: NodeId) -> bool {
        self.place(b)
            .is_some_and(|place| self.subtree(a).contains(&place))
    }

    /// Returns the nodes whose [immediate](Self::immediate) dominator is `node`, in the order of
    /// their places.
    pub fn children(&self, node: NodeId) -> impl Iterator<Item = NodeId> + '_ {
        let subtree = self.subtree(node);
        let inside = move |place: &u32| *place < subtree.end;
        let first = Some(subtree.start + 1).filter(inside);
        let places = std::iter::successors(first, move |place| {
            Some(self.ends[*place as usize]).filter(inside)
        });
        places.map(|place| self.node_at(place))
    }

    /// Returns the place of a node; `None` for unreachable nodes.
    #[inline]
    pub fn place(&self, node: NodeId) -> Option<u32> {
        let place = self.places.get(node.index()).copied();
        place.filter(|place| *place != Self::NOWHERE)
    }

    /// Returns the places of a node, which comes first, and of all nodes that it dominates. Empty for
    /// unreachable nodes.
    #[inline]
    pub fn subtree(&self, node: NodeId) -> Range<u32> {
        self.place(node)
            .map_or(0..0, |place| self.subtree_at(place))
    }

    /// Returns the places of the node at `place` and of all nodes that it dominates.
    #[inline]
    pub(crate) fn subtree_at(&self, place: u32) -> Range<u32> {
        place..self.ends[place as usize]
    }

    /// Returns the node at a place, which is below [`len`](Self::len).
    #[inline]
    pub fn node_at(&self, place: u32) -> NodeId {
        self.nodes[place as usize]
    }

    /// Returns the place of the immediate dominator of the node at a place; for the root, its own.
    #[inline]
    pub(crate) fn parent_at(&self, place: u32) -> u32 {
        self.parents[place as usize]
    }

    /// Returns the place of the nearest common dominator of all nodes from `first` to `last`.
    pub(crate) fn common(&self, first: u32, last: u32) -> u32 {
        let mut place = first;
        while !self.subtree_at(place).contains(&last) {
            place = self.parents[place as usize];
        }
        place
    }

    /// Returns the retained size of a node: the number and the bytes of the objects that would be garbage
    /// without it, itself included. The synthetic root is not counted. Zero for unreachable nodes.
    #[inline]
    pub fn retained(&self, node: NodeId) -> Tally {
        self.place(node)
            .map_or_else(Tally::default, |place| self.retained_at(place))
    }

    /// Returns the retained size of the node at a place.
    #[inline]
    pub(crate) fn retained_at(&self, place: u32) -> Tally {
        let places = self.subtree_at(place);
        Tally {
            count: places.len() as u64 - u64::from(place == 0),
            bytes: self.sizes.of(places.start as usize..places.end as usize),
        }
    }

    /// Returns the bytes of memory that the tree takes.
    pub fn memory(&self) -> usize {
        held(&self.places)
            + held(&self.nodes)
            + held(&self.parents)
            + held(&self.ends)
            + self.sizes.memory()
    }
}
