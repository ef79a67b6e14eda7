//! Shortest paths from the GC roots, as a breadth-first tree. Paths with fewer weak steps come first.

use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, room};
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::strength::Strength;
use std::ops::Range;

/// The place of a reachable object in breadth-first order: an index into the columns of a
/// [`ShortestPathTree`], valid only in that tree.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(transparent)]
pub struct Rank(pub u32);

impl Rank {
    /// The tree's root.
    pub const ROOT: Rank = Rank(0);

    /// Returns the rank as an index into columns.
    #[inline]
    pub fn index(self) -> usize {
        self.0 as usize
    }
}

/// A shortest path to every reachable object, by way of as few [weak steps](crate::WeakSteps) as possible.
///
/// Weak references are not steps. The value of an ephemeron is reached from the table, but only
/// after the key has been reached otherwise, so that no path depends on itself.
///
/// The tree's root is the target of the heap's first GC root. The other GC roots are its children, after its
/// own references, so that there is one tree. A GC root to which the tree's root refers is the child of that
/// reference.
///
/// Ranks number the objects level by level, and the children of each object in canonical order, whatever the
/// order of the heap's edges.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, ShortestPathTree, Strength};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // `_G.list.last` and `_G.last` are the same table.
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let (list, _) = builder.node(Kind::Table, 0x20)?;
/// let (last, _) = builder.node(Kind::Table, 0x30)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// let [list_field, last_field] = [builder.name(b"list")?, builder.name(b"last")?].map(Label::Field);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// builder.edge(globals, list, list_field, Strength::Strong)?;
/// builder.edge(list, last, last_field, Strength::Strong)?;
/// builder.edge(globals, last, last_field, Strength::Strong)?;
/// let heap = builder.finish()?;
/// let tree = ShortestPathTree::new(&heap)?;
///
/// let rank = tree.ranks_of(&[last])?[0].expect("it is reachable");
/// assert_eq!(tree.parent(rank).map(|above| tree.node(above)), Some(globals));
/// assert_eq!(heap.label(tree.edge(rank)), last_field);
/// assert_eq!(tree.refs(last), 2);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct ShortestPathTree {
    pub(super) nodes: Vec<NodeId>,
    pub(super) parents: Vec<Rank>,
    pub(super) edges: Vec<u32>,
    /// The nodes that have a rank.
    pub(super) reached: NodeSet,
    /// The rank of each object's first child, and the end of the last one's children; empty where
    /// [parents](Self::child_range) have to tell.
    pub(super) starts: Vec<u32>,
    /// By node; 0 for unreachable nodes. Empty if they were not counted.
    pub(crate) refs: Vec<u32>,
    /// In the order of their nodes.
    pub(super) environments: Vec<Environment>,
}

impl ShortestPathTree {
    /// Returns the number of reachable objects.
    pub fn len(&self) -> usize {
        self.nodes.len()
    }

    /// Whether nothing is reachable: the heap has no GC root.
    pub fn is_empty(&self) -> bool {
        self.nodes.is_empty()
    }

    /// Returns all ranks, parents before children.
    pub fn ranks(&self) -> impl ExactSizeIterator<Item = Rank> + DoubleEndedIterator + use<> {
        (0..self.nodes.len() as u32).map(Rank)
    }

    /// Returns the object at a rank.
    #[inline]
    pub fn node(&self, rank: Rank) -> NodeId {
        self.nodes[rank.index()]
    }

    /// Returns the previous object on the path; `None` for the tree's root.
    #[inline]
    pub fn parent(&self, rank: Rank) -> Option<Rank> {
        (rank != Rank::ROOT).then(|| self.parents[rank.index()])
    }

    /// Returns the number of the last [edge](crate::graph::heap::Heap::edge) on the path: for the tree's root
    /// and the other GC roots below it, an edge of [`NodeId::ROOT`].
    #[inline]
    pub fn edge(&self, rank: Rank) -> usize {
        self.edges[rank.index()] as usize
    }

    /// Returns the ranks of an object's children.
    #[inline]
    pub fn children(&self, rank: Rank) -> impl ExactSizeIterator<Item = Rank> + use<> {
        self.child_range(rank).map(Rank)
    }

    #[inline]
    pub(crate) fn child_range(&self, rank: Rank) -> Range<u32> {
        let at = rank.index();
        match self.starts.get(at..at + 2) {
            Some(&[start, end]) => start..end,
            _ => self.searched_child_range(rank),
        }
    }

