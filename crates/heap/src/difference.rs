//! The difference of two snapshots.
//!
//! An object is known by its kind and its address.

use crate::address_map::AddressMap;
use crate::chain::ChainTree;
use crate::error::BuildError;
use crate::excerpt::Excerpt;
use crate::grow::{filled, push};
use crate::heap::Heap;
use crate::kind::Kind;
use crate::node::NodeId;
use crate::snapshot::{Change, Members, Snapshot};
use rustc_hash::FxHashMap;

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
    let heap = side.heap();
    if side.holds_nothing()? || other.holds_nothing()? {
        return Ok(Snapshot::empty());
    }
    let changes = changes(side, other, alone, larger)?;
    if changes.is_empty() {
        let heap = Heap::with_root();
        let tree = ChainTree::new(&heap)?;
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
    let mut new_tree = ChainTree::new(&heap)?;
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
    let (heap, twins) = (side.heap(), other.heap());
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
    let mut pair = SideBySide::new(side.heap(), other)?;
    let members = side.members()?;
    let mut alone = Vec::new();
    for node in side
        .heap()
        .nodes()
        .skip(1)
        .filter(|&node| members.contains(node))
    {
        match pair.twin(node) {
            Some(twin) => tell(node, Some(twin))?,
            None => push(&mut alone, node)?,
        }
    }
    if alone.is_empty() {
        return Ok(());
    }
    let left = pair.left()?;
    for node in alone {
        let twin = left.find(side.heap().kind(node), side.heap().address(node));
        tell(
            node,
            twin.filter(|&twin| other.heap().kind(twin) == side.heap().kind(node)),
        )?;
    }
    Ok(())
}

/// The objects of another heap, gone through once along with one's own.
struct SideBySide<'a> {
    heap: &'a Heap,
    other: &'a Heap,
    members: Members<'a>,
    /// The object of the other heap that is expected next.
    next: usize,
    is_matched: Vec<bool>,
}

impl<'a> SideBySide<'a> {
    /// How many objects of the other heap may have gone at once without losing the way.
    const AHEAD: usize = 16;

    fn new(heap: &'a Heap, other: &'a Snapshot) -> Result<Self, BuildError> {
        let is_matched = filled(other.heap().node_count(), false)?;
        Ok(SideBySide {
            heap,
            other: other.heap(),
            members: other.members()?,
            next: 1,
            is_matched,
        })
    }

    /// The twin of `node`, if it is among the next.
    fn twin(&mut self, node: NodeId) -> Option<NodeId> {
        let (kind, address) = (self.heap.kind(node), self.heap.address(node));
        let end = self.other.node_count().min(self.next + Self::AHEAD);
        let found = (self.next..end).find(|&at| {
            self.other.addresses[at] == address
                && self.other.kinds[at] == kind
                && self.members.contains(NodeId(at as u32))
        })?;
        self.is_matched[found] = true;
        self.next = found + 1;
        Some(NodeId(found as u32))
    }

    /// What has no twin yet.
    fn left(&self) -> Result<AddressMap, BuildError> {
        let is_left =
            |node: &NodeId| !self.is_matched[node.index()] && self.members.contains(*node);
        let nodes = || self.other.nodes().skip(1).filter(is_left);
        let mut map = AddressMap::with_room_for(nodes().count())?;
        for node in nodes() {
            map.insert(self.other.kind(node), self.other.address(node), node)?;
        }
        Ok(map)
    }
}
