//! The difference of two snapshots.
//!
//! An object is known by its kind and its address, and where the captures tell, by when it was
//! allocated: see [`Identity`].

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

/// What `b` has more than `a`: new objects, and tables that grew. Paths and references are those
/// of `b`. Empty when either has nothing at all.
pub fn increase(a: &Snapshot, b: &Snapshot) -> Result<Snapshot, BuildError> {
    difference(b, a, Change::New, Change::Grew)
}

/// What `a` had and `b` has not: gone objects, and tables that shrank. Paths and references are
/// those of `a`; the tables' counts are those of `b`. Empty when either has nothing at all.
pub fn decrease(a: &Snapshot, b: &Snapshot) -> Result<Snapshot, BuildError> {
    difference(a, b, Change::Gone, Change::Shrank)
}

/// What `side` has more than `other`.
fn difference(
    side: &Snapshot,
    other: &Snapshot,
    alone: Change,
    larger: fn(u32) -> Change,
) -> Result<Snapshot, BuildError> {
    let heap = side.objects()?;
    if side.holds_nothing()? || other.holds_nothing()? {
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

/// The changed objects.
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

/// Tells of every object of `side` which object of `other` it is.
///
/// Two captures of one program meet nearly the same objects in nearly the same order. So both are
/// gone through side by side first; only what finds no twin on the way is looked up, in a map of
/// what is left of the other.
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

/// The objects of another heap, gone through once along with one's own.
struct SideBySide<'a> {
    heap: &'a Heap,
    other: &'a Heap,
    /// What the other heap is the view of.
    others: &'a Snapshot,
    identity: &'a Identity<'a>,
    /// The object of the other heap that is expected next; and where the way may go on as well,
    /// since a leap may have been wrong.
    next: [usize; 2],
    /// How many objects have found no twin since one did.
    misses: usize,
    matched: NodeSet,
}

impl<'a> SideBySide<'a> {
    /// How many objects of the other heap may have gone at once without losing the way.
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

    /// The twin of `node`, if it is among the next.
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

    /// Looks farther ahead, the way being lost: the more misses, the farther and the less often,
    /// so that all looking together stays in proportion to the misses.
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

    /// Expects the object at `at` next, or the first one behind that can be a twin.
    fn go_on_from(&mut self, at: usize) {
        let newer = self.identity.end_of_newer(NodeId(at as u32));
        self.next[0] = newer.map_or(at, NodeId::index);
    }

    /// What has no twin yet.
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

    /// How many objects of `side` find no twin on the way.
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
        // A leap to an object that has moved far ahead is taken back.
        let moved = snapshot(
            (1..100)
                .chain(20_000..20_016)
                .chain([300])
                .chain(100..10_000),
        );
        assert!(misses(&moved, &all) < 64);
    }
}
