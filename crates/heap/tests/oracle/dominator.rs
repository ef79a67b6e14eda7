//! Dominators and retained sizes against naive methods, and on shapes that break careless ones.

use crate::everything::{Everything, everything};
use crate::shape::{self, TABLE};
use luasnap_heap::{
    Dominators, Heap, HeapBuilder, Kind, Label, NameId, NodeId, Snapshot, Strength, Tally,
};
use proptest::prelude::*;
use std::collections::HashSet;

fn id(node: usize) -> NodeId {
    NodeId(node as u32)
}

/// Returns what plain links reach without `gone`.
fn reached_by(links: &[(usize, usize)], gone: usize) -> HashSet<usize> {
    let mut reached: HashSet<usize> = HashSet::from([0]);
    reached.remove(&gone);
    loop {
        let before = reached.len();
        for &(source, target) in links {
            if target != gone && reached.contains(&source) {
                reached.insert(target);
            }
        }
        if reached.len() == before {
            return reached;
        }
    }
}

/// Returns the number and the size of the objects among nodes.
fn tally(graph: &Everything, nodes: impl IntoIterator<Item = usize>) -> Tally {
    let mut tally = Tally::default();
    for node in nodes.into_iter().filter(|node| *node != 0) {
        tally.count += 1;
        tally.bytes += graph.things[node - 1].1;
    }
    tally
}

/// Returns what each node dominates, itself included.
fn dominated(graph: &Everything) -> Vec<HashSet<usize>> {
    let (links, reached) = (graph.plain_links(), graph.reached());
    let of = |node| match reached.contains(&node) {
        true => &reached - &reached_by(&links, node),
        false => HashSet::new(),
    };
    (0..=graph.things.len()).map(of).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(3000))]

    #[test]
    fn who_dominates_is_without_whom_the_others_are_gone(graph in everything(24)) {
        let dominators = Dominators::new(&graph.heap()).unwrap();
        let (expected, reached) = (dominated(&graph), graph.reached());
        prop_assert_eq!(dominators.len(), reached.len());
        for (a, below) in expected.iter().enumerate() {
            prop_assert_eq!(dominators.contains(id(a)), reached.contains(&a));
            for b in 0..expected.len() {
                prop_assert_eq!(dominators.dominates(id(a), id(b)), below.contains(&b));
            }
            prop_assert_eq!(dominators.retained(id(a)), tally(&graph, below.iter().copied()));
            // Of the other nodes that dominate it, the nearest is dominated by all others.
            let above = (0..expected.len()).filter(|above| *above != a && expected[*above].contains(&a));
            let nearest = above.min_by_key(|above| expected[*above].len());
            prop_assert_eq!(dominators.immediate(id(a)), nearest.map(id));
        }
    }

    #[test]
    fn places_are_the_preorder_of_the_tree(graph in everything(40)) {
        let dominators = Dominators::new(&graph.heap()).unwrap();
        let mut open = vec![NodeId::ROOT];
        let mut seen = 0;
        while let Some(node) = open.pop() {
            prop_assert_eq!(dominators.place(node), Some(seen));
            prop_assert_eq!(dominators.node_at(seen), node);
            seen += 1;
            let children: Vec<NodeId> = dominators.children(node).collect();
            for child in &children {
                prop_assert_eq!(dominators.immediate(*child), Some(node));
            }
            let below: usize = children.iter().map(|child| dominators.subtree(*child).len()).sum();
            prop_assert_eq!(dominators.subtree(node).len(), below + 1);
            open.extend(children.into_iter().rev());
        }
        prop_assert_eq!(seen as usize, dominators.len());
        for node in (0..=graph.things.len()).map(id) {
            prop_assert_eq!(dominators.subtree(node).is_empty(), !dominators.contains(node));
            prop_assert!(dominators.contains(node) || dominators.children(node).next().is_none());
        }
    }

    #[test]
    fn what_a_set_retains_is_what_goes_with_it(
        (graph, members) in everything(30).prop_flat_map(|graph| {
            let nodes = 0..=graph.things.len();
            let members = prop::collection::vec(nodes, 0..6);
            (Just(graph), members)
        })
    ) {
        let heap = graph.heap();
        let dominators = Dominators::new(&heap).unwrap();
        let left = graph.reached_without(&members.iter().copied().collect());
        let expected = tally(&graph, &graph.reached() - &left);
        let members: Vec<NodeId> = members.into_iter().map(id).collect();
        prop_assert_eq!(dominators.retained_by(&heap, &members), Ok(expected));

        let least = dominators.retained_at_least(members.iter().copied()).unwrap();
        prop_assert!(least.count <= expected.count && least.bytes <= expected.bytes);
        let below = |node: &NodeId| {
            let alone = members.iter().any(|member| dominators.dominates(*member, *node));
            alone.then_some(node.index())
        };
        let alone = (0..=graph.things.len()).map(id).filter_map(|node| below(&node));
        prop_assert_eq!(least, tally(&graph, alone));
    }

    #[test]
    fn what_each_of_many_sets_retains_is_found_at_once(
        (graph, sets) in everything(30).prop_flat_map(|graph| {
            let nodes = 0..=graph.things.len();
            let sets = prop::collection::vec(prop::collection::vec(nodes, 0..6), 0..70);
            (Just(graph), sets)
        })
    ) {
        let heap = graph.heap();
        let dominators = Dominators::new(&heap).unwrap();
        let retained = |set: &Vec<usize>| {
            let left = graph.reached_without(&set.iter().copied().collect());
            tally(&graph, &graph.reached() - &left)
        };
        let expected: Vec<Tally> = sets.iter().map(retained).collect();
        let sets: Vec<Vec<NodeId>> =
            sets.into_iter().map(|set| set.into_iter().map(id).collect()).collect();
        let sets: Vec<&[NodeId]> = sets.iter().map(Vec::as_slice).collect();
        prop_assert_eq!(dominators.retained_by_each(&heap, &sets), Ok(expected));
    }
}

