//! The difference of two snapshots.
//!
//! An object is identified by its kind, its address and, if the captures know it, the time of its
//! allocation: see `identity`.

use crate::build::excerpt::Excerpt;
use crate::compare::group_changes::changed_groups;
use crate::compare::twins::match_twins;
use crate::compare::view::View;
use crate::graph::change::Change;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::filled;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::reach::shortest_path_tree::ShortestPathTree;
use crate::snapshot::Snapshot;
use rustc_hash::FxHashMap;

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
    if side.nothing_reachable()? || other.nothing_reachable()? {
        return Ok(Snapshot::empty());
    }
    let changes = changes(side, other, alone, larger)?;
    let changed_groups = changed_groups(side, other, alone == Change::Gone)?;
    if changes.is_empty() {
        let mut nothing = Heap::with_root();
        nothing.provenance = heap.provenance.of_excerpt();
        let heap = nothing;
        let tree = ShortestPathTree::new(&heap)?;
        return Ok(Snapshot::difference(
            heap,
            tree,
            vec![Change::None],
            changed_groups,
        ));
    }
    let tree = side.tree()?;
    let mut is_changed = filled(heap.node_count(), false)?;
    for &node in changes.keys() {
        is_changed[node.index()] = true;
    }
    let chosen = tree
        .ranks()
        .filter(|&rank| is_changed[tree.node(rank).index()]);
    let Excerpt { mut heap, ranks } = Excerpt::new(heap, tree, chosen)?;
    let mut new_tree = ShortestPathTree::new(&heap)?;
    let mut by_node = filled(heap.node_count(), Change::None)?;
    for (at, &rank) in ranks.iter().enumerate().skip(1) {
        let node = tree.node(rank);
        new_tree.refs[at] = tree.refs(node);
        by_node[at] = changes.get(&node).copied().unwrap_or(Change::None);
        if let Change::Shrank(entries) = by_node[at] {
            heap.counts[at] -= entries;
        }
    }
    Ok(Snapshot::difference(
        heap,
        new_tree,
        by_node,
        changed_groups,
    ))
}

/// Returns the changed objects of `side`.
fn changes(
    side: &Snapshot,
    other: &Snapshot,
    alone: Change,
    larger: fn(u32) -> Change,
) -> Result<FxHashMap<NodeId, Change>, BuildError> {
    let mut changes = FxHashMap::default();
    let (side, other) = (View::objects(side)?, View::objects(other)?);
    let (heap, twins) = (side.heap, other.heap);
    match_twins(side, other, |node, twin| {
        let change = match twin {
            None => alone,
            Some(twin) if heap.kind(node) == Kind::Table => {
                match heap.count(node).checked_sub(twins.count(twin)) {
                    None | Some(0) => return Ok(()),
                    Some(entries) => larger(entries),
                }
            }
            Some(_) => return Ok(()),
        };
        changes
            .try_reserve(1)
            .map_err(|_| BuildError::OutOfMemory)?;
        changes.insert(node, change);
        Ok(())
    })?;
    Ok(changes)
}
