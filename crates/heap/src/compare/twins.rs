//! The twins of objects: the same objects in another capture.

use crate::compare::identity::Identity;
use crate::compare::view::View;
use crate::graph::address_map::AddressMap;
use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use std::ops::RangeInclusive;

/// How many objects are compared at once with what is expected.
pub(crate) const BLOCK: usize = NodeSet::RUN;

/// Calls `tell` for the objects of `side` with their twins in `other`: for all that have none, and for all but those of
/// blocks in which every object is as its twin is, in its address, kind, size and count, and of which
/// `is_nothing_to_tell`, by the first twin of the block.
///
/// Two captures of one program have nearly the same objects in nearly the same order. So both are
/// first traversed side by side; only objects without a twin there are looked up, in a map of the
/// other's remaining objects.
pub(crate) fn match_twins(
    side: View<'_>,
    other: View<'_>,
    is_nothing_to_tell: impl Fn(NodeId) -> bool,
    mut tell: impl FnMut(NodeId, Option<NodeId>) -> Result<(), BuildError>,
) -> Result<(), BuildError> {
    let identity = Identity::new(side, other)?;
    let (heap, twins) = (side.heap, other.heap);
    // Short strings are in a hash table, whose order tells nothing: another text is another string, where
    // both texts are known.
    let is_same = |node: NodeId, twin: NodeId| {
        identity.is_same(node, twin)
            && (heap.kind(node) != Kind::String
                || heap.size(node) == twins.size(twin)
                    && is_one_text(heap.source(node), twins.source(twin)))
    };
    let mut pair = SideBySide::new(heap, other, &identity)?;
    // What is not where it is expected, and the range of its addresses.
    let mut alone = NodeSet::with_room_for(heap.node_count())?;
    let (mut lowest, mut highest) = (u64::MAX, 0);
    let are_whole = !side.snapshot.is_difference() && !other.snapshot.is_difference();
    let (mut number, mut next_try) = (0, 0);
    while number < heap.node_count() {
        let node = NodeId(number as u32);
        if are_whole && number >= next_try {
            if let Some(twin) = pair.block(node)
                && is_nothing_to_tell(twin)
            {
                pair.pass_block(twin);
                number += BLOCK;
                continue;
            }
            next_try = number + BLOCK / 4;
        }
        number += 1;
        if !side.is_member(node) {
            continue;
        }
        if identity.has_no_twin(node) {
            tell(node, None)?;
            continue;
        }
        match pair.twin(node) {
            Some(twin) => tell(node, Some(twin).filter(|&twin| is_same(node, twin)))?,
            None => {
                alone.insert(node);
                lowest = lowest.min(heap.address(node));
                highest = highest.max(heap.address(node));
            }
        }
    }
    if lowest > highest {
        return Ok(());
    }
    let left = pair.left_within(lowest..=highest)?;
    for node in alone.nodes() {
        let is_it = |twin: &NodeId| twins.kind(*twin) == heap.kind(node) && is_same(node, *twin);
        let twin = left.find(heap.kind(node), heap.address(node));
        tell(node, twin.filter(is_it))?;
    }
    Ok(())
}

fn is_one_text(a: &[u8], b: &[u8]) -> bool {
    a.is_empty() || b.is_empty() || a == b
}