/// Makes tables numbered from 1, and references to nodes with their strengths and keys.
fn tables(count: u32, links: &[(u32, u32, Strength, Option<u32>)]) -> Heap {
    let mut builder = HeapBuilder::new();
    for at in 1..=count {
        let (node, _) = builder.node(Kind::Table, 16 * u64::from(at)).unwrap();
        builder.set_size(node, TABLE);
    }
    for &(source, target, strength, key) in links {
        let label = key.map_or(Label::Field(NameId::EMPTY), |key| {
            Label::Object(NodeId(key))
        });
        builder
            .edge(NodeId(source), NodeId(target), label, strength)
            .unwrap();
    }
    builder.finish().unwrap()
}

fn of_tables(count: u64) -> Tally {
    Tally {
        count,
        bytes: count * TABLE,
    }
}

const STRONG: Strength = Strength::Strong;
const EPHEMERON: Strength = Strength::Ephemeron;

#[test]
fn an_ephemerons_value_is_held_by_what_holds_table_and_key() {
    // Table 1 refers to the weak table 2 and to the key 3; 4 is the value and refers to 5.
    let heap = tables(
        5,
        &[
            (0, 1, STRONG, None),
            (1, 2, STRONG, None),
            (1, 3, STRONG, None),
            (2, 3, Strength::WeakKey, None),
            (2, 4, EPHEMERON, Some(3)),
            (4, 5, STRONG, None),
        ],
    );
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.immediate(NodeId(4)), Some(NodeId(1)));
    assert_eq!(dominators.retained(NodeId(3)), of_tables(1));
    assert_eq!(dominators.retained(NodeId(4)), of_tables(2));
    // Without the key the value is garbage all the same.
    let by = |node| dominators.retained_by(&heap, &[NodeId(node)]).unwrap();
    assert_eq!([1, 2, 3, 4].map(by), [5, 3, 3, 2].map(of_tables));
}

#[test]
fn a_value_that_holds_its_own_key_goes_with_what_held_the_key_else() {
    // Table 1 is weak and has the value 3 under the key 4, to which only 3 refers; 2 refers to 3.
    let heap = tables(
        4,
        &[
            (0, 1, STRONG, None),
            (0, 2, STRONG, None),
            (2, 3, STRONG, None),
            (3, 4, STRONG, None),
            (1, 3, EPHEMERON, Some(4)),
        ],
    );
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.immediate(NodeId(3)), Some(NodeId::ROOT));
    let by = |node| dominators.retained_by(&heap, &[NodeId(node)]).unwrap();
    assert_eq!([1, 2, 3].map(by), [1, 3, 2].map(of_tables));
}

