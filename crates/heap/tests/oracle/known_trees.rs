//! What is stored of a heap's trees, against the trees: whole, and changed by somebody.

use crate::columns::columns;
use crate::everything::everything;
use crate::graph::{graph, path};
use crate::shape;
use luasnap_heap::{Heap, NodeId, Rank, ShortestPathTree, Snapshot, StoredTrees};
use proptest::prelude::*;

/// Returns a heap as it is after storing, and its trees.
fn stored(heap: &Heap) -> (Snapshot, StoredTrees) {
    let found = Snapshot::new(columns(heap).into_heap().unwrap());
    found.everything_tree().unwrap();
    found.dominators().unwrap();
    // The edges of the heap that was built lie in another order.
    let built = Snapshot::new(heap.clone());
    built.everything_tree().unwrap();
    built.dominators().unwrap();
    let trees = StoredTrees::of(&built).unwrap().unwrap();
    assert_eq!(StoredTrees::of(&found).unwrap(), Some(trees.clone()));
    (found, trees)
}

/// Returns a snapshot of the same heap that knows these trees and no others.
fn knowing(found: &Snapshot, trees: StoredTrees) -> Snapshot {
    let known = Snapshot::new(found.everything().clone());
    assert!(!known.knows_trees());
    trees.put_into(&known).unwrap();
    assert!(known.knows_trees());
    known
}

/// Returns the objects of a tree that are among some, in the order of their ranks, each with its path.
fn paths(heap: &Heap, tree: &ShortestPathTree, nodes: &[NodeId]) -> Vec<(NodeId, Vec<String>)> {
    let of = |rank: Rank| (tree.node(rank), path(heap, tree, rank));
    let chosen = tree
        .ranks()
        .filter(|rank| nodes.contains(&tree.node(*rank)));
    chosen.map(of).collect()
}

fn expect_alike(found: &Snapshot, known: &Snapshot, nodes: &[NodeId]) {
    let (heap, tree) = (found.everything(), found.everything_tree().unwrap());
    let part = known.paths_to(nodes).unwrap();
    assert_eq!(paths(heap, &part, nodes), paths(heap, tree, nodes));
    assert_eq!(part.environments(), tree.environments());
    assert_eq!(known.environments().unwrap(), tree.environments());
    let dominators = found.dominators().unwrap();
    let few = known.immediate_dominators().unwrap();
    let retained: Vec<_> = nodes
        .iter()
        .map(|node| dominators.retained(*node))
        .collect();
    assert_eq!(few.retained_by_each(heap, nodes).unwrap(), retained);
    for &node in nodes {
        assert_eq!(few.immediate(node), dominators.immediate(node));
    }
}

proptest! {
    #[test]
    fn a_few_objects_have_the_paths_and_dominators_of_the_trees(
        graph in graph(30, true),
        nodes in prop::collection::vec(1..30u32, 0..9),
    ) {
        let (found, trees) = stored(&graph.heap(0..graph.links.len()));
        let known = knowing(&found, trees);
        let nodes = nodes.into_iter().filter(|node| (*node as usize) < found.everything().node_count());
        expect_alike(&found, &known, &nodes.map(NodeId).collect::<Vec<_>>());
    }

    #[test]
    fn all_objects_have_the_paths_and_dominators_of_the_trees(everything in everything(40)) {
        let (found, trees) = stored(&everything.heap());
        let known = knowing(&found, trees);
        let nodes: Vec<NodeId> = found.everything().nodes().skip(1).collect();
        expect_alike(&found, &known, &nodes);
    }

    /// A forged one may mislead, but nothing reads out of range or goes round in circles.
    #[test]
    fn changed_trees_mislead_at_most(
        everything in everything(30),
        steps in prop::collection::vec(any::<(usize, u8)>(), 0..3),
        dominators in prop::collection::vec((any::<usize>(), 0..32u32), 0..6),
        lengths in (0..3usize, 0..3usize),
    ) {
        let (found, mut trees) = stored(&everything.heap());
        for (at, change) in steps {
            if let Some(len @ 1..) = Some(trees.steps.len()) {
                trees.steps[at % len] ^= change;
            }
        }
        for (at, value) in dominators {
            if let Some(len @ 1..) = Some(trees.dominators.len()) {
                trees.dominators[at % len] = value;
            }
        }
        trees.steps.truncate(trees.steps.len() - lengths.0.saturating_sub(1).min(trees.steps.len()));
        trees.dominators.extend(std::iter::repeat_n(0, lengths.1.saturating_sub(1)));
        let known = Snapshot::new(found.everything().clone());
        if trees.put_into(&known).is_ok() {
            let nodes: Vec<NodeId> = found.everything().nodes().collect();
            let part = known.paths_to(&nodes).unwrap();
            prop_assert!(part.ranks().all(|rank| path(known.everything(), &part, rank).len() <= nodes.len()));
            let few = known.immediate_dominators().unwrap();
            prop_assert_eq!(few.retained_by_each(known.everything(), &nodes).unwrap().len(), nodes.len());
        }
    }
}

/// Whether what is looked at is one object or many, each pass is over the heap once.
#[test]
fn a_list_of_a_million_and_a_star_of_a_million() {
    for heap in [shape::list(1_000_000), shape::star(1_000_000)] {
        let (found, trees) = stored(&heap);
        let known = knowing(&found, trees);
        let heap = found.everything();
        let tree = found.everything_tree().unwrap();
        let last = tree.node(tree.ranks().next_back().unwrap());
        let part = known.paths_to(&[last]).unwrap();
        let [rank] = part.ranks_of(&[last]).unwrap()[..] else {
            panic!("one object");
        };
        let whole = tree.ranks().next_back().unwrap();
        assert_eq!(path(heap, &part, rank.unwrap()), path(heap, tree, whole));
        let few: Vec<NodeId> = (1..600).map(|at| NodeId(at * 1000)).collect();
        let retained = known.immediate_dominators().unwrap();
        let dominators = found.dominators().unwrap();
        let expected: Vec<_> = few.iter().map(|node| dominators.retained(*node)).collect();
        assert_eq!(retained.retained_by_each(heap, &few).unwrap(), expected);
        assert_eq!(known.paths_to(&[NodeId(7)]).unwrap().environments(), []);
    }
}
