//! Retainers of an object, against a look at every reference.

use crate::graph::graph;
use luasnap_heap::{
    Heap, HeapBuilder, Kind, Label, NodeId, Reach, Strength, Through, references_to_itself,
    retainers_of,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, HashSet};

proptest! {
    #[test]
    fn holders_are_what_refers_to_it(
        graph in graph(20, true),
        targets in prop::collection::hash_set(1..20usize, 0..4),
    ) {
        let heap = graph.heap(0..graph.links.len());
        let targets: HashSet<usize> = targets.into_iter().filter(|t| *t <= graph.nodes.len()).collect();
        let reached = graph.reached();
        let mut expected = BTreeMap::new();
        for (at, link) in graph.links.iter().enumerate() {
            let holds = graph.holds(link, &reached) && targets.contains(&link.target);
            if holds && !targets.contains(&link.source) {
                expected.entry(link.source).or_insert((at, 0)).1 += 1;
            }
        }
        let reach = Reach::new(&heap, Through::Everything).unwrap();
        let wanted: Vec<NodeId> = targets.iter().map(|node| NodeId(*node as u32)).collect();
        let found = retainers_of(&heap, &reach, &wanted).unwrap();
        prop_assert!(found.is_sorted_by(|a, b| a.references >= b.references));
        for retainer in &found {
            prop_assert!(heap.edge_range(retainer.node).contains(&retainer.edge));
            prop_assert!(wanted.contains(&heap.target(retainer.edge)));
        }
        // GC roots are one retainer for each name.
        let mut by_node: BTreeMap<usize, u32> = BTreeMap::new();
        for retainer in &found {
            *by_node.entry(retainer.node.index()).or_default() += retainer.references;
        }
        let expected: BTreeMap<usize, u32> =
            expected.into_iter().map(|(node, (_, count))| (node, count)).collect();
        prop_assert_eq!(by_node, expected);
    }

    #[test]
    fn upvalues_change_nothing(
        graph in graph(20, true),
        targets in prop::collection::hash_set(1..20usize, 0..4),
    ) {
        let targets: Vec<NodeId> = targets.into_iter()
            .filter(|target| *target <= graph.nodes.len())
            .map(|target| NodeId(target as u32))
            .collect();
        let retainers = |heap: &Heap| {
            let reach = Reach::new(heap, Through::Everything).unwrap();
            let found = retainers_of(heap, &reach, &targets).unwrap();
            let named = found.iter().map(|of| (of.node, of.references));
            let itself = heap.nodes().take(graph.nodes.len() + 1);
            let itself = itself.filter(|node| reach.contains(*node));
            let itself: Vec<_> = itself
                .map(|node| references_to_itself(heap, &reach, node).count())
                .collect();
            (named.collect::<HashSet<_>>(), itself)
        };
        let direct = graph.heap(0..graph.links.len());
        prop_assert_eq!(retainers(&direct), retainers(&graph.heap_with_upvalues()));
    }
}

/// Builds `_G` with two functions that share an upvalue, and this in it.
fn shared_upvalue(builder: &mut HeapBuilder) -> [NodeId; 4] {
    let mut node = |kind, at: u64| builder.node(kind, 16 * at).unwrap().0;
    let globals = node(Kind::Table, 1);
    let [get, set] = [2, 3].map(|at| node(Kind::LuaFunction, at));
    let (upvalue, value) = (node(Kind::Upvalue, 4), node(Kind::Table, 5));
    let name = builder.name(b"_G").unwrap();
    for (from, to, label) in [
        (NodeId::ROOT, globals, Label::Root(name)),
        (globals, get, Label::Index(1)),
        (globals, set, Label::Index(2)),
        (get, upvalue, Label::Upvalue(name)),
        (set, upvalue, Label::Upvalue(name)),
        (upvalue, value, Label::Value),
        (value, value, Label::Index(7)),
    ] {
        builder.edge(from, to, label, Strength::Strong).unwrap();
    }
    [get, set, upvalue, value]
}

#[test]
fn each_function_that_has_a_variable_is_a_retainer_of_its_value() {
    let mut builder = HeapBuilder::new();
    let [get, set, upvalue, value] = shared_upvalue(&mut builder);
    let heap = builder.finish().unwrap();
    let reach = Reach::new(&heap, Through::Everything).unwrap();
    let retainers = |target| {
        let found = retainers_of(&heap, &reach, &[target]).unwrap();
        found.iter().map(|of| of.node).collect::<Vec<_>>()
    };
    assert_eq!(retainers(value), [get, set]);
    assert_eq!(retainers(upvalue), [get, set]);
    let itself: Vec<_> = references_to_itself(&heap, &reach, value).collect();
    assert_eq!(itself.len(), 1);
    assert_eq!(heap.label(itself[0]), Label::Index(7));
}

#[test]
fn gc_roots_are_a_retainer_for_each_name() {
    let mut builder = HeapBuilder::new();
    let [fixed, running] = [&b"[fixed]"[..], b"[running]"].map(|name| builder.name(name).unwrap());
    let strings: Vec<NodeId> = (1..=3)
        .map(|at| builder.node(Kind::String, 16 * at).unwrap().0)
        .collect();
    for (string, name) in [(0, fixed), (1, running), (2, fixed)] {
        let root = Label::Root(name);
        builder
            .edge(NodeId::ROOT, strings[string], root, Strength::Strong)
            .unwrap();
    }
    let heap = builder.finish().unwrap();
    let reach = Reach::new(&heap, Through::Everything).unwrap();
    let found = retainers_of(&heap, &reach, &strings).unwrap();
    let found: Vec<_> = found
        .iter()
        .map(|of| (of.node, heap.label(of.edge), of.references))
        .collect();
    assert_eq!(
        found,
        [
            (NodeId::ROOT, Label::Root(fixed), 2),
            (NodeId::ROOT, Label::Root(running), 1)
        ]
    );
}
