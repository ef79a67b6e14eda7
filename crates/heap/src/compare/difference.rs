//! The difference of two snapshots.
//!
//! An object is identified by its kind, its address and, if the captures know it, the time of its
//! allocation: see `identity`.

use crate::build::excerpt::Excerpt;
use crate::build::objects_view::PartOfView;
use crate::compare::group_changes::Ungrouped;
use crate::compare::object_changes::ObjectChanges;
use crate::graph::change::Change;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::on_demand::OnDemand;
use crate::reach::environments::{Chunks, is_environment_edge};
use crate::reach::path_levels::PathLevels;
use crate::reach::reach::{Reach, Through};
use crate::reach::shortest_path_tree::ShortestPathTree;
use crate::snapshot::Snapshot;

/// Returns what `b` has in addition to `a`: new objects, and tables that grew. Paths and references
/// are those of `b`. The difference is empty if either snapshot is.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Change, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `_G` with one table for each address.
/// let snapshot = |addresses: &[u64]| -> Result<Snapshot, luasnap_heap::BuildError> {
///     let mut builder = HeapBuilder::new();
///     let (globals, _) = builder.node(Kind::Table, 0x10)?;
///     let name = builder.name(b"_G")?;
///     builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
///     for (index, address) in (1..).zip(addresses) {
///         let (table, _) = builder.node(Kind::Table, *address)?;
///         builder.edge(globals, table, Label::Index(index), Strength::Strong)?;
///     }
///     Ok(Snapshot::new(builder.finish()?))
/// };
/// let (a, b) = (snapshot(&[0x20])?, snapshot(&[0x20, 0x30])?);
///
/// let new = luasnap_heap::increase(&a, &b)?;
/// assert_eq!(new.len()?, 1);
/// let heap = new.objects()?;
/// let table = heap.nodes().find(|node| new.is_member(*node)).expect("one is new");
/// assert_eq!((heap.address(table), new.change(table)), (0x30, Change::New));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out.
pub fn increase(a: &Snapshot, b: &Snapshot) -> Result<Snapshot, BuildError> {
    difference(b, a, Change::New, Change::Grew)
}

/// Returns what `a` has and `b` has not: objects that are gone, and tables that shrank. Paths and
/// references are those of `a`; the tables' counts are those of `b`. The difference is empty if
/// either snapshot is.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Change, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `_G` with one table for each address.
/// let snapshot = |addresses: &[u64]| -> Result<Snapshot, luasnap_heap::BuildError> {
///     let mut builder = HeapBuilder::new();
///     let (globals, _) = builder.node(Kind::Table, 0x10)?;
///     let name = builder.name(b"_G")?;
///     builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
///     for (index, address) in (1..).zip(addresses) {
///         let (table, _) = builder.node(Kind::Table, *address)?;
///         builder.edge(globals, table, Label::Index(index), Strength::Strong)?;
///     }
///     Ok(Snapshot::new(builder.finish()?))
/// };
/// let (a, b) = (snapshot(&[0x20])?, snapshot(&[0x20, 0x30])?);
///
/// let gone = luasnap_heap::decrease(&b, &a)?;
/// assert_eq!(gone.len()?, 1);
/// let heap = gone.objects()?;
/// let table = heap.nodes().find(|node| gone.is_member(*node)).expect("one is gone");
/// assert_eq!((heap.address(table), gone.change(table)), (0x30, Change::Gone));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out.
pub fn decrease(a: &Snapshot, b: &Snapshot) -> Result<Snapshot, BuildError> {
    difference(a, b, Change::Gone, Change::Shrank)
}

