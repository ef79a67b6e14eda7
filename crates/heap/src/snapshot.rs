//! Snapshots.

use crate::build::objects_view::objects_view;
use crate::dominators::dominator_tree::Dominators;
use crate::dominators::known_dominators::ImmediateDominators;
use crate::graph::birthmark::Birthmark;
use crate::graph::change::{Change, Changes};
use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::tally::Tally;
use crate::groups::changed_groups::ChangedGroups;
use crate::groups::group::Groups;
use crate::groups::grouped::Grouped;
use crate::groups::path_tallies::PathTallies;
use crate::groups::pattern_set::PatternSet;
use crate::known_trees::KnownTrees;
use crate::on_demand::OnDemand;
use crate::reach::reach::{Reach, Through};
use crate::reach::shortest_path_tree::ShortestPathTree;
use std::borrow::Cow;
use std::sync::{Arc, OnceLock};

/// A snapshot: a heap, or the difference of two, with what was derived from it so far.
///
/// People see its [objects](Snapshot::objects), whichever engine captured the heap. A difference owns its
/// data: the changed objects and the paths to them. Only until its [groups](Snapshot::changed_groups) are asked
/// for it keeps the snapshot of which it is an excerpt.
///
/// It never changes but for what is derived from it, so copies share all of it.
#[derive(Clone, Debug, Default)]
pub struct Snapshot {
    parts: Arc<Parts>,
}

/// What copies of a snapshot share.
#[derive(Debug, Default)]
struct Parts {
    /// As it was captured.
    everything: Heap,
    /// The view of the heap; `None` if the heap has nothing else.
    objects: OnceLock<Option<Heap>>,
    tree: OnceLock<ShortestPathTree>,
    dominators: OnceLock<Dominators>,
    /// The tree of everything; not of a difference.
    everything_tree: OnceLock<ShortestPathTree>,
    /// What somebody has stored of the tree of everything and of the dominators.
    known_trees: OnceLock<KnownTrees>,
    groups: OnceLock<Arc<Groups>>,
    difference: Option<Changes>,
    changed_groups: Option<OnDemand<ChangedGroups>>,
    birthmark: OnceLock<Birthmark>,
}

impl Snapshot {
    /// Returns the snapshot of a whole heap.
    pub fn new(heap: Heap) -> Snapshot {
        Snapshot::of(Parts {
            everything: heap,
            ..Parts::default()
        })
    }

    fn of(parts: Parts) -> Snapshot {
        Snapshot {
            parts: Arc::new(parts),
        }
    }

    /// Returns the heap as it was captured, without what was derived from it. `None` of a difference, and where there are copies.
    pub fn into_heap(self) -> Option<Heap> {
        let parts = Arc::into_inner(self.parts)?;
        parts.difference.is_none().then_some(parts.everything)
    }

    /// Returns an empty snapshot, like one that was freed.
    pub fn empty() -> Snapshot {
        Snapshot::default()
    }

    /// Returns a difference: an excerpt of a heap with the change of each node, and the groups that
    /// changed, if they are known.
    pub(crate) fn difference(
        heap: Heap,
        tree: ShortestPathTree,
        by_node: Vec<Change>,
        changed_groups: Option<OnDemand<ChangedGroups>>,
    ) -> Snapshot {
        Snapshot::of(Parts {
            everything: heap,
            // The tree's nodes are those of the heap.
            objects: OnceLock::from(None),
            tree: OnceLock::from(tree),
            difference: Some(Changes::new(by_node)),
            changed_groups,
            ..Parts::default()
        })
    }

