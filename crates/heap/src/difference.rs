//! The difference of two snapshots.
//!
//! An object is known by its kind and its address.

use crate::chain::{ChainTree, Rank};
use crate::error::BuildError;
use crate::excerpt::Excerpt;
use crate::grow::{filled, push};
use crate::heap::Heap;
use crate::kind::Kind;
use crate::node::NodeId;
use crate::snapshot::{Change, Snapshot};
use hashbrown::HashTable;

/// What `b` has more than `a`: new objects, and tables that grew. Chains and references are those
/// of `b`. Empty when either has nothing at all.
pub fn increase(a: &Snapshot, b: &Snapshot) -> Result<Snapshot, BuildError> {
    difference(b, a, Change::New, Change::Grew)
}

/// What `a` had and `b` has not: gone objects, and tables that shrank. Chains and references are
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
    let tree = side.tree()?;
    if other.tree()?.is_empty() {
        return Ok(Snapshot::empty());
    }
    let changes = changes(side, tree, &mut Matcher::new(other)?, alone, larger)?;
    let chosen = changes.iter().map(|&(rank, _)| rank);
    let Excerpt { mut heap, ranks } = Excerpt::new(side.heap(), tree, chosen)?;
    let mut new_tree = ChainTree::new(&heap)?;
    let mut by_node = filled(heap.node_count(), Change::None)?;
    let mut changes = changes.into_iter().peekable();
    for (at, &rank) in ranks.iter().enumerate().skip(1) {
        new_tree.refs[at] = tree.refs(tree.node(rank));
        if let Some((_, change)) = changes.next_if(|&(changed, _)| changed == rank) {
            by_node[at] = change;
            if let Change::Shrank(entries) = change {
                heap.counts[at] -= entries;
            }
        }
    }
    Ok(Snapshot::difference(heap, new_tree, by_node))
}

/// The changed objects in the order of their ranks.
fn changes(
    side: &Snapshot,
    tree: &ChainTree,
    matcher: &mut Matcher<'_>,
    alone: Change,
    larger: fn(u32) -> Change,
) -> Result<Vec<(Rank, Change)>, BuildError> {
    let heap = side.heap();
    let mut changes = Vec::new();
    for rank in tree.ranks() {
        let node = tree.node(rank);
        if !side.is_member(node) {
            continue;
        }
        let change = match matcher.find(heap.kind(node), heap.address(node))? {
            None => alone,
            Some(twin) if heap.kind(node) == Kind::Table => {
                match heap.count(node).checked_sub(matcher.heap.count(twin)) {
                    None | Some(0) => continue,
                    Some(entries) => larger(entries),
                }
            }
            Some(_) => continue,
        };
        push(&mut changes, (rank, change))?;
    }
    Ok(changes)
}

/// Finds the objects of a snapshot.
///
/// Two snapshots of one program have nearly the same objects in nearly the same order, so the one
/// after the last found is tried first; a table of all is made when that fails for the first time.
struct Matcher<'a> {
    snapshot: &'a Snapshot,
    heap: &'a Heap,
    tree: &'a ChainTree,
    expected: usize,
    table: Option<HashTable<u32>>,
}

/// Objects lie 8 bytes apart at the least; the multiplier is the 64-bit golden ratio.
fn hash(address: u64) -> u64 {
    let mixed = (address >> 3).wrapping_mul(0x9E37_79B9_7F4A_7C15);
    mixed ^ mixed >> 32
}

impl<'a> Matcher<'a> {
    fn new(snapshot: &'a Snapshot) -> Result<Self, BuildError> {
        let (heap, tree) = (snapshot.heap(), snapshot.tree()?);
        Ok(Matcher {
            snapshot,
            heap,
            tree,
            expected: 0,
            table: None,
        })
    }

    fn find(&mut self, kind: Kind, address: u64) -> Result<Option<NodeId>, BuildError> {
        let is_twin = |rank: usize| {
            let node = self.tree.node(Rank(rank as u32));
            self.heap.address(node) == address && self.heap.kind(node) == kind
        };
        if self.expected < self.tree.len() && is_twin(self.expected) {
            let node = self.tree.node(Rank(self.expected as u32));
            if self.snapshot.is_member(node) {
                self.expected += 1;
                return Ok(Some(node));
            }
        }
        if self.table.is_none() {
            self.table = Some(self.members()?);
        }
        let table = self.table.as_ref().expect("made above");
        Ok(table
            .find(hash(address), |&rank| is_twin(rank as usize))
            .map(|&rank| {
                self.expected = rank as usize + 1;
                self.tree.node(Rank(rank))
            }))
    }

    fn members(&self) -> Result<HashTable<u32>, BuildError> {
        let (heap, tree) = (self.heap, self.tree);
        let of = |&rank: &u32| hash(heap.address(tree.node(Rank(rank))));
        let mut table = HashTable::new();
        table
            .try_reserve(self.snapshot.len(), of)
            .map_err(|_| BuildError::OutOfMemory)?;
        for rank in tree.ranks() {
            if self.snapshot.is_member(tree.node(rank)) {
                table.insert_unique(of(&rank.0), rank.0, of);
            }
        }
        Ok(table)
    }
}