#[test]
fn what_is_not_alive_holds_nothing() {
    // 2 is garbage and refers to 1; 1 refers to itself, and weakly to 3.
    let heap = tables(
        3,
        &[
            (0, 1, STRONG, None),
            (1, 1, STRONG, None),
            (2, 1, STRONG, None),
            (1, 3, Strength::WeakValue, None),
        ],
    );
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.len(), 2);
    assert_eq!(dominators.immediate(NodeId(1)), Some(NodeId::ROOT));
    for dead in [2, 3].map(NodeId) {
        assert!(!dominators.contains(dead) && !dominators.dominates(dead, dead));
        assert_eq!(dominators.immediate(dead), None);
        assert_eq!(dominators.retained(dead), Tally::default());
        assert_eq!(dominators.retained_by(&heap, &[dead]), Ok(Tally::default()));
    }
    let all = [1, 2, 3, 1].map(NodeId);
    assert_eq!(dominators.retained_by(&heap, &all), Ok(of_tables(1)));
}

#[test]
fn what_two_hold_together_only_both_retain() {
    // 1 and 2 refer to 3, 3 refers to 4, and 2 refers to 5.
    let heap = tables(
        5,
        &[
            (0, 1, STRONG, None),
            (0, 2, STRONG, None),
            (1, 3, STRONG, None),
            (2, 3, STRONG, None),
            (3, 4, STRONG, None),
            (2, 5, STRONG, None),
        ],
    );
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(
        [1, 2, 3].map(|at| dominators.retained(NodeId(at))),
        [1, 2, 2].map(of_tables)
    );
    let both = [1, 2].map(NodeId);
    assert_eq!(dominators.retained_by(&heap, &both), Ok(of_tables(5)));
    assert_eq!(dominators.retained_at_least(both), Ok(of_tables(3)));
    let nested = [4, 3, 4].map(NodeId);
    assert_eq!(dominators.retained_by(&heap, &nested), Ok(of_tables(2)));
    assert_eq!(dominators.retained_at_least(nested), Ok(of_tables(2)));
}

#[test]
fn nothing_at_all() {
    let heap = Heap::default();
    let dominators = Dominators::new(&heap).unwrap();
    assert!(dominators.is_empty() && !dominators.contains(NodeId::ROOT));
    assert_eq!(dominators.immediate(NodeId::ROOT), None);
    assert_eq!(dominators.children(NodeId::ROOT).next(), None);
    assert_eq!(
        dominators.retained_by(&heap, &[NodeId::ROOT]),
        Ok(Tally::default())
    );

    let heap = HeapBuilder::new().finish().unwrap();
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.len(), 1);
    assert!(dominators.dominates(NodeId::ROOT, NodeId::ROOT));
    assert_eq!(dominators.retained(NodeId::ROOT), Tally::default());
    assert_eq!(dominators.children(NodeId::ROOT).next(), None);
}

#[test]
fn sums_beyond_any_number_stay_at_the_last_one() {
    let mut builder = HeapBuilder::new();
    for at in 1..=3u32 {
        let (node, _) = builder.node(Kind::Table, 16 * u64::from(at)).unwrap();
        builder.set_size(node, u64::MAX / 2);
        builder
            .edge(NodeId(at - 1), node, Label::Metatable, STRONG)
            .unwrap();
    }
    let heap = builder.finish().unwrap();
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.retained(NodeId(2)).bytes, u64::MAX - 1);
    assert_eq!(dominators.retained(NodeId(1)).bytes, u64::MAX);
    assert_eq!(dominators.retained(NodeId::ROOT).bytes, u64::MAX);
}

