//! The difference of two snapshots.
//!
//! An object is identified by its kind, its address and, if the captures know it, the time of its
//! allocation: see `identity`.

use crate::build::excerpt::Excerpt;
use crate::compare::group_changes::Ungrouped;
use crate::compare::object_changes::ObjectChanges;
use crate::graph::change::Change;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::on_demand::OnDemand;
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
fn difference(
    side: &Snapshot,
    other: &Snapshot,
    alone: Change,
    larger: fn(u32) -> Change,
) -> Result<Snapshot, BuildError> {
    let heap = side.objects()?;
    let seen = Seen::new(other)?;
    if heap.node_count() <= 1 || seen.is_empty() {
        return Ok(Snapshot::empty());
    }
    let all = ObjectChanges::with_twins(side, other, |twin| seen.has(twin))?;
    let changes = changes_of_view(side, &all, alone, larger)?;
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
    if changes.is_empty() {
        let mut nothing = Heap::with_root();
        nothing.provenance = heap.provenance.of_excerpt();
        let tree = ShortestPathTree::new(&nothing)?;
        let by_node = vec![Change::None];
        return Ok(Snapshot::difference(nothing, tree, by_node, groups));
    }
    let tree = side.tree()?;
    let mut is_changed = NodeSet::with_room_for(heap.node_count())?;
    for &(node, _) in &changes {
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
    Ok(Snapshot::difference(heap, new_tree, by_node, groups))
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

/// Returns the changed objects of a snapshot's view, in order.
fn changes_of_view(
    side: &Snapshot,
    changes: &ObjectChanges,
    alone: Change,
    larger: fn(u32) -> Change,
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
            push(&mut found, (node, alone))?;
        } else if entries > 0 {
            push(&mut found, (node, larger(entries)))?;
        }
    }
    Ok(found)
}