    /// Finds the children of an object among all ranks, whose parents never fall.
    pub(super) fn searched_child_range(&self, rank: Rank) -> Range<u32> {
        let first = rank.index() + 1;
        let behind = &self.parents[first..];
        let start = behind.partition_point(|parent| *parent < rank);
        let count = behind[start..].partition_point(|parent| *parent == rank);
        let start = (first + start) as u32;
        start..start + count as u32
    }

    /// Returns some ranks, which follow one another, each with the ranks of its children, of which `first_child` is the
    /// first. Takes no search.
    pub(crate) fn with_children(
        &self,
        ranks: Range<u32>,
        first_child: u32,
    ) -> impl Iterator<Item = (Rank, Range<u32>)> + use<'_> {
        let mut end = first_child;
        ranks.map(Rank).map(move |rank| {
            let children = self.children_from(rank, end);
            end = children.end;
            (rank, children)
        })
    }

    /// Returns the ranks of an object's children, which begin at this one, if there are any.
    #[inline]
    pub(super) fn children_from(&self, rank: Rank, first: u32) -> Range<u32> {
        let behind = self.parents[first as usize..].iter();
        let count = behind.take_while(|parent| **parent == rank).count();
        first..first + count as u32
    }

    /// Notes where each object's children are, for those who go through the tree in another order than that of ranks.
    pub(super) fn index_children(&mut self) -> Result<(), BuildError> {
        let len = self.len() as u32;
        let mut starts = room(self.len() + 1)?;
        // The tree's root is nobody's child.
        let children = self.with_children(0..len, len.min(1));
        starts.extend(children.map(|(_, children)| children.start));
        starts.push(len);
        self.starts = starts;
        Ok(())
    }

    /// Returns a copy of the set of nodes that have a path.
    pub(super) fn reached(&self) -> Result<NodeSet, BuildError> {
        self.reached.copied()
    }

    /// Whether a node has a path.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.reached.contains(node)
    }

    /// Returns the number of references that keep a node alive: strong ones of reachable objects, ephemerons
    /// whose key is reachable, and GC roots. 0 for unreachable nodes. The
    /// [tree of everything](crate::Snapshot::everything_tree) of a whole snapshot knows none.
    #[inline]
    pub fn refs(&self, node: NodeId) -> u32 {
        self.refs[node.index()]
    }

    /// Counts the references that keep each node alive.
    pub(super) fn count_refs(&mut self, heap: &Heap) -> Result<(), BuildError> {
        let mut refs = filled(heap.node_count(), 0u32)?;
        let holds = |edge: usize| match heap.strength(edge) {
            Strength::Strong => true,
            Strength::WeakKey | Strength::WeakValue => false,
            Strength::Ephemeron => match heap.label(edge) {
                Label::Object(key) => self.contains(key) || self.edges[0] as usize == edge,
                _ => true,
            },
        };
        for node in heap.nodes() {
            if node != NodeId::ROOT && !self.contains(node) {
                continue;
            }
            for edge in heap.edge_range(node).filter(|edge| holds(*edge)) {
                refs[heap.target(edge).index()] += 1;
            }
        }
        self.refs = refs;
        Ok(())
    }

    /// Returns the rank of each of a few objects, in one pass over all ranks; `None` for unreachable ones.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn ranks_of(&self, nodes: &[NodeId]) -> Result<Vec<Option<Rank>>, BuildError> {
        let mut ranks = filled(nodes.len(), None)?;
        let mut wanted: Vec<(NodeId, u32)> = room(nodes.len())?;
        wanted.extend(nodes.iter().copied().zip(0..));
        wanted.sort_unstable();
        for rank in self.ranks() {
            let node = self.node(rank);
            let first = wanted.partition_point(|(wanted, _)| *wanted < node);
            for (_, place) in wanted[first..].iter().take_while(|(one, _)| *one == node) {
                ranks[*place as usize] = Some(rank);
            }
        }
        Ok(ranks)
    }

    /// Returns the environments at which paths for people start, in the order of their nodes.
    pub fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// Returns the environment at which paths for people start, if an object is one.
    #[inline]
    pub fn environment(&self, node: NodeId) -> Option<Environment> {
        let found = self.environments.binary_search_by_key(&node, |of| of.node);
        found.ok().map(|at| self.environments[at])
    }

    /// Returns the bytes of memory that the tree takes.
    pub fn memory(&self) -> usize {
        held(&self.nodes)
            + held(&self.parents)
            + held(&self.edges)
            + self.reached.memory()
            + held(&self.starts)
            + held(&self.refs)
            + held(&self.environments)
    }
}
