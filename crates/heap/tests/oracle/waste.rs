//! Waste against naive sums.

use crate::everything::{Everything, Link, everything, sparse_table};
use luasnap_heap::{
    Census, Duplicates, HeapBuilder, Kind, NodeId, Provenance, Reach, RepeatedText, Snapshot,
    Strength, Through, Waste, WastedSlots, increase, objects_view,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

/// Heaps in which every second node is a string, of one of three texts or a text of its own.
fn with_strings() -> impl Strategy<Value = Everything> {
    everything(60).prop_map(|mut graph| {
        for thing in graph.things.iter_mut().step_by(2) {
            thing.0 = Kind::String;
        }
        graph
    })
}

/// The strings in use, by the numbers of their texts.
fn texts_in_use(graph: &Everything) -> BTreeMap<u32, Vec<(NodeId, u64)>> {
    let reached = graph.reached();
    let mut texts: BTreeMap<u32, Vec<(NodeId, u64)>> = BTreeMap::new();
    for (node, &(kind, size, text)) in (1..).zip(&graph.things) {
        if kind == Kind::String && text != 0 && reached.contains(&node) {
            let strings = texts.entry(text).or_default();
            strings.push((NodeId(node as u32), size));
        }
    }
    texts
}

proptest! {
    #[test]
    fn strings_of_one_text_are_together(graph in with_strings()) {
        let waste = Waste::new(&Snapshot::new(graph.heap())).unwrap();
        let mut expected: Vec<RepeatedText> = texts_in_use(&graph)
            .into_values()
            .filter(|strings| strings.len() > 1)
            .map(|strings| RepeatedText {
                node: strings[0].0,
                count: strings.len() as u32,
                size: strings[0].1,
                lost: strings.iter().map(|one| one.1).sum::<u64>()
                    - strings.iter().map(|one| one.1).max().unwrap(),
            })
            .collect();
        expected.sort_by_key(|text| (u64::MAX - text.lost, text.node));
        let found = waste.strings.unwrap();
        prop_assert_eq!(found.count, expected.iter().map(|text| u64::from(text.count) - 1).sum());
        prop_assert_eq!(found.bytes, expected.iter().map(|text| text.lost).sum());
        prop_assert_eq!(found.texts, expected);
    }

    #[test]
    fn sparse_tables_in_use_are_found(graph in with_strings()) {
        let reached = graph.reached();
        let waste = Waste::new(&Snapshot::new(graph.heap())).unwrap();
        let mut expected: Vec<WastedSlots> = (1..)
            .zip(&graph.things)
            .filter(|(node, _)| reached.contains(node))
            .filter_map(|(node, thing)| sparse_table(node, thing))
            .map(|table| WastedSlots {
                table,
                lost: 16 * u64::from(table.array_slots - 1) + 24 * 2,
            })
            .collect();
        expected.sort_by_key(|wasted| (u64::MAX - wasted.lost, wasted.table.node));
        let found = waste.tables.unwrap();
        prop_assert_eq!(found.bytes, expected.iter().map(|wasted| wasted.lost).sum());
        prop_assert_eq!(found.tables, expected);
    }

    #[test]
    fn what_lies_beyond_is_the_census(graph in everything(20)) {
        let snapshot = Snapshot::new(graph.heap());
        let waste = Waste::new(&snapshot).unwrap();
        let census = Census::new(&snapshot).unwrap();
        prop_assert_eq!(format!("{:?}", waste.census), format!("{census:?}"));
    }

    #[test]
    fn of_what_is_reachable_from_a_node(graph in with_strings()) {
        let node = NodeId(graph.things.len() as u32);
        let heap = graph.heap().rooted_at(node, b"x").unwrap();
        let reach = Reach::new(&heap, Through::Everything).unwrap();
        let tables = heap.sparse_tables().iter();
        let expected = tables.filter(|table| reach.contains(table.node)).count();
        let waste = Waste::new(&Snapshot::new(heap)).unwrap();
        prop_assert_eq!(waste.tables.unwrap().tables.len(), expected);
    }
}

#[test]
fn garbage_is_no_waste() {
    let string = |size, text| (Kind::String, size, text);
    let graph = Everything {
        things: vec![
            (Kind::Table, 400, 0),
            string(100, 1),
            string(130, 1),
            string(100, 1),
            string(100, 1), // garbage
            string(70, 2),
            string(70, 2), // garbage
            string(50, 0),
            string(50, 0),
        ],
        links: [1, 2, 3, 4, 6, 8, 9]
            .map(|target| Link {
                source: usize::from(target > 1),
                target,
                strength: Strength::Strong,
                sort: 0,
                key: 1,
            })
            .to_vec(),
    };
    let strings = Waste::new(&Snapshot::new(graph.heap())).unwrap().strings;
    let text = RepeatedText {
        node: NodeId(2),
        count: 3,
        size: 100,
        lost: 200,
    };
    let expected = Duplicates {
        texts: vec![text],
        count: 2,
        bytes: 200,
    };
    assert_eq!(strings, Some(expected));
}

fn portable(tables: u64) -> Snapshot {
    let mut builder = HeapBuilder::new();
    for at in 0..=tables {
        builder.node(Kind::Table, 16 * (at + 1)).unwrap();
    }
    Snapshot::new(builder.finish_reached(Provenance::default()).unwrap())
}

#[test]
fn what_nobody_looked_for_is_not_known() {
    let waste = Waste::new(&portable(3)).unwrap();
    assert_eq!((waste.strings, waste.tables), (None, None));
    let nothing = Waste::new(&Snapshot::empty()).unwrap();
    assert_eq!((nothing.strings, nothing.tables), (None, None));
}

fn native() -> Everything {
    Everything {
        things: vec![(Kind::Table, 56, 3), (Kind::String, 66, 1)],
        links: Vec::new(),
    }
}

#[test]
fn a_difference_has_objects_alone() {
    let heap = native().heap().rooted_at(NodeId(1), b"x").unwrap();
    let more = increase(&Snapshot::new(native().heap()), &Snapshot::new(heap)).unwrap();
    let waste = Waste::new(&more).unwrap();
    assert_eq!((waste.strings, waste.tables), (None, None));
}

#[test]
fn a_view_has_no_sparse_tables() {
    let heap = native().heap().rooted_at(NodeId(1), b"x").unwrap();
    assert_eq!(heap.sparse_tables().len(), 1);
    let view = objects_view(&heap).unwrap();
    assert_eq!((view.node_count(), view.sparse_tables().len()), (2, 0));
    assert_eq!(view.provenance().slot_sizes, None);
}