/// Returns what `side` has in addition to `other`.
///
/// Where the paths in `side` are known they are used. Otherwise no view of all that it has is made, but one of what
/// changed and of what may be on the paths to it.
fn difference(
    side: &Snapshot,
    other: &Snapshot,
    alone: Change,
    larger: fn(u32) -> Change,
) -> Result<Snapshot, BuildError> {
    let everything = side.everything();
    let levels = match side.knows_tree() {
        true => None,
        false => PathLevels::new(everything)?,
    };
    let is_empty = match &levels {
        Some(levels) => levels.reach().count() == 0,
        None => side.objects()?.node_count() <= 1,
    };
    let seen = Seen::new(other)?;
    if is_empty || seen.is_empty() {
        return Ok(Snapshot::empty());
    }
    let all = ObjectChanges::with_twins(side, other, |twin| seen.has(twin))?;
    let marks = Marks { alone, larger };
    let changed = match levels {
        Some(levels) => Changed::of_part(everything, &levels, &all, marks)?,
        None => Changed::of_view(side, &all, marks)?,
    };
    let groups = match side.is_difference() || other.is_difference() {
        true => None,
        false => {
            let (side, is_decrease) = (side.clone(), alone == Change::Gone);
            Some(OnDemand::new(Ungrouped {
                side,
                changes: all,
                is_decrease,
            }))
        }
    };
    let Changed {
        heap,
        tree,
        by_node,
    } = changed;
    Ok(Snapshot::difference(heap, tree, by_node, groups))
}

/// What the changes of a difference are called.
#[derive(Clone, Copy)]
struct Marks {
    alone: Change,
    larger: fn(u32) -> Change,
}

/// What is in a difference: the objects that changed, and those on the paths to them.
struct Changed {
    heap: Heap,
    tree: ShortestPathTree,
    by_node: Vec<Change>,
}

impl Changed {
    /// Takes what changed from the view of a snapshot.
    fn of_view(side: &Snapshot, all: &ObjectChanges, marks: Marks) -> Result<Changed, BuildError> {
        let changes = changes_of_view(side, all, marks)?;
        Changed::new(side.objects()?, side.tree()?, &changes)
    }

    /// Takes what changed from a view of nothing else than what may be on the paths to it.
    fn of_part(
        everything: &Heap,
        levels: &PathLevels,
        all: &ObjectChanges,
        marks: Marks,
    ) -> Result<Changed, BuildError> {
        let mut changes = changes_among(levels, all, marks)?;
        let mut members = NodeSet::with_room_for(everything.node_count())?;
        for &(node, _) in &changes {
            members.insert(node);
        }
        if !changes.is_empty() {
            levels.add_ancestors(everything, &mut members)?;
        }
        let part = PartOfView::new(everything, levels.reach(), &members)?;
        let globals = everything.globals().and_then(|node| part.id(node));
        let mut chunks = Chunks::default();
        let mut refs = filled(part.heap.node_count(), 0)?;
        part.each_holding_reference(|source, edge, target| {
            refs[target.index()] += 1;
            if everything.globals().is_some()
                && everything.kind(source) == Kind::LuaFunction
                && Some(target) != globals
                && part.heap.kind(target) == Kind::Table
                && is_environment_edge(everything, source, edge)
            {
                return chunks.add(target, everything, source);
            }
            Ok(())
        })?;
        let mut tree = ShortestPathTree::of_part(&part.heap, &chunks)?;
        tree.refs = refs;
        for (node, _) in &mut changes {
            *node = part.id(*node).unwrap_or(NodeId::ROOT);
        }
        Changed::new(&part.heap, &tree, &changes)
    }