    /// Returns the number of objects; for a difference, the number of changed ones.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn len(&self) -> Result<usize, BuildError> {
        Ok(match &self.parts.difference {
            Some(changes) => changes.count(),
            None => self.objects()?.node_count().saturating_sub(1),
        })
    }

    /// Whether there are no objects.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn is_empty(&self) -> Result<bool, BuildError> {
        Ok(self.len()? == 0)
    }

    /// Returns the heap as it was captured. Its nodes are not those of [`objects`](Self::objects).
    pub fn everything(&self) -> &Heap {
        &self.parts.everything
    }

    /// Returns the [view](objects_view) of the reachable objects, which is made by the first call; the heap
    /// itself if it has nothing else.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn objects(&self) -> Result<&Heap, BuildError> {
        if let Some(objects) = self.parts.objects.get() {
            return Ok(objects.as_ref().unwrap_or(&self.parts.everything));
        }
        let objects = match self.has_objects_alone() {
            true => None,
            false => Some(objects_view(&self.parts.everything)?),
        };
        let objects = self.parts.objects.get_or_init(|| objects);
        Ok(objects.as_ref().unwrap_or(&self.parts.everything))
    }

    /// Sets the data by which later captures know when this one was made. Only the first call
    /// counts.
    pub fn set_birthmark(&self, birthmark: Birthmark) {
        let _ = self.parts.birthmark.set(birthmark);
    }

    /// Returns the data by which later captures know when this one was made, if it was
    /// [set](Self::set_birthmark).
    pub fn birthmark(&self) -> Option<&Birthmark> {
        self.parts.birthmark.get()
    }

    /// Returns the shortest paths in [`objects`](Self::objects), which are found by the first call.
    ///
    /// In a difference, the [references](ShortestPathTree::refs) are those in the snapshot from which it was
    /// made.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn tree(&self) -> Result<&ShortestPathTree, BuildError> {
        if let Some(tree) = self.parts.tree.get() {
            return Ok(tree);
        }
        let tree = ShortestPathTree::new(self.objects()?)?;
        Ok(self.parts.tree.get_or_init(|| tree))
    }

    /// Whether the shortest paths in [`objects`](Self::objects) are known.
    pub(crate) fn knows_tree(&self) -> bool {
        self.parts.tree.get().is_some()
    }

    /// Returns the dominator tree of [everything](Self::everything), which is found by the first
    /// call; for a difference, that of its excerpt.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 references.
    pub fn dominators(&self) -> Result<&Dominators, BuildError> {
        if let Some(dominators) = self.parts.dominators.get() {
            return Ok(dominators);
        }
        let dominators = Dominators::new(&self.parts.everything)?;
        Ok(self.parts.dominators.get_or_init(|| dominators))
    }

    /// Returns the shortest paths in [everything](Self::everything), which are found by the first call; for a
    /// difference, its [`tree`](Self::tree). Of a whole snapshot it knows no [references](ShortestPathTree::refs).
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn everything_tree(&self) -> Result<&ShortestPathTree, BuildError> {
        if self.is_difference() {
            return self.tree();
        }
        if let Some(tree) = self.parts.everything_tree.get() {
            return Ok(tree);
        }
        let tree = ShortestPathTree::paths_alone(&self.parts.everything)?;
        Ok(self.parts.everything_tree.get_or_init(|| tree))
    }

    /// Returns what of [everything](Self::everything) the GC roots keep alive: what has a path, if paths are known.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn reach(&self) -> Result<Reach, BuildError> {
        match (
            self.parts.everything_tree.get(),
            self.parts.known_trees.get(),
        ) {
            (Some(tree), _) => Reach::of_tree(self.everything(), tree),
            (None, Some(known)) => known.paths.reach(self.everything()),
            (None, None) => Reach::new(self.everything(), Through::Everything),
        }
    }

    /// Sets what is known of the tree of everything and of the dominators. Only the first call counts.
    pub(crate) fn set_known_trees(&self, known: KnownTrees) {
        let _ = self.parts.known_trees.set(known);
    }

    /// Whether the questions about a few objects need no search through the heap:
    /// [`paths_to`](Self::paths_to) and [`immediate_dominators`](Self::immediate_dominators).
    pub fn knows_trees(&self) -> bool {
        self.parts.known_trees.get().is_some() || self.found_trees().is_some()
    }

    /// Returns the tree of everything and the dominators of a whole snapshot, if both were found.
    pub(crate) fn found_trees(&self) -> Option<(&ShortestPathTree, &Dominators)> {
        let tree = self.parts.everything_tree.get()?;
        Some((tree, self.parts.dominators.get()?))
    }

    /// Returns the [tree of everything](Self::everything_tree), or, if no more is known, the part of it that leads to
    /// these objects. Ranks of the part are others, but in the same order, and it knows no
    /// [references](ShortestPathTree::refs).
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn paths_to(&self, nodes: &[NodeId]) -> Result<Cow<'_, ShortestPathTree>, BuildError> {
        if self.parts.everything_tree.get().is_none()
            && let Some(known) = self.parts.known_trees.get()
            && let Some(part) = known.paths.tree_to(self.everything(), nodes)?
        {
            return Ok(Cow::Owned(part));
        }
        self.everything_tree().map(Cow::Borrowed)
    }

    /// Returns the environments at which paths for people start, in the order of their nodes.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn environments(&self) -> Result<&[Environment], BuildError> {
        match self.parts.known_trees.get() {
            Some(known) => Ok(known.paths.environments()),
            None => Ok(self.everything_tree()?.environments()),
        }
    }

    /// Returns the immediate dominators, of [`dominators`](Self::dominators) or of what is known without that.
    ///
    /// # Errors
    ///
    /// As for [`dominators`](Self::dominators).
    pub fn immediate_dominators(&self) -> Result<ImmediateDominators<'_>, BuildError> {
        match (self.parts.dominators.get(), self.parts.known_trees.get()) {
            (None, Some(known)) => Ok(ImmediateDominators::of_known(&known.dominators)),
            _ => self.dominators().map(ImmediateDominators::of_tree),
        }
    }

    /// Returns the [retained size](Dominators::retained_by) of a set of nodes of [everything](Self::everything), of which
    /// `reach` is the reach. Takes no dominators where the trees are [known](Self::knows_trees).
    ///
    /// # Errors
    ///
    /// As for [`dominators`](Self::dominators).
    pub fn retained_by(&self, reach: &Reach, nodes: &[NodeId]) -> Result<Tally, BuildError> {
        let heap = self.everything();
        if self.parts.known_trees.get().is_none() || self.parts.dominators.get().is_some() {
            return self.dominators()?.retained_by(heap, nodes);
        }
        let rest = Reach::without(heap, nodes)?;
        let mut retained = Tally::default();
        for node in reach.nodes().filter(|node| !rest.contains(*node)) {
            retained.add(heap.size(node));
        }
        Ok(retained)
    }

    /// Returns the groups, if they were made.
    pub fn found_groups(&self) -> Option<&Groups> {
        self.parts.groups.get().map(|groups| &**groups)
    }

    /// Returns the [groups](Groups) of the snapshot, which are made by the first call.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn groups(&self) -> Result<&Groups, BuildError> {
        self.shared_groups().map(|groups| &**groups)
    }

    pub(crate) fn shared_groups(&self) -> Result<&Arc<Groups>, BuildError> {
        if let Some(groups) = self.parts.groups.get() {
            return Ok(groups);
        }
        let groups = Arc::new(Groups::new(self.grouped()?, &PatternSet::default())?);
        Ok(self.parts.groups.get_or_init(|| groups))
    }

    /// Returns the input of grouping.
    pub(crate) fn grouped(&self) -> Result<Grouped<'_>, BuildError> {
        Ok(Grouped {
            dominators: Some(self.dominators()?),
            ..self.placed()?
        })
    }

    /// Returns the input of grouping without what takes dominators.
    pub(crate) fn placed(&self) -> Result<Grouped<'_>, BuildError> {
        Ok(Grouped {
            heap: &self.parts.everything,
            tree: self.everything_tree()?,
            dominators: None,
            changes: self.parts.difference.as_ref(),
        })
    }

    /// Counts the objects in use, or the new ones of a difference, by the patterns of their paths.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn path_tallies(&self) -> Result<PathTallies, BuildError> {
        PathTallies::folded(self.placed()?, &PatternSet::default())
    }

    /// Returns the groups that changed, in a difference of two whole snapshots, which are made by the first call.
    /// A difference of differences has only [`groups`](Self::groups), and so has one in a file of an older luasnap.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn changed_groups(&self) -> Result<Option<&ChangedGroups>, BuildError> {
        let groups = self.parts.changed_groups.as_ref();
        groups.map(OnDemand::get).transpose()
    }

    /// Returns the groups of a whole snapshot without their retained sizes, which takes no dominators; or
    /// with them, if they are known.
    pub(crate) fn groups_by_name(&self) -> Result<Arc<Groups>, BuildError> {
        if let Some(groups) = self.parts.groups.get() {
            return Ok(Arc::clone(groups));
        }
        let grouped = Grouped {
            heap: &self.parts.everything,
            tree: self.everything_tree()?,
            dominators: None,
            changes: None,
        };
        Ok(Arc::new(Groups::new(grouped, &PatternSet::default())?))
    }

    /// Returns the number of [references](ShortestPathTree::refs) to a node of [`objects`](Self::objects).
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn refs(&self, node: NodeId) -> Result<u32, BuildError> {
        Ok(self.tree()?.refs(node))
    }

    /// Returns the change of a node; in a whole snapshot, [`Change::None`].
    #[inline]
    pub fn change(&self, node: NodeId) -> Change {
        self.parts
            .difference
            .as_ref()
            .map_or(Change::None, |changes| changes.of(node))
    }

    /// Whether it is the difference of two snapshots.
    pub fn is_difference(&self) -> bool {
        self.parts.difference.is_some()
    }

    /// Whether a node of the view is one of the snapshot's objects: in a difference, whether it has changed.
    #[inline]
    pub fn is_member(&self, node: NodeId) -> bool {
        match &self.parts.difference {
            Some(changes) => changes.of(node) != Change::None,
            None => node != NodeId::ROOT,
        }
    }

    /// Whether the heap has only reachable objects, so that it is its own view.
    fn has_objects_alone(&self) -> bool {
        if let Some(objects) = self.parts.objects.get() {
            return objects.is_none();
        }
        let heap = &self.parts.everything;
        heap.all_reached && heap.kinds.iter().skip(1).copied().all(Kind::is_object)
    }

    /// Returns the bytes that nobody else has a share in: all, or none if there are copies.
    pub(crate) fn memory_of_its_own(&self) -> usize {
        match Arc::strong_count(&self.parts) {
            1 => self.memory(),
            _ => 0,
        }
    }

    /// Returns the bytes of memory that it takes, including what was derived so far. A difference that keeps the
    /// snapshot of which it is an excerpt counts that once nobody else has it.
    pub fn memory(&self) -> usize {
        let view = self.parts.objects.get().and_then(Option::as_ref);
        let changed = self.parts.changed_groups.as_ref();
        self.parts.everything.memory()
            + view.map_or(0, Heap::column_memory)
            + self.parts.tree.get().map_or(0, ShortestPathTree::memory)
            + self.parts.dominators.get().map_or(0, Dominators::memory)
            + self
                .parts
                .everything_tree
                .get()
                .map_or(0, ShortestPathTree::memory)
            + self.parts.known_trees.get().map_or(0, KnownTrees::memory)
            + self.parts.groups.get().map_or(0, |groups| groups.memory())
            + self.parts.difference.as_ref().map_or(0, Changes::memory)
            + changed.map_or(0, |groups| groups.memory(ChangedGroups::memory))
    }
}
