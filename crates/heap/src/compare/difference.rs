//! The difference of two snapshots.
//!
//! An object is identified by its kind, its address and, if the captures know it, the time of its
//! allocation: see [`Identity`].

use crate::build::excerpt::Excerpt;
use crate::compare::identity::Identity;
use crate::graph::address_map::AddressMap;
use crate::graph::change::Change;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
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
    if changes.is_empty() {
        let mut nothing = Heap::with_root();
        nothing.provenance = heap.provenance.of_excerpt();
        let heap = nothing;
        let tree = ShortestPathTree::new(&heap)?;
        return Ok(Snapshot::difference(heap, tree, vec![Change::None]));
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
    Ok(Snapshot::difference(heap, new_tree, by_node))
}

/// Returns the changed objects of `side`.
fn changes(
    side: &Snapshot,
    other: &Snapshot,
    alone: Change,
    larger: fn(u32) -> Change,
) -> Result<FxHashMap<NodeId, Change>, BuildError> {
    let mut changes = FxHashMap::default();
    let (heap, twins) = (side.objects()?, other.objects()?);
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

/// Calls `tell` for every object of `side` with its twin in `other`.
///
/// Two captures of one program have nearly the same objects in nearly the same order. So both are
/// first traversed side by side; only objects without a twin there are looked up, in a map of the
/// other's remaining objects.
fn match_twins(
    side: &Snapshot,
    other: &Snapshot,
    mut tell: impl FnMut(NodeId, Option<NodeId>) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let identity = Identity::new(side, other)?;
    let (heap, twins) = (side.objects()?, other.objects()?);
    let mut pair = SideBySide::new(heap, other, &identity)?;
    let mut alone = Vec::new();
    for node in heap.nodes().filter(|&node| side.is_member(node)) {
        if identity.has_no_twin(node) {
            tell(node, None)?;
            continue;
        }
        match pair.twin(node) {
            Some(twin) => tell(
                node,
                Some(twin).filter(|&twin| identity.is_same(node, twin)),
            )?,
            None => push(&mut alone, node)?,
        }
    }
    if alone.is_empty() {
        return Ok(());
    }
    let left = pair.left()?;
    for node in alone {
        let is_it =
            |twin: &NodeId| twins.kind(*twin) == heap.kind(node) && identity.is_same(node, *twin);
        let twin = left.find(heap.kind(node), heap.address(node));
        tell(node, twin.filter(is_it))?;
    }
    Ok(())
}

/// The objects of another heap, traversed alongside those of `heap`.
struct SideBySide<'a> {
    heap: &'a Heap,
    other: &'a Heap,
    /// The snapshot that the other heap is a view of.
    others: &'a Snapshot,
    identity: &'a Identity<'a>,
    /// The object of the other heap that is expected next, and an alternative, since a leap may
    /// have been wrong.
    next: [usize; 2],
    /// The number of objects without a twin since the last one that had one.
    misses: usize,
    matched: NodeSet,
}

impl<'a> SideBySide<'a> {
    /// The number of objects of the other heap that may be missing in a row without losing track.
    const AHEAD: usize = 16;

    fn new(
        heap: &'a Heap,
        other: &'a Snapshot,
        identity: &'a Identity<'a>,
    ) -> Result<Self, BuildError> {
        let matched = NodeSet::with_room_for(other.objects()?.node_count())?;
        let mut pair = SideBySide {
            heap,
            other: other.objects()?,
            others: other,
            identity,
            next: [0; 2],
            misses: 0,
            matched,
        };
        pair.go_on_from(1);
        Ok(pair)
    }

    /// Returns the twin of `node`, if it is among the next objects.
    fn twin(&mut self, node: NodeId) -> Option<NodeId> {
        let [next, other_way] = self.next;
        let found = self.find(node, next, Self::AHEAD).or_else(|| {
            let found = self.find(node, other_way, Self::AHEAD)?;
            self.next[1] = next;
            Some(found)
        });
        let Some(found) = found.or_else(|| self.leap(node)) else {
            self.misses += 1;
            return None;
        };
        self.misses = 0;
        self.matched.insert(NodeId(found as u32));
        self.go_on_from(found + 1);
        Some(NodeId(found as u32))
    }

    /// Looks farther ahead after many misses: the more misses, the farther and the less often, so
    /// that the whole search takes time in proportion to the misses.
    fn leap(&mut self, node: NodeId) -> Option<usize> {
        if self.misses < Self::AHEAD || !self.misses.is_power_of_two() {
            return None;
        }
        let found = self.find(node, self.next[0], self.misses * Self::AHEAD)?;
        self.next[1] = self.next[0];
        Some(found)
    }

    fn find(&self, node: NodeId, from: usize, ahead: usize) -> Option<usize> {
        let (kind, address) = (self.heap.kind(node), self.heap.address(node));
        let end = self.other.node_count().min(from + ahead);
        (from..end).find(|&at| {
            self.other.addresses[at] == address
                && self.other.kinds[at] == kind
                && self.others.is_member(NodeId(at as u32))
        })
    }

    /// Expects the object at `at` next, or the first one after it that can be a twin.
    fn go_on_from(&mut self, at: usize) {
        let newer = self.identity.end_of_newer(NodeId(at as u32));
        self.next[0] = newer.map_or(at, NodeId::index);
    }

    /// Returns the objects of the other heap that have no twin yet.
    fn left(&self) -> Result<AddressMap, BuildError> {
        let is_left = |node: &NodeId| !self.matched.contains(*node) && self.others.is_member(*node);
        let nodes = || self.other.nodes().filter(is_left);
        let mut map = AddressMap::with_room_for(nodes().count())?;
        for node in nodes() {
            map.insert(self.other.kind(node), self.other.address(node), node)?;
        }
        Ok(map)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::build::walk_builder::HeapBuilder;
    use crate::graph::provenance::Provenance;

    fn snapshot(addresses: impl Iterator<Item = u64>) -> Snapshot {
        let mut builder = HeapBuilder::new();
        for address in addresses {
            builder.node(Kind::Table, 16 * address).unwrap();
        }
        Snapshot::new(builder.finish_reached(Provenance::default()).unwrap())
    }

    /// Returns the number of objects of `side` that find no twin side by side.
    fn misses(side: &Snapshot, other: &Snapshot) -> usize {
        let identity = Identity::new(side, other).unwrap();
        let heap = side.objects().unwrap();
        let mut pair = SideBySide::new(heap, other, &identity).unwrap();
        let nodes = heap.nodes().skip(1);
        nodes.filter(|node| pair.twin(*node).is_none()).count()
    }

    #[test]
    fn the_way_is_found_again() {
        let all = snapshot(1..10_000);
        let holes = snapshot((1..10_000).filter(|at| at % 2000 > 300));
        assert!(misses(&holes, &all) < 5 * 40);
        assert_eq!(misses(&all, &holes), 300 + 4 * 301);
        // A leap to an object that has moved far ahead is undone.
        let moved = snapshot(
            (1..100)
                .chain(20_000..20_016)
                .chain([300])
                .chain(100..10_000),
        );
        assert!(misses(&moved, &all) < 64);
    }
}
