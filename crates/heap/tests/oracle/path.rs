//! Shortest paths against naive methods, and on shapes that break careless ones.

use crate::graph::{Graph, graph, path, rows};
use luasnap_heap::{
    Heap, HeapBuilder, Kind, Label, NodeId, ShortestPathTree, Snapshot, Strength, Visit,
};
use proptest::prelude::*;

fn tree_of(graph: &Graph) -> (Heap, ShortestPathTree) {
    let heap = graph.heap(0..graph.links.len());
    let tree = ShortestPathTree::new(&heap).unwrap();
    (heap, tree)
}

proptest! {
    #[test]
    fn reached_and_counted_is_what_holds(graph in graph(30, true)) {
        let (_, tree) = tree_of(&graph);
        let reached = graph.reached();
        for node in 1..reached.len() {
            let expected = graph
                .links
                .iter()
                .filter(|link| link.target == node && graph.holds(link, &reached))
                .count();
            prop_assert_eq!(tree.refs(NodeId(node as u32)) as usize, expected);
        }
        prop_assert_eq!(tree.len(), reached[1..].iter().filter(|reached| **reached).count());
    }

    #[test]
    fn ranks_of_a_few_are_found(graph in graph(30, true), wanted in prop::collection::vec(1..30u32, 0..9)) {
        let (_, tree) = tree_of(&graph);
        let wanted: Vec<NodeId> = wanted.into_iter().map(NodeId).collect();
        let ranks = tree.ranks_of(&wanted).unwrap();
        for (node, rank) in wanted.into_iter().zip(ranks) {
            prop_assert_eq!(rank, tree.ranks().find(|rank| tree.node(*rank) == node));
        }
    }

    #[test]
    fn paths_have_the_fewest_weak_steps_and_are_shortest_among_these(graph in graph(30, false)) {
        let (heap, tree) = tree_of(&graph);
        let distances = graph.distances();
        for rank in tree.ranks() {
            let steps = path(&heap, &tree, rank).len() as u32 - 1;
            let upward = std::iter::successors(Some(rank), |rank| tree.parent(*rank));
            // The tree's root is no step, whatever it is.
            let links = upward.filter(|rank| tree.parent(*rank).is_some()).map(|rank| tree.edge(rank));
            let weak = links.map(|edge| graph.weight(link_of(&graph, edge))).sum::<u32>();
            prop_assert_eq!(Some((weak, steps)), distances[tree.node(rank).index()]);
        }
    }

    #[test]
    fn no_path_rests_on_itself(graph in graph(30, true)) {
        let (_, tree) = tree_of(&graph);
        // Without everything that depends on the value, the key must still be alive.
        for rank in tree.ranks() {
            let link = link_of(&graph, tree.edge(rank));
            if link.has_key() {
                let mut without = graph.clone();
                without.links.retain(|other| {
                    other.source != link.target && !(other.has_key() && other.key == link.target)
                });
                prop_assert!(link.key != link.target && without.reached()[link.key]);
            }
        }
    }

    #[test]
    fn the_tree_hangs_together(graph in graph(30, true)) {
        let (heap, tree) = tree_of(&graph);
        let distances = graph.distances();
        let mut seen = Vec::new();
        let mut open = Vec::new();
        for visit in tree.walk() {
            match visit {
                Visit::Enter { rank, depth } => {
                    prop_assert_eq!(open.len() as u32, depth);
                    prop_assert_eq!(open.last().copied(), tree.parent(rank));
                    prop_assert!(distances[tree.node(rank).index()].is_some());
                    prop_assert_eq!(heap.target(tree.edge(rank)), tree.node(rank));
                    let source = link_of(&graph, tree.edge(rank)).source as u32;
                    let parent = tree.parent(rank).map(|parent| tree.node(parent).0);
                    prop_assert!(source == 0 && depth <= 1 || Some(source) == parent);
                    open.push(rank);
                    seen.push(rank);
                }
                Visit::Leave { rank, depth } => {
                    prop_assert_eq!(open.pop(), Some(rank));
                    prop_assert_eq!(open.len() as u32, depth);
                }
            }
        }
        prop_assert!(open.is_empty());
        seen.sort();
        prop_assert_eq!(seen, tree.ranks().collect::<Vec<_>>());
    }

    #[test]
    fn the_order_of_coming_does_not_matter(
        (graph, order) in graph(20, true).prop_flat_map(|graph| {
            // One root is added to the links below.
            let order: Vec<usize> = (0..=graph.links.len()).collect();
            (Just(graph), Just(order).prop_shuffle())
        })
    ) {
        // Two entries of one table have different keys, and roots come in a given order.
        let mut graph = graph;
        let mut keys = std::collections::HashSet::new();
        graph.links.retain(|link| {
            link.source != 0
                && (link.strength != Strength::Ephemeron || keys.insert((link.source, link.key)))
        });
        graph.links.insert(0, crate::graph::Link {
            source: 0, target: 1, strength: Strength::Strong, sort: 1, key: 1,
        });
        let (heap, tree) = tree_of(&graph);
        let shuffled = order.into_iter().filter(|at| *at < graph.links.len());
        let other = graph.heap(shuffled);
        prop_assert_eq!(other.edge_count(), heap.edge_count());
        let other_tree = ShortestPathTree::new(&other).unwrap();
        prop_assert_eq!(rows(&heap, &tree), rows(&other, &other_tree));
        for node in heap.nodes() {
            prop_assert_eq!(tree.refs(node), other_tree.refs(node));
        }
    }
}