/// The objects of another heap, traversed alongside those of `heap`.
struct SideBySide<'a> {
    heap: &'a Heap,
    other: &'a Heap,
    others: View<'a>,
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
        other: View<'a>,
        identity: &'a Identity<'a>,
    ) -> Result<Self, BuildError> {
        let matched = NodeSet::with_room_for(other.heap.node_count())?;
        let mut pair = SideBySide {
            heap,
            other: other.heap,
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

    /// Returns the first of the next objects if a block of them are surely the twins of those from `node` on, and are in
    /// all columns as these are.
    fn block(&self, node: NodeId) -> Option<NodeId> {
        let ours = node.index()..node.index() + BLOCK;
        let theirs = self.next[0]..self.next[0] + BLOCK;
        let (heap, other) = (self.heap, self.other);
        let kinds = heap.kinds.get(ours.clone())?;
        let are_alike = heap.addresses[ours.clone()] == *other.addresses.get(theirs.clone())?
            && *kinds == other.kinds[theirs.clone()]
            && heap.counts[ours.clone()] == other.counts[theirs.clone()]
            && heap.sizes[ours.clone()] == other.sizes[theirs.clone()];
        // Strings must have one text, snapshots are not compared, and large sizes are elsewhere.
        let has_other = |kind: &Kind| matches!(kind, Kind::String | Kind::Snapshot);
        if !are_alike
            || kinds.iter().any(has_other)
            || heap.sizes[ours.clone()].contains(&Heap::LARGE)
            || !self.identity.are_all_older(&ours, &theirs)
        {
            return None;
        }
        Some(NodeId(theirs.start as u32))
    }

    /// Goes on behind a block.
    fn pass_block(&mut self, twin: NodeId) {
        self.misses = 0;
        self.matched.insert_run(twin);
        self.go_on_from(twin.index() + BLOCK);
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

    /// Returns the objects of the other heap that have no twin yet, with these addresses: none, mostly, if the other heap
    /// was another process's.
    fn left_within(&self, addresses: RangeInclusive<u64>) -> Result<AddressMap, BuildError> {
        let is_left = |node: &NodeId| {
            addresses.contains(&self.other.address(*node))
                && !self.matched.contains(*node)
                && self.others.is_member(*node)
        };
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
    use crate::snapshot::Snapshot;

    fn snapshot(addresses: impl Iterator<Item = u64>) -> Snapshot {
        let mut builder = HeapBuilder::new();
        for address in addresses {
            builder.node(Kind::Table, 16 * address).unwrap();
        }
        Snapshot::new(builder.finish_reached(Provenance::default()).unwrap())
    }

    /// Returns the number of objects of `side` that find no twin side by side.
    fn misses(side: &Snapshot, other: &Snapshot) -> usize {
        let [side, other] = [side, other].map(View::of);
        let identity = Identity::new(side, other).unwrap();
        let heap = side.heap;
        let mut pair = SideBySide::new(heap, other, &identity).unwrap();
        let nodes = heap.nodes().skip(1);
        nodes.filter(|node| pair.twin(*node).is_none()).count()
    }

    /// What is told, whatever is passed in blocks: the numbers of the nodes of `side` and of their twins.
    fn told(side: &Snapshot, other: &Snapshot) -> Vec<(u32, Option<u32>)> {
        let mut told = Vec::new();
        let [side, other] = [side, other].map(View::of);
        let tell = |node: NodeId, twin: Option<NodeId>| {
            told.push((node.0, twin.map(|twin| twin.0)));
            Ok(())
        };
        match_twins(side, other, |_| true, tell).unwrap();
        told.sort_unstable();
        told
    }

    #[test]
    fn blocks_that_are_alike_are_passed_and_all_else_is_told() {
        let all = snapshot(1..1000);
        let told_of_same = told(&all, &all);
        assert!(told_of_same.len() < 1000 - 13 * BLOCK, "{told_of_same:?}");
        assert!(told_of_same.iter().all(|(node, twin)| Some(*node) == *twin));
        // One is gone, one is new: their neighbours still have their twins.
        let other = snapshot((1..500).chain([5000]).chain(501..1000).chain([6000]));
        let told = told(&other, &all);
        let alone: Vec<_> = told.iter().filter(|(_, twin)| twin.is_none()).collect();
        assert_eq!(alone, [&(500, None), &(1000, None)]);
        let with_twin = told.iter().filter(|(node, _)| ![500, 1000].contains(node));
        for (node, twin) in with_twin {
            assert_eq!(Some(*node), *twin);
        }
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
