//! The children of dominator-tree nodes, against a look at every immediate dominator.

use crate::everything::everything;
use luasnap_heap::{
    DominatorChildren, Dominators, Kind, NodeId, RankIndex, ShortestPathTree, Snapshot,
    SubtreeGrowth, Tally,
};
use proptest::prelude::*;
use std::cmp::Reverse;
use std::collections::HashMap;

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1000))]

    #[test]
    fn children_are_what_one_dominates_immediately(
        graph in everything(60),
        groups in prop::collection::vec(prop::option::weighted(0.8, 0..3usize), 60),
    ) {
        let heap = graph.heap();
        let dominators = Dominators::new(&heap).unwrap();
        let group_of = |node: NodeId| groups[node.index() % groups.len()];
        let ranks = RankIndex::new(&heap, &ShortestPathTree::new(&heap).unwrap()).unwrap();
        let children = DominatorChildren::new(&heap, &dominators, &ranks, group_of).unwrap();
        let key = |node: &NodeId| (Reverse(dominators.retained(*node).bytes), ranks.rank(*node));
        let bytes = |node: &NodeId| dominators.retained(*node).bytes;
        for node in heap.nodes() {
            let mut expected: Vec<NodeId> = heap
                .nodes()
                .filter(|child| dominators.immediate(*child) == Some(node))
                .collect();
            let rest = children.rest(&dominators, node);
            let folds = children.folds(&dominators, node);
            let mut found = rest.to_vec();
            for fold in folds.clone() {
                found.extend(children.members(fold));
            }
            expected.sort_unstable();
            found.sort_unstable();
            prop_assert_eq!(&found, &expected);

            // What is of one group and many is in a fold, and nothing else is.
            let mut counts: HashMap<usize, usize> = HashMap::new();
            for group in expected.iter().filter_map(|child| group_of(*child)) {
                *counts.entry(group).or_default() += 1;
            }
            counts.retain(|_, count| *count >= DominatorChildren::MANY);
            let folded: HashMap<usize, usize> = folds
                .clone()
                .map(|fold| (children.fold(fold).group, children.members(fold).len()))
                .collect();
            prop_assert_eq!(folded, counts);

            // The largest come first.
            prop_assert!(rest.is_sorted_by_key(key));
            let of_fold = |fold: &usize| children.fold(*fold).retained.bytes;
            prop_assert!(folds.clone().collect::<Vec<_>>().is_sorted_by(|a, b| of_fold(a) >= of_fold(b)));
            for fold in folds {
                let members = children.members(fold);
                prop_assert!(members.is_sorted_by_key(key));
                let mut sum = Tally::default();
                for member in members {
                    prop_assert_eq!(group_of(*member), Some(children.fold(fold).group));
                    sum.count += dominators.retained(*member).count;
                    sum.bytes += bytes(member);
                }
                prop_assert_eq!(children.fold(fold).retained, sum);
                prop_assert_eq!(children.fold(fold).count as usize, members.len());
                let shallow: u64 = members.iter().map(|member| heap.size(*member)).sum();
                prop_assert_eq!(children.fold(fold).shallow, shallow);
            }
        }
    }

    #[test]
    fn a_rank_index_is_the_ranks(graph in everything(40)) {
        let heap = graph.heap();
        let tree = ShortestPathTree::new(&heap).unwrap();
        let index = RankIndex::new(&heap, &tree).unwrap();
        let nodes: Vec<NodeId> = heap.nodes().collect();
        let ranks: Vec<_> = nodes.iter().map(|node| index.rank(*node)).collect();
        prop_assert_eq!(ranks, tree.ranks_of(&nodes).unwrap());
        prop_assert_eq!(index.rank(NodeId(nodes.len() as u32)), None);
    }

    #[test]
    fn what_came_below_a_node_is_the_sum_of_what_came(graph in everything(30), kept in 1..30usize) {
        // The older one has the first of the nodes, and what links them.
        let mut older = graph.clone();
        older.things.truncate(kept.min(graph.things.len()));
        let count = older.things.len();
        older.links.retain(|link| link.source <= count && link.target <= count && link.key <= count);
        let (newer, older) = (Snapshot::new(graph.heap()), Snapshot::new(older.heap()));
        let growth = SubtreeGrowth::new(&newer, &older).unwrap();
        let (heap, dominators) = (newer.everything(), newer.dominators().unwrap());
        for node in heap.nodes() {
            let below = heap.nodes().filter(|below| dominators.dominates(node, *below));
            // The module's own snapshots are nobody's.
            let is_new = |below: &NodeId| below.index() > count && heap.kind(*below) != Kind::Snapshot;
            let came = below.filter(is_new).map(|below| heap.size(below));
            prop_assert_eq!(growth.below(&newer, node).unwrap(), came.sum::<u64>());
        }
    }
}