/// Returns the link that became an edge: edges are grouped by source and keep their order.
fn link_of(graph: &Graph, edge: usize) -> &crate::graph::Link {
    let mut links: Vec<_> = graph.links.iter().collect();
    links.sort_by_key(|link| link.source);
    links[edge]
}

/// Returns a heap whose first table is the GC root `root`.
fn rooted() -> (HeapBuilder, NodeId) {
    let mut builder = HeapBuilder::new();
    let (root, _) = builder.node(Kind::Table, 0x10).unwrap();
    let name = builder.name(b"root").unwrap();
    builder
        .edge(NodeId::ROOT, root, Label::Root(name), Strength::Strong)
        .unwrap();
    (builder, root)
}

#[test]
fn a_path_through_ten_million_tables() {
    const LENGTH: u64 = 10_000_000;
    let (mut builder, mut last) = rooted();
    let next = builder.name(b"next").unwrap();
    for at in 1..LENGTH {
        let (node, _) = builder.node(Kind::Table, 0x10 + 64 * at).unwrap();
        builder
            .edge(last, node, Label::Field(next), Strength::Strong)
            .unwrap();
        last = node;
    }
    let tree = ShortestPathTree::new(&builder.finish().unwrap()).unwrap();
    assert_eq!(tree.len() as u64, LENGTH);
    let deepest = tree.walk().map(|visit| match visit {
        Visit::Enter { depth, .. } | Visit::Leave { depth, .. } => depth,
    });
    assert_eq!(u64::from(deepest.max().unwrap()), LENGTH - 1);
}

#[test]
fn a_chain_of_ephemerons_each_waiting_for_the_next() {
    const LENGTH: u32 = 200_000;
    let (mut builder, root) = rooted();
    let mut add = |at: u32| {
        builder
            .node(Kind::Table, 0x100 + 16 * u64::from(at))
            .unwrap()
            .0
    };
    let nodes: Vec<NodeId> = (0..LENGTH).map(&mut add).collect();
    // Node n is the key of node n + 1, and the last entries come first.
    for pair in nodes.windows(2).rev() {
        builder
            .edge(root, pair[1], Label::Object(pair[0]), Strength::Ephemeron)
            .unwrap();
    }
    builder
        .edge(root, nodes[0], Label::Index(1), Strength::Strong)
        .unwrap();
    let tree = ShortestPathTree::new(&builder.finish().unwrap()).unwrap();
    assert_eq!(tree.len() as u32, LENGTH + 1);
    let order: Vec<NodeId> = tree.ranks().skip(1).map(|rank| tree.node(rank)).collect();
    assert_eq!(order, nodes);
}

