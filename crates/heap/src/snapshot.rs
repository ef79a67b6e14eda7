//! A snapshot: what a user takes, prints and compares.

use crate::build::objects_view::objects_view;
use crate::dominators::dominator_tree::Dominators;
use crate::graph::birthmark::Birthmark;
use crate::graph::change::{Change, Changes};
use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::groups::group::Groups;
use crate::groups::grouped::Grouped;
use crate::groups::pattern_set::PatternSet;
use crate::reach::shortest_path_tree::ShortestPathTree;
use std::sync::{Arc, OnceLock};

/// A heap, or the difference of two, with what was derived from it so far.
///
/// People see its [objects](Snapshot::objects), whichever engine made the heap; paths, groups and
/// differences are about those. A difference owns its data: it has the changed objects and the
/// paths that hold them.
#[derive(Debug, Default)]
pub struct Snapshot {
    /// As it was captured.
    everything: Heap,
    /// The view of the heap; `None` where the heap has nothing else.
    objects: OnceLock<Option<Heap>>,
    tree: OnceLock<ShortestPathTree>,
    dominators: OnceLock<Dominators>,
    /// The tree of everything, where that is more than the objects.
    everything_tree: OnceLock<ShortestPathTree>,
    groups: OnceLock<Arc<Groups>>,
    difference: Option<Changes>,
    birthmark: OnceLock<Birthmark>,
}

impl Snapshot {
    /// The snapshot of a whole heap.
    pub fn new(heap: Heap) -> Snapshot {
        Snapshot {
            everything: heap,
            ..Snapshot::default()
        }
    }

    /// A snapshot of nothing at all, as one is that was freed.
    pub fn empty() -> Snapshot {
        Snapshot::default()
    }

    /// A difference: an excerpt of a heap with what became of each of its nodes.
    pub(crate) fn difference(heap: Heap, tree: ShortestPathTree, by_node: Vec<Change>) -> Snapshot {
        Snapshot {
            everything: heap,
            // Its tree's nodes are those of its heap.
            objects: OnceLock::from(None),
            tree: OnceLock::from(tree),
            difference: Some(Changes::new(by_node)),
            ..Snapshot::default()
        }
    }

    /// How many objects it has; of a difference, how many have changed.
    pub fn len(&self) -> Result<usize, BuildError> {
        Ok(match &self.difference {
            Some(changes) => changes.count(),
            None => self.objects()?.node_count().saturating_sub(1),
        })
    }

    /// Whether it has no objects.
    pub fn is_empty(&self) -> Result<bool, BuildError> {
        Ok(self.len()? == 0)
    }

    /// The heap as it was captured. Its nodes are not those of [`objects`](Self::objects).
    pub fn everything(&self) -> &Heap {
        &self.everything
    }

    /// The [view](objects_view) of the reachable objects, which is made when it is first asked for,
    /// unless the heap has nothing else.
    pub fn objects(&self) -> Result<&Heap, BuildError> {
        if let Some(objects) = self.objects.get() {
            return Ok(objects.as_ref().unwrap_or(&self.everything));
        }
        let objects = match self.has_objects_alone() {
            true => None,
            false => Some(objects_view(&self.everything)?),
        };
        let objects = self.objects.get_or_init(|| objects);
        Ok(objects.as_ref().unwrap_or(&self.everything))
    }

    /// Says how later captures know when this one was. Only the first word counts.
    pub fn set_birthmark(&self, birthmark: Birthmark) {
        let _ = self.birthmark.set(birthmark);
    }

    /// How later captures know when this one was, if that was [said](Self::set_birthmark).
    pub fn birthmark(&self) -> Option<&Birthmark> {
        self.birthmark.get()
    }

    /// The shortest paths, which are found when they are first asked for.
    ///
    /// Of a difference, the [references](ShortestPathTree::refs) are those that were counted in the
    /// snapshot which it comes from.
    pub fn tree(&self) -> Result<&ShortestPathTree, BuildError> {
        if let Some(tree) = self.tree.get() {
            return Ok(tree);
        }
        let tree = ShortestPathTree::new(self.objects()?)?;
        Ok(self.tree.get_or_init(|| tree))
    }