    /// Takes changed objects of a heap, in the order of their nodes.
    fn new(
        heap: &Heap,
        tree: &ShortestPathTree,
        changes: &[(NodeId, Change)],
    ) -> Result<Changed, BuildError> {
        if changes.is_empty() {
            let mut nothing = Heap::with_root();
            nothing.provenance = heap.provenance.of_excerpt();
            return Ok(Changed {
                tree: ShortestPathTree::new(&nothing)?,
                heap: nothing,
                by_node: vec![Change::None],
            });
        }
        let mut is_changed = NodeSet::with_room_for(heap.node_count())?;
        for &(node, _) in changes {
            is_changed.insert(node);
        }
        let chosen = tree
            .ranks()
            .filter(|&rank| is_changed.contains(tree.node(rank)));
        let Excerpt { mut heap, ranks } = Excerpt::new(heap, tree, chosen)?;
        let mut new_tree = ShortestPathTree::new(&heap)?;
        let mut by_node = filled(heap.node_count(), Change::None)?;
        for (at, &rank) in ranks.iter().enumerate().skip(1) {
            let node = tree.node(rank);
            new_tree.refs[at] = tree.refs(node);
            if let Ok(found) = changes.binary_search_by_key(&node, |(node, _)| *node) {
                by_node[at] = changes[found].1;
            }
            if let Change::Shrank(entries) = by_node[at] {
                heap.counts[at] -= entries;
            }
        }
        Ok(Changed {
            heap,
            tree: new_tree,
            by_node,
        })
    }
}

/// What people see of a snapshot: the nodes of its view, which need not be made.
struct Seen<'a> {
    heap: &'a Heap,
    /// `None` if all are reachable.
    reach: Option<Reach>,
}

impl<'a> Seen<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Seen<'a>, BuildError> {
        let heap = snapshot.everything();
        let reach = match heap.all_reached {
            true => None,
            false => Some(Reach::new(heap, Through::Objects)?),
        };
        Ok(Seen { heap, reach })
    }

    fn is_empty(&self) -> bool {
        let count = self.reach.as_ref().map(Reach::count);
        count.unwrap_or(self.heap.node_count().saturating_sub(1)) == 0
    }

    /// Whether people see an object; true for what is none.
    #[inline]
    fn has(&self, node: NodeId) -> bool {
        let reach = self.reach.as_ref();
        reach.is_none_or(|reach| reach.contains(node) || !self.heap.kind(node).is_object())
    }
}

/// Returns the changed objects that are in the view, in the order of the nodes.
fn changes_among(
    levels: &PathLevels,
    changes: &ObjectChanges,
    marks: Marks,
) -> Result<Vec<(NodeId, Change)>, BuildError> {
    let mut found = Vec::new();
    for node in changes.new_to_people()?.nodes() {
        if levels.has(node) {
            push(&mut found, (node, marks.alone))?;
        }
    }
    let new = found.len();
    for larger in changes.all_larger() {
        let is_known = found[..new].binary_search_by_key(&larger.node, |(node, _)| *node);
        if larger.entries > 0 && levels.has(larger.node) && is_known.is_err() {
            push(&mut found, (larger.node, (marks.larger)(larger.entries)))?;
        }
    }
    sort_by_number(&mut found, |(node, _)| u64::from(node.0))?;
    Ok(found)
}

/// Returns the changed objects of a snapshot's view, in order.
fn changes_of_view(
    side: &Snapshot,
    changes: &ObjectChanges,
    marks: Marks,
) -> Result<Vec<(NodeId, Change)>, BuildError> {
    let (heap, everything) = (side.objects()?, side.everything());
    let mut found = Vec::new();
    let mut all = everything.nodes().skip(1);
    let mut grown = changes.all_larger().iter().peekable();
    for node in heap.nodes().skip(1) {
        // The view has the same order.
        let is_it = |of: &NodeId| {
            everything.address(*of) == heap.address(node) && everything.kind(*of) == heap.kind(node)
        };
        let Some(of) = all.find(is_it) else {
            break;
        };
        let mut entries = 0;
        while let Some(more) = grown.next_if(|more| more.node <= of) {
            entries = if more.node == of { more.entries } else { 0 };
        }
        if changes.is_new_to_people(of) {
            push(&mut found, (node, marks.alone))?;
        } else if entries > 0 {
            push(&mut found, (node, (marks.larger)(entries)))?;
        }
    }
    Ok(found)
}