#[test]
fn other_roots_hang_below_the_first() {
    let (mut builder, registry) = rooted();
    let (thread, _) = builder.node(Kind::Thread, 0x20).unwrap();
    let (strings, _) = builder.node(Kind::Table, 0x30).unwrap();
    let mainthread = builder.name(b"[mainthread]").unwrap();
    let metatable = builder.name(b"[metatable:string]").unwrap();
    builder
        .edge(
            NodeId::ROOT,
            thread,
            Label::Root(mainthread),
            Strength::Strong,
        )
        .unwrap();
    builder
        .edge(
            NodeId::ROOT,
            strings,
            Label::Root(metatable),
            Strength::Strong,
        )
        .unwrap();
    builder
        .edge(registry, thread, Label::Index(1), Strength::Strong)
        .unwrap();
    builder
        .edge(thread, strings, Label::Index(1), Strength::Strong)
        .unwrap();
    let heap = builder.finish().unwrap();
    let tree = ShortestPathTree::new(&heap).unwrap();
    let expected = [
        (0x10, 0, "root".to_owned()),
        (0x20, 1, "Index(1)".to_owned()),
        (0x30, 1, "[metatable:string]".to_owned()),
    ];
    assert_eq!(rows(&heap, &tree), expected);
    assert_eq!(
        [registry, thread, strings].map(|node| tree.refs(node)),
        [1, 2, 2]
    );
}

#[test]
fn a_key_that_only_its_own_value_holds_is_dead() {
    let (mut builder, root) = rooted();
    let (key, _) = builder.node(Kind::Table, 0x20).unwrap();
    let (value, _) = builder.node(Kind::Table, 0x30).unwrap();
    builder
        .edge(root, key, Label::Key, Strength::WeakKey)
        .unwrap();
    builder
        .edge(root, value, Label::Object(key), Strength::Ephemeron)
        .unwrap();
    builder
        .edge(value, key, Label::Index(1), Strength::Strong)
        .unwrap();
    let tree = ShortestPathTree::new(&builder.finish().unwrap()).unwrap();
    assert_eq!(tree.len(), 1);
    assert_eq!([root, key, value].map(|node| tree.refs(node)), [1, 0, 0]);
}

#[test]
fn nothing_at_all() {
    for heap in [Heap::default(), HeapBuilder::new().finish().unwrap()] {
        let tree = ShortestPathTree::new(&heap).unwrap();
        assert!(tree.is_empty());
        assert_eq!(tree.walk().count(), 0);
        assert_eq!(Snapshot::new(heap).len(), Ok(0));
    }
}

#[test]
fn a_star_of_a_million_names_in_any_order() {
    let (mut builder, root) = rooted();
    for at in 0..1_000_000u64 {
        let (node, _) = builder.node(Kind::Table, 0x100 + 16 * at).unwrap();
        let name = builder
            .name(format!("key{:07}", at * 7919 % 1_000_000).as_bytes())
            .unwrap();
        builder
            .edge(root, node, Label::Field(name), Strength::Strong)
            .unwrap();
    }
    let heap = builder.finish().unwrap();
    let tree = ShortestPathTree::new(&heap).unwrap();
    let name = |rank| match heap.label(tree.edge(rank)) {
        Label::Field(name) => heap.name(name),
        _ => unreachable!(),
    };
    assert!(
        tree.children(luasnap_heap::Rank::ROOT)
            .map(name)
            .is_sorted()
    );
    assert_eq!(tree.len(), 1_000_001);
}