#[test]
fn a_snapshot_keeps_them_and_counts_their_memory() {
    let snapshot = Snapshot::new(shape::list(1000));
    let before = snapshot.memory();
    let dominators = snapshot.dominators().unwrap();
    assert_eq!(dominators.retained(NodeId(1)), of_tables(1000));
    assert!(std::ptr::eq(dominators, snapshot.dominators().unwrap()));
    assert_eq!(snapshot.memory() - before, dominators.memory());
    assert!(dominators.memory() <= 24 * 1001);
    let nothing = Snapshot::empty();
    assert!(nothing.dominators().unwrap().is_empty());
}

/// Lengths that recursion and quadratic searches do not survive.
const LONG: u32 = 10_000_000;
const WIDE: u32 = 1_000_000;

#[test]
fn a_list_of_ten_million() {
    let heap = shape::list(LONG);
    let dominators = Dominators::new(&heap).unwrap();
    for at in [1, 2, LONG / 2, LONG] {
        let below = of_tables(u64::from(LONG + 1 - at));
        assert_eq!(dominators.retained(NodeId(at)), below);
        assert_eq!(dominators.immediate(NodeId(at)), Some(NodeId(at - 1)));
        assert_eq!(
            dominators.retained_by(&heap, &[NodeId(at), NodeId(LONG)]),
            Ok(below)
        );
    }
}

#[test]
fn a_list_of_ten_million_whose_tables_lead_back() {
    // The last table refers to the first, and each to the one before it.
    let heap = shape::heap(LONG, |at, targets| {
        targets.extend(Some(at + 1).filter(|next| *next <= LONG));
        targets.extend(at.checked_sub(1).filter(|before| *before > 0));
        targets.extend(Some(1).filter(|_| at == LONG));
    });
    let dominators = Dominators::new(&heap).unwrap();
    for at in [1, 2, LONG / 2, LONG] {
        assert_eq!(dominators.immediate(NodeId(at)), Some(NodeId(at - 1)));
    }
}

#[test]
fn a_list_of_a_million_whose_tables_have_one_metatable() {
    let heap = shape::one_metatable(WIDE);
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.immediate(NodeId(WIDE)), Some(NodeId(1)));
    assert_eq!(dominators.retained(NodeId(1)), of_tables(u64::from(WIDE)));
    assert_eq!(
        dominators.retained(NodeId(2)),
        of_tables(u64::from(WIDE) - 2)
    );
}

#[test]
fn a_long_list_whose_last_table_shares_its_items() {
    let heap = shape::shared_items(WIDE);
    let dominators = Dominators::new(&heap).unwrap();
    let (last, other) = (NodeId(WIDE / 2), NodeId(WIDE));
    assert_eq!(dominators.retained(last), of_tables(1));
    assert_eq!(dominators.retained(other), of_tables(1));
    for item in [WIDE / 2 + 1, WIDE - 1].map(NodeId) {
        assert_eq!(dominators.immediate(item), Some(NodeId::ROOT));
    }
    let items = u64::from(WIDE - WIDE / 2 - 1);
    assert_eq!(
        dominators.retained_by(&heap, &[last, other]),
        Ok(of_tables(items + 2))
    );
}

#[test]
fn a_star_of_a_million() {
    let heap = shape::star(WIDE);
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.children(NodeId(1)).count() as u32, WIDE - 1);
    let members: Vec<NodeId> = (2..=WIDE).map(NodeId).collect();
    assert_eq!(
        dominators.retained_by(&heap, &members),
        Ok(of_tables(u64::from(WIDE) - 1))
    );
}

#[test]
fn an_ephemeron_chain_of_a_million() {
    // Table 1 is weak, and each of the others is the key of the next.
    let mut links = vec![(0, 1, STRONG, None), (0, 2, STRONG, None)];
    links.extend((3..=WIDE).rev().map(|at| (1, at, EPHEMERON, Some(at - 1))));
    let heap = tables(WIDE, &links);
    let dominators = Dominators::new(&heap).unwrap();
    assert_eq!(dominators.len() as u32, WIDE + 1);
    assert_eq!(dominators.immediate(NodeId(WIDE)), Some(NodeId::ROOT));
    let half = NodeId(WIDE / 2 + 1);
    assert_eq!(
        dominators.retained_by(&heap, &[half]),
        Ok(of_tables(u64::from(WIDE / 2)))
    );
}