    /// Who holds what alone, of [everything](Self::everything), which is found when it is first asked
    /// for. Of a difference, in the excerpt that it is.
    pub fn dominators(&self) -> Result<&Dominators, BuildError> {
        if let Some(dominators) = self.dominators.get() {
            return Ok(dominators);
        }
        let dominators = Dominators::new(&self.everything)?;
        Ok(self.dominators.get_or_init(|| dominators))
    }

    /// The shortest paths in [everything](Self::everything) [by names](ShortestPathTree::by_names), which are
    /// found when they are first asked for; of a difference, its [`tree`](Self::tree).
    pub fn everything_tree(&self) -> Result<&ShortestPathTree, BuildError> {
        if self.is_difference() {
            return self.tree();
        }
        if let Some(tree) = self.everything_tree.get() {
            return Ok(tree);
        }
        let tree = ShortestPathTree::by_names(&self.everything)?;
        Ok(self.everything_tree.get_or_init(|| tree))
    }

    /// What is in the snapshot, [grouped](Groups) when it is first asked for.
    pub fn groups(&self) -> Result<&Groups, BuildError> {
        self.shared_groups().map(|groups| &**groups)
    }

    pub(crate) fn shared_groups(&self) -> Result<&Arc<Groups>, BuildError> {
        if let Some(groups) = self.groups.get() {
            return Ok(groups);
        }
        let groups = Arc::new(Groups::new(self.grouped()?, &PatternSet::default())?);
        Ok(self.groups.get_or_init(|| groups))
    }

    /// What its groups are made of.
    pub(crate) fn grouped(&self) -> Result<Grouped<'_>, BuildError> {
        Ok(Grouped {
            heap: &self.everything,
            tree: self.everything_tree()?,
            dominators: self.dominators()?,
            changes: self.difference.as_ref(),
        })
    }

    /// The [references](ShortestPathTree::refs) to a node.
    pub fn refs(&self, node: NodeId) -> Result<u32, BuildError> {
        Ok(self.tree()?.refs(node))
    }

    /// What became of a node; in a whole snapshot, [`Change::None`].
    #[inline]
    pub fn change(&self, node: NodeId) -> Change {
        self.difference
            .as_ref()
            .map_or(Change::None, |changes| changes.of(node))
    }

    /// Whether it is the difference of two snapshots.
    pub fn is_difference(&self) -> bool {
        self.difference.is_some()
    }

    /// Whether a node of the view is one of its objects, and not there merely to hold one.
    #[inline]
    pub fn is_member(&self, node: NodeId) -> bool {
        match &self.difference {
            Some(changes) => changes.of(node) != Change::None,
            None => node != NodeId::ROOT,
        }
    }

    /// Whether the view of the objects would be the heap itself.
    fn has_objects_alone(&self) -> bool {
        if let Some(objects) = self.objects.get() {
            return objects.is_none();
        }
        let heap = &self.everything;
        heap.all_reached && heap.kinds.iter().skip(1).copied().all(Kind::is_object)
    }

    /// Whether nothing is reachable in it, as in one that was freed.
    pub(crate) fn holds_nothing(&self) -> Result<bool, BuildError> {
        Ok(self.objects()?.node_count() <= 1)
    }

    /// Bytes of memory that it holds, what was derived from it so far included.
    pub fn memory(&self) -> usize {
        let view = self.objects.get().and_then(Option::as_ref);
        self.everything.memory()
            + view.map_or(0, Heap::column_memory)
            + self.tree.get().map_or(0, ShortestPathTree::memory)
            + self.dominators.get().map_or(0, Dominators::memory)
            + self
                .everything_tree
                .get()
                .map_or(0, ShortestPathTree::memory)
            + self.groups.get().map_or(0, |groups| groups.memory())
            + self.difference.as_ref().map_or(0, Changes::memory)
    }
}
