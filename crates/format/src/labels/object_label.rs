//! Names and descriptions of objects, for text and JSON.

use crate::labels::digits::push_decimal;
use crate::labels::step::push_object;
use luasnap_heap::{Change, Heap, Kind, Label, NodeId, Rank, ShortestPathTree, prefetch};

/// Prefetches what one of the next rows needs: siblings are consecutive, but their objects and
/// names are scattered over the heap.
#[inline]
pub(crate) fn read_ahead(heap: &Heap, tree: &ShortestPathTree, rank: Rank) {
    let ahead = |distance: u32| {
        let rank = Rank(rank.0.saturating_add(distance));
        (rank.index() < tree.len()).then_some(rank)
    };
    if let Some(rank) = ahead(24) {
        prefetch(heap.strength(tree.edge(rank)));
    }
    if let Some(rank) = ahead(12) {
        let node = tree.node(rank);
        prefetch((
            heap.kind(node),
            heap.address(node),
            heap.count(node),
            tree.refs(node),
        ));
        if let Label::Field(name) = heap.label(tree.edge(rank)) {
            prefetch(heap.name(name).first());
        }
    }
}

/// Returns the name of an object in tables: its type and its address (`table:0x55f6bd56acd0`).
pub fn object_name(heap: &Heap, node: NodeId) -> String {
    let mut name = Vec::new();
    push_name(&mut name, heap, node);
    String::from_utf8_lossy(&name).into_owned()
}

/// Appends an object's name: its type and its address.
pub(crate) fn push_name(out: &mut Vec<u8>, heap: &Heap, node: NodeId) {
    push_object(out, heap.kind(node), heap.address(node));
}

/// Appends an object's description: the size of a table, the source of a function or nothing, and its change.
pub(crate) fn push_description(out: &mut Vec<u8>, heap: &Heap, node: NodeId, change: Change) {
    let count = u64::from(heap.count(node));
    match heap.kind(node) {
        Kind::Table => push_counted(out, b"(size: ", count),
        Kind::LuaFunction => {
            out.extend_from_slice(b"(func: ");
            out.extend_from_slice(heap.source(node));
            push_counted(out, b":", count);
        }
        Kind::Thread => push_counted(out, b"(vars: ", count),
        _ => {}
    }
    match change {
        Change::None => {}
        Change::New => out.extend_from_slice(b"(+)"),
        Change::Gone => out.extend_from_slice(b"(-)"),
        Change::Grew(entries) => push_counted(out, b"(+", u64::from(entries)),
        Change::Shrank(entries) => push_counted(out, b"(-", u64::from(entries)),
    }
}

fn push_counted(out: &mut Vec<u8>, open: &[u8], count: u64) {
    out.extend_from_slice(open);
    push_decimal(out, count);
    out.push(b')');
}
