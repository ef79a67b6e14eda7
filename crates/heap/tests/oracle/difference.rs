//! Differences against naive sets.

use crate::graph::{Graph, address, graph, path};
use luasnap_heap::{
    Change, HeapBuilder, Kind, Rank, ShortestPathTree, Snapshot, decrease, increase,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// The members of a snapshot: by address and kind, their path, count and references.
type Members = BTreeMap<(u64, Kind), (Vec<String>, u32, u32)>;

fn members(snapshot: &Snapshot) -> Members {
    let (heap, tree) = (snapshot.objects().unwrap(), snapshot.tree().unwrap());
    tree.ranks()
        .filter(|rank| snapshot.is_member(tree.node(*rank)))
        .map(|rank| {
            let node = tree.node(rank);
            let what = (path(heap, tree, rank), heap.count(node), tree.refs(node));
            ((heap.address(node), heap.kind(node)), what)
        })
        .collect()
}

fn changes(snapshot: &Snapshot) -> BTreeMap<(u64, Kind), Change> {
    let heap = snapshot.objects().unwrap();
    heap.nodes()
        .filter(|node| snapshot.is_member(*node))
        .map(|node| ((heap.address(node), heap.kind(node)), snapshot.change(node)))
        .collect()
}

/// Returns what `side` has in addition to `other`, as members and as marks.
fn expected(
    side: &Members,
    other: &Members,
    gone: bool,
) -> (Members, BTreeMap<(u64, Kind), Change>) {
    let (mut rows, mut marks) = (Members::new(), BTreeMap::new());
    for (id, (path, count, refs)) in side {
        let (change, after) = match other.get(id) {
            None if gone => (Change::Gone, *count),
            None => (Change::New, *count),
            Some((_, twin, _)) if id.1 == Kind::Table && count > twin => {
                if gone {
                    (Change::Shrank(count - twin), *twin)
                } else {
                    (Change::Grew(count - twin), *count)
                }
            }
            Some(_) => continue,
        };
        rows.insert(*id, (path.clone(), after, *refs));
        marks.insert(*id, change);
    }
    if other.is_empty() {
        // A snapshot without any object counts as freed.
        return Default::default();
    }
    (rows, marks)
}

/// A later state of the same graph: other kinds and counts at some addresses, other edges.
fn later() -> impl Strategy<Value = (Graph, Graph)> {
    (graph(25, true), any::<u64>()).prop_map(|(before, seed)| {
        let mut after = before.clone();
        let mut random = seed | 1;
        let mut roll = |sides: u64| {
            random ^= random << 13;
            random ^= random >> 7;
            random ^= random << 17;
            random % sides
        };
        after.links.retain(|_| roll(8) > 0);
        for (kind, count) in &mut after.nodes {
            match roll(6) {
                0 => *count = roll(4) as u32,
                1 if roll(3) == 0 => *kind = Kind::CFunction,
                _ => {}
            }
        }
        (before, after)
    })
}

fn snapshot(graph: &Graph) -> Snapshot {
    Snapshot::new(graph.heap(0..graph.links.len()))
}

proptest! {
    #[test]
    fn a_difference_is_that_of_the_sets((before, after) in later()) {
        let (a, b) = (snapshot(&before), snapshot(&after));
        let (in_a, in_b) = (members(&a), members(&b));
        let (up, down) = (increase(&a, &b).unwrap(), decrease(&a, &b).unwrap());
        let (rows, marks) = expected(&in_b, &in_a, false);
        prop_assert_eq!(members(&up), rows);
        prop_assert_eq!(up.len().unwrap(), marks.len());
        prop_assert_eq!(changes(&up), marks);
        let (rows, marks) = expected(&in_a, &in_b, true);
        prop_assert_eq!(members(&down), rows);
        prop_assert_eq!(changes(&down), marks);
    }

    #[test]
    fn differences_are_compared_by_their_rows((before, after) in later(), (third, _) in later()) {
        let snapshots = [snapshot(&before), snapshot(&after), snapshot(&third)];
        let up = increase(&snapshots[0], &snapshots[1]).unwrap();
        let down = decrease(&snapshots[0], &snapshots[2]).unwrap();
        for (a, b) in [(&up, &snapshots[2]), (&snapshots[2], &up), (&up, &down), (&down, &up)] {
            let (in_a, in_b) = (members(a), members(b));
            let more = increase(a, b).unwrap();
            prop_assert_eq!(members(&more), expected(&in_b, &in_a, false).0);
            let less = decrease(a, b).unwrap();
            prop_assert_eq!(members(&less), expected(&in_a, &in_b, true).0);
        }
    }

    #[test]
    fn a_difference_has_its_rows_and_what_holds_them((before, after) in later()) {
        let up = increase(&snapshot(&before), &snapshot(&after)).unwrap();
        let tree = up.tree().unwrap();
        prop_assert_eq!(tree.len() + 1, up.objects().unwrap().node_count().max(1));
        prop_assert_eq!(ShortestPathTree::new(up.objects().unwrap()).unwrap().len(), tree.len());
        for rank in tree.ranks() {
            let leaf = tree.children(rank).len() == 0;
            prop_assert!(!leaf || up.is_member(tree.node(rank)));
        }
    }
}

#[test]
fn what_was_freed_differs_by_nothing() {
    let mut builder = HeapBuilder::new();
    let (root, _) = builder.node(Kind::Table, address(1)).unwrap();
    let label = luasnap_heap::Label::Index(1);
    builder
        .edge(
            luasnap_heap::NodeId::ROOT,
            root,
            label,
            luasnap_heap::Strength::Strong,
        )
        .unwrap();
    let whole = Snapshot::new(builder.finish().unwrap());
    let freed = Snapshot::empty();
    for (a, b) in [(&whole, &freed), (&freed, &whole), (&freed, &freed)] {
        assert!(increase(a, b).unwrap().is_empty().unwrap());
        assert!(decrease(a, b).unwrap().is_empty().unwrap());
    }
    assert!(increase(&whole, &whole).unwrap().is_empty().unwrap());
    assert_eq!(whole.tree().unwrap().parent(Rank::ROOT), None);
}

#[test]
fn what_was_garbage_before_is_new_to_people() {
    use luasnap_heap::{Label, NodeId, Strength};
    let snapshot = |is_held: bool| {
        let mut builder = HeapBuilder::new();
        let (globals, _) = builder.node(Kind::Table, address(1)).unwrap();
        let (table, _) = builder.node(Kind::Table, address(2)).unwrap();
        let root = Label::Root(builder.name(b"_G").unwrap());
        let field = Label::Field(builder.name(b"back").unwrap());
        let strong = Strength::Strong;
        builder.edge(NodeId::ROOT, globals, root, strong).unwrap();
        if is_held {
            builder.edge(globals, table, field, strong).unwrap();
        }
        Snapshot::new(builder.finish().unwrap())
    };
    let (before, after) = (snapshot(false), snapshot(true));
    assert_eq!(before.len(), Ok(1));
    let new = BTreeMap::from([((address(2), Kind::Table), Change::New)]);
    assert_eq!(changes(&increase(&before, &after).unwrap()), new);
    let gone = BTreeMap::from([((address(2), Kind::Table), Change::Gone)]);
    assert_eq!(changes(&decrease(&after, &before).unwrap()), gone);
    assert!(decrease(&before, &after).unwrap().is_empty().unwrap());
}

#[test]
fn a_difference_counts_what_it_keeps_until_it_is_grouped() {
    let snapshot = |tables: u64| {
        use luasnap_heap::{Label, NodeId, Strength};
        let mut builder = HeapBuilder::new();
        let (globals, _) = builder.node(Kind::Table, 0x10).unwrap();
        let root = Label::Root(builder.name(b"_G").unwrap());
        builder
            .edge(NodeId::ROOT, globals, root, Strength::Strong)
            .unwrap();
        for at in 1..=tables {
            let (table, _) = builder.node(Kind::Table, 0x1000 + 16 * at).unwrap();
            builder
                .edge(globals, table, Label::Index(at as i64), Strength::Strong)
                .unwrap();
        }
        Snapshot::new(builder.finish().unwrap())
    };
    let (before, after) = (snapshot(10_000), snapshot(10_001));
    let more = increase(&before, &after).unwrap();
    let (alone, kept) = (more.memory(), after.memory());
    drop((before, after));
    // Nobody else has it any more.
    assert!(more.memory() >= alone + kept, "{}", more.memory());
    let groups = more.changed_groups().unwrap().unwrap();
    assert_eq!(groups.groups().groups()[0].count, 1);
    assert!(more.memory() < kept / 10, "{} of {kept}", more.memory());
}
