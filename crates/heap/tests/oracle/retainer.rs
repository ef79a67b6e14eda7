//! Retainers of an object, against a look at every reference.

use crate::graph::graph;
use luasnap_heap::{NodeId, Reach, Through, retainers_of};
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
        let found: BTreeMap<usize, u32> =
            found.iter().map(|retainer| (retainer.node.index(), retainer.references)).collect();
        let expected: BTreeMap<usize, u32> =
            expected.into_iter().map(|(node, (_, count))| (node, count)).collect();
        prop_assert_eq!(found, expected);
    }
}
