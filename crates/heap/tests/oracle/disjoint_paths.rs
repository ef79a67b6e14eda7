//! Disjoint paths against the smallest set of objects that cuts all paths: there are as many paths
//! as objects in this set (Menger).

use crate::graph::{Graph, Link, graph};
use luasnap_heap::{
    Heap, HeapBuilder, Kind, Label, NodeId, Provenance, Reach, Strength, Through, disjoint_paths,
};
use proptest::prelude::*;
use std::collections::HashSet;

/// Returns the size of the smallest cut: objects in between, and references from a start straight
/// to the target.
fn smallest_cut(graph: &Graph, starts: &[usize], target: usize) -> usize {
    let reached = graph.reached();
    let holding = |link: &&Link| graph.holds(link, &reached);
    let links: Vec<_> = graph.links.iter().filter(holding).collect();
    let count = graph.nodes.len() + 1;
    let direct = links
        .iter()
        .filter(|link| starts.contains(&link.source) && link.target == target)
        .count();
    let is_cut = |cut: u32| {
        let mut seen: HashSet<usize> = starts.iter().copied().collect();
        loop {
            let before = seen.len();
            for link in &links {
                let is_direct = starts.contains(&link.source) && link.target == target;
                let is_open = cut >> link.target & 1 == 0 && !is_direct;
                if seen.contains(&link.source) && is_open {
                    seen.insert(link.target);
                }
            }
            if seen.len() == before {
                return !seen.contains(&target);
            }
        }
    };
    (0..1u32 << count)
        .filter(|cut| cut >> target & 1 == 0 && starts.iter().all(|start| cut >> start & 1 == 0))
        .filter(|cut| is_cut(*cut))
        .map(|cut| cut.count_ones() as usize)
        .min()
        .unwrap()
        + direct
}

/// Follows a path, and returns the objects on it without the target.
fn between(heap: &Heap, start: NodeId, edges: &[u32]) -> Vec<NodeId> {
    let mut at = start;
    let mut objects = Vec::new();
    for &edge in edges {
        assert!(heap.edge_range(at).contains(&(edge as usize)));
        at = heap.target(edge as usize);
        objects.push(at);
    }
    objects.pop();
    objects
}

proptest! {
    #[test]
    fn there_are_as_many_as_a_cut_needs(
        graph in graph(8, true),
        shared in prop::collection::vec(1..8usize, 0..2),
        target in 1..8usize,
    ) {
        let heap = graph.heap(0..graph.links.len());
        let (target, reached) = (target.min(graph.nodes.len()), graph.reached());
        let shared: Vec<usize> = shared.into_iter()
            .filter(|node| *node <= graph.nodes.len() && reached[*node] && *node != target)
            .collect();
        let starts: Vec<usize> = std::iter::once(0).chain(shared).collect();
        let nodes: Vec<NodeId> = starts.iter().map(|node| NodeId(*node as u32)).collect();
        let reach = Reach::new(&heap, Through::Everything).unwrap();
        let paths = disjoint_paths(&heap, &reach, &nodes, NodeId(target as u32), 100).unwrap();
        let expected = if reached[target] { smallest_cut(&graph, &starts, target) } else { 0 };
        prop_assert_eq!(paths.len(), expected);
        let mut seen = HashSet::new();
        let mut last = HashSet::new();
        for path in &paths {
            prop_assert!(nodes.contains(&path.start));
            prop_assert_eq!(
                heap.target(*path.edges.last().unwrap() as usize),
                NodeId(target as u32)
            );
            prop_assert!(last.insert(*path.edges.last().unwrap()));
            for node in between(&heap, path.start, &path.edges) {
                prop_assert!(seen.insert(node), "two paths share an object");
                prop_assert!(!nodes.contains(&node));
            }
        }
        prop_assert!(paths.is_sorted_by_key(|path| path.edges.len()));
    }
}

proptest! {
    /// Functions that share an upvalue have to be cut one by one, as if each had the value itself.
    #[test]
    fn upvalues_are_no_places_of_their_own(graph in graph(12, true), target in 1..12usize) {
        let target = NodeId(target.min(graph.nodes.len()) as u32);
        let count = |heap: &Heap| {
            let reach = Reach::new(heap, Through::Everything).unwrap();
            let paths = disjoint_paths(heap, &reach, &[NodeId::ROOT], target, 100).unwrap();
            for path in &paths {
                between(heap, path.start, &path.edges);
            }
            paths.len()
        };
        let direct = graph.heap(0..graph.links.len());
        prop_assert_eq!(count(&direct), count(&graph.heap_with_upvalues()));
    }
}

#[test]
fn taking_the_shortest_first_would_find_only_one() {
    // a and b lead to the target through c and d; the shortest path crosses from a to d.
    let mut builder = HeapBuilder::new();
    let mut node = |at: u64| builder.node(Kind::Table, 16 * at).unwrap().0;
    let [a, b, c1, c2, d1, d2, target] = [1, 2, 3, 4, 5, 6, 7].map(&mut node);
    let mut link = |from, to| {
        builder
            .edge(from, to, Label::Key, Strength::Strong)
            .unwrap();
    };
    for (from, to) in [
        (NodeId::ROOT, a),
        (NodeId::ROOT, b),
        (a, d2),
        (d2, target),
        (a, c1),
        (c1, c2),
        (c2, target),
        (b, d1),
        (d1, d2),
    ] {
        link(from, to);
    }
    let heap = builder.finish_reached(Provenance::default()).unwrap();
    let reach = Reach::new(&heap, Through::Everything).unwrap();
    let paths = disjoint_paths(&heap, &reach, &[NodeId::ROOT], target, 9).unwrap();
    let lengths: Vec<usize> = paths.iter().map(|path| path.edges.len()).collect();
    assert_eq!(lengths, [4, 4]);
    let one = disjoint_paths(&heap, &reach, &[NodeId::ROOT], target, 1).unwrap();
    assert_eq!(one[0].edges.len(), 3);
}

#[test]
fn a_path_of_a_million_steps_is_no_trouble() {
    let mut builder = HeapBuilder::new();
    let mut before = NodeId::ROOT;
    for at in 1..=1_000_000 {
        let node = builder.node(Kind::Table, 16 * at).unwrap().0;
        builder
            .edge(before, node, Label::Key, Strength::Strong)
            .unwrap();
        before = node;
    }
    let heap = builder.finish_reached(Provenance::default()).unwrap();
    let reach = Reach::new(&heap, Through::Everything).unwrap();
    let paths = disjoint_paths(&heap, &reach, &[NodeId::ROOT], before, 9).unwrap();
    assert_eq!(paths.len(), 1);
    assert_eq!(paths[0].edges.len(), 1_000_000);
}
