//! What is reachable, and the `objects` view, against naive sets.

use crate::everything::{address, everything, listed, provenance};
use luasnap_heap::{
    Heap, HeapBuilder, Kind, Label, NameId, NodeId, Provenance, Reach, RunOrder, ShortestPathTree,
    Snapshot, Strength, SweepBuilder, Through, objects_view,
};
use proptest::prelude::*;
use std::collections::HashSet;

proptest! {
    #[test]
    fn reached_is_what_the_roots_hold(graph in everything(40)) {
        let heap = graph.heap();
        for (through, expected) in [
            (Through::Everything, graph.reached()),
            (Through::Objects, graph.reached_by_objects()),
        ] {
            let reach = Reach::new(&heap, through).unwrap();
            let reached: HashSet<usize> = heap
                .nodes()
                .filter(|node| reach.contains(*node))
                .map(|node| node.index())
                .collect();
            prop_assert_eq!(reach.count(), expected.len() - 1);
            prop_assert_eq!(reached, expected);
        }
    }

    #[test]
    fn the_view_has_the_reachable_objects(graph in everything(40)) {
        let heap = graph.heap();
        let view = objects_view(&heap).unwrap();
        prop_assert_eq!(listed(&view), graph.view());
        let globals = view.globals().map(|node| view.address(node));
        let is_shown = graph.kind(1) == Kind::Table && graph.reached_by_objects().contains(&1);
        prop_assert_eq!(globals, is_shown.then_some(address(1)));
        prop_assert_eq!(&view.provenance().vm, "Lua 5.4");
        // Everything in the view is on some path of the view.
        prop_assert_eq!(ShortestPathTree::new(&view).unwrap().len() + 1, view.node_count());
    }

    #[test]
    fn a_view_is_its_own_view(graph in everything(40)) {
        let view = objects_view(&graph.heap()).unwrap();
        let again = objects_view(&view).unwrap();
        prop_assert_eq!(listed(&again), listed(&view));
        prop_assert_eq!(again.globals(), view.globals());
        prop_assert_eq!(again.edge_count(), view.edge_count());
    }

    #[test]
    fn a_snapshot_shows_the_view(graph in everything(40)) {
        let heap = graph.heap();
        let (columns, view) = (heap.memory(), objects_view(&heap).unwrap());
        let snapshot = Snapshot::new(heap);
        prop_assert_eq!(snapshot.memory(), columns);
        prop_assert_eq!(snapshot.len().unwrap() + 1, view.node_count());
        prop_assert_eq!(listed(snapshot.objects().unwrap()), listed(&view));
        prop_assert_eq!(snapshot.everything().node_count(), graph.things.len() + 1);
        // The names are shared.
        prop_assert!(snapshot.memory() < columns + view.memory());
    }
}

#[test]
fn a_heap_of_objects_is_shown_as_it_is() {
    let mut builder = HeapBuilder::new();
    let (table, _) = builder.node(Kind::Table, 0x10).unwrap();
    builder
        .edge(
            NodeId::ROOT,
            table,
            Label::Root(NameId::EMPTY),
            Strength::Strong,
        )
        .unwrap();
    let snapshot = Snapshot::new(builder.finish_reached(Provenance::default()).unwrap());
    assert!(std::ptr::eq(
        snapshot.objects().unwrap(),
        snapshot.everything()
    ));
    assert_eq!(snapshot.len(), Ok(1));
}

#[test]
fn nothing_has_a_view_of_nothing() {
    let view = objects_view(&Heap::default()).unwrap();
    assert_eq!((view.node_count(), view.edge_count()), (0, 0));
    let reach = Reach::new(&view, Through::Everything).unwrap();
    assert_eq!(reach.count(), 0);
    assert_eq!(Snapshot::empty().len(), Ok(0));
    let rooted = SweepBuilder::default().finish(provenance()).unwrap();
    assert_eq!(objects_view(&rooted).unwrap().node_count(), 1);
}

#[test]
fn our_own_snapshots_are_in_no_view() {
    let mut builder = SweepBuilder::default();
    let mut add = |kind, address| builder.add(kind, address, 40).unwrap().unwrap();
    let table = add(Kind::Table, 0x10);
    let own = add(Kind::Snapshot, 0x20);
    let held_by_it = add(Kind::Table, 0x30);
    let value = add(Kind::Table, 0x40);
    let name = builder.intern(b"t").unwrap();
    builder.begin_edges();
    builder
        .edge(table, Label::Root(name), Strength::Strong)
        .unwrap();
    builder.end_edges(NodeId::ROOT).unwrap();
    builder.begin_edges();
    builder.edge(own, Label::Key, Strength::Strong).unwrap();
    builder
        .edge(value, Label::Object(own), Strength::Strong)
        .unwrap();
    builder.end_edges(table).unwrap();
    builder.begin_edges();
    builder
        .edge(held_by_it, Label::UserValue(1), Strength::Strong)
        .unwrap();
    builder.end_edges(own).unwrap();
    let heap = builder.finish(provenance()).unwrap();
    let view = objects_view(&heap).unwrap();
    let expected = [
        "Root 0 0 0 \"\": 10 Root t Strong,",
        "Table 10 40 0 \"\": 40 Address(Userdata, 32) Strong,",
        "Table 40 40 0 \"\":",
    ];
    assert_eq!(listed(&view), expected);
}

#[test]
fn a_path_of_ten_million_steps_through_upvalues() {
    const CLOSURES: u32 = 5_000_000;
    let mut builder = SweepBuilder::default();
    builder.begin_run(RunOrder::Allocation).unwrap();
    for at in 0..CLOSURES {
        let address = 0x1000 + 64 * u64::from(at);
        builder.add(Kind::LuaFunction, address, 40).unwrap();
        builder.add(Kind::Upvalue, address + 32, 24).unwrap();
    }
    let name = builder.intern(b"next").unwrap();
    let mut edge = |source, target, label| {
        builder.begin_edges();
        builder
            .edge(NodeId(target), label, Strength::Strong)
            .unwrap();
        builder.end_edges(NodeId(source)).unwrap();
    };
    edge(0, 1, Label::Root(name));
    for at in 0..CLOSURES {
        edge(2 * at + 1, 2 * at + 2, Label::Upvalue(name));
        if at + 1 < CLOSURES {
            edge(2 * at + 2, 2 * at + 3, Label::Value);
        }
    }
    let heap = builder.finish(provenance()).unwrap();
    let reach = Reach::new(&heap, Through::Everything).unwrap();
    assert_eq!(reach.count(), 2 * CLOSURES as usize);
    let view = objects_view(&heap).unwrap();
    assert_eq!(view.node_count(), CLOSURES as usize + 1);
    for node in view.nodes().skip(1).take(CLOSURES as usize - 1) {
        let edge = view.edges(node).next().unwrap();
        assert_eq!(
            (edge.target, edge.label),
            (NodeId(node.0 + 1), Label::Upvalue(name))
        );
    }
    assert_eq!(view.edge_count(), CLOSURES as usize);
}
