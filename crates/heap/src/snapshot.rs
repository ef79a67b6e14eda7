//! A snapshot: what a user takes, prints and compares.

use crate::chain::ChainTree;
use crate::error::BuildError;
use crate::grow::held;
use crate::heap::Heap;
use crate::node::NodeId;
use std::sync::OnceLock;

/// What became of an object between two snapshots.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Change {
    /// Nothing, as far as the difference tells: it is there because it holds something changed.
    None,
    /// It is new.
    New,
    /// It is gone.
    Gone,
    /// It is a table that got so many entries more.
    Grew(u32),
    /// It is a table that has so many entries fewer.
    Shrank(u32),
}

/// A heap, or the difference of two, with what was derived from it so far.
///
/// A difference owns its data: it has the changed objects and the chains that hold them.
#[derive(Debug, Default)]
pub struct Snapshot {
    heap: Heap,
    tree: OnceLock<ChainTree>,
    difference: Option<Changes>,
}

/// What makes a snapshot a difference.
#[derive(Debug)]
struct Changes {
    by_node: Vec<Change>,
    count: usize,
}

impl Snapshot {
    /// The snapshot of a whole heap.
    pub fn new(heap: Heap) -> Snapshot {
        Snapshot {
            heap,
            ..Snapshot::default()
        }
    }

    /// A snapshot of nothing at all, as one is that was freed.
    pub fn empty() -> Snapshot {
        Snapshot::default()
    }

    /// A difference: an excerpt of a heap with what became of each of its nodes.
    pub(crate) fn difference(heap: Heap, tree: ChainTree, by_node: Vec<Change>) -> Snapshot {
        let count = by_node
            .iter()
            .filter(|change| **change != Change::None)
            .count();
        Snapshot {
            heap,
            tree: OnceLock::from(tree),
            difference: Some(Changes { by_node, count }),
        }
    }

    /// How many objects it has; of a difference, how many have changed.
    pub fn len(&self) -> usize {
        match &self.difference {
            Some(changes) => changes.count,
            None => self.heap.node_count().saturating_sub(1),
        }
    }

    /// Whether it has no objects.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The objects and their references.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// The shortest chains, which are found when they are first asked for.
    ///
    /// Of a difference, the [references](ChainTree::refs) are those that were counted in the
    /// snapshot which it comes from.
    pub fn tree(&self) -> Result<&ChainTree, BuildError> {
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        let tree = ChainTree::new(&self.heap)?;
        Ok(self.tree.get_or_init(|| tree))
    }

    /// The [references](ChainTree::refs) to a node.
    pub fn refs(&self, node: NodeId) -> Result<u32, BuildError> {
        Ok(self.tree()?.refs(node))
    }

    /// What became of a node; in a whole snapshot, [`Change::None`].
    #[inline]
    pub fn change(&self, node: NodeId) -> Change {
        self.difference
            .as_ref()
            .map_or(Change::None, |changes| changes.by_node[node.index()])
    }

    /// Whether it is the difference of two snapshots.
    pub fn is_difference(&self) -> bool {
        self.difference.is_some()
    }

    /// Whether a node of the tree is one of its objects, and not there merely to hold one.
    #[inline]
    pub fn is_member(&self, node: NodeId) -> bool {
        match &self.difference {
            Some(changes) => changes.by_node[node.index()] != Change::None,
            None => node != NodeId::ROOT,
        }
    }

    /// Whether nothing is reachable in it, as in one that was freed.
    pub(crate) fn holds_nothing(&self) -> Result<bool, BuildError> {
        Ok(if self.heap.all_reached {
            self.heap.node_count() <= 1
        } else {
            self.tree()?.is_empty()
        })
    }

    /// Which nodes are its objects: of a whole heap those that are reachable, of a difference
    /// those that changed.
    pub(crate) fn members(&self) -> Result<Members<'_>, BuildError> {
        Ok(match &self.difference {
            Some(changes) => Members::Changed(&changes.by_node),
            None if self.heap.all_reached => Members::All,
            None => Members::Reached(self.tree()?),
        })
    }

    /// Bytes of memory that it holds.
    pub fn memory(&self) -> usize {
        self.heap.memory()
            + self.tree.get().map_or(0, ChainTree::memory)
            + self
                .difference
                .as_ref()
                .map_or(0, |changes| held(&changes.by_node))
    }
}

/// Which nodes of a snapshot are its objects.
#[derive(Clone, Copy)]
pub(crate) enum Members<'a> {
    All,
    Reached(&'a ChainTree),
    Changed(&'a [Change]),
}

impl Members<'_> {
    #[inline]
    pub(crate) fn contains(self, node: NodeId) -> bool {
        match self {
            Members::All => node != NodeId::ROOT,
            Members::Reached(tree) => node != NodeId::ROOT && tree.refs(node) > 0,
            Members::Changed(by_node) => by_node[node.index()] != Change::None,
        }
    }
}
