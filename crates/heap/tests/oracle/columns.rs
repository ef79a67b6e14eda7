//! Heaps that are made of stored columns: as they were, or an error, and never one that an analysis
//! trips over.

use crate::everything::{Everything, everything, listed};
use crate::graph::{graph, rows};
use luasnap_heap::{
    Census, Change, ColumnError, Columns, Heap, Kind, LARGE_SIZE, Label, Mark, NameId, Names,
    NodeId, PackedLabel, Reach, Run, RunOrder, ShortestPathTree, Snapshot, SparseTable,
    StoredDifference, Strength, Through, decrease, increase, objects_view,
};
use proptest::prelude::*;

/// The columns of a heap, as one who stored them has them again.
fn columns(heap: &Heap) -> Columns {
    let stored = heap.columns();
    let edges = || heap.nodes().flat_map(|node| heap.edge_range(node));
    let large = |node: &NodeId| stored.sizes[node.index()] == LARGE_SIZE;
    let names = (0..stored.names.len()).map(|id| stored.names.get(NameId(id as u32)).len());
    let names = Names::from_parts(stored.names.bytes().to_vec(), names.map(|len| len as u64));
    Columns {
        kinds: stored.kinds.to_vec(),
        addresses: stored.addresses.to_vec(),
        sizes: stored.sizes.to_vec(),
        large_sizes: heap
            .nodes()
            .filter(large)
            .map(|node| (node, heap.size(node)))
            .collect(),
        counts: stored.counts.to_vec(),
        sources: stored.sources.to_vec(),
        edge_counts: heap
            .nodes()
            .map(|node| heap.edge_range(node).len() as u32)
            .collect(),
        targets: edges().map(|edge| stored.targets[edge]).collect(),
        labels: edges().map(|edge| stored.labels[edge]).collect(),
        wide_labels: stored.wide_labels.to_vec(),
        names: names.unwrap().unwrap(),
        globals: stored.globals,
        all_reached: stored.all_reached,
        runs: stored.runs.to_vec(),
        marks: stored.marks.to_vec(),
        sparse_tables: stored.sparse_tables.to_vec(),
        provenance: heap.provenance().clone(),
    }
}

/// Asks for all that can be asked.
fn analyse(snapshot: &Snapshot) {
    let tree = snapshot.tree().unwrap();
    assert!(tree.walk().count() == 2 * tree.len());
    snapshot.groups().unwrap();
    Census::new(snapshot).unwrap();
    for through in [Through::Everything, Through::Objects] {
        Reach::new(snapshot.everything(), through).unwrap();
    }
    objects_view(snapshot.everything()).unwrap();
    listed(snapshot.everything());
}

/// A change to one value of some column.
fn change(columns: &mut Columns, which: u8, at: usize, value: u32) {
    fn set<T>(column: &mut [T], at: usize, value: T) {
        let len = column.len().max(1);
        if let Some(old) = column.get_mut(at % len) {
            *old = value;
        }
    }
    let small = value % 40;
    match which {
        0 => set(
            &mut columns.kinds,
            at,
            Kind::from_number((value % 12) as u8).unwrap(),
        ),
        1 => set(&mut columns.addresses, at, u64::from(value)),
        2 => set(&mut columns.sizes, at, value),
        3 => columns
            .large_sizes
            .push((NodeId(small), u64::from(value) << 30)),
        4 => set(&mut columns.counts, at, value),
        5 => set(&mut columns.sources, at, NameId(small)),
        6 => set(&mut columns.edge_counts, at, small),
        7 => columns.edge_counts.rotate_left(1),
        8 => set(&mut columns.targets, at, NodeId(small)),
        9 => {
            if let Some(label) = PackedLabel::from_bits(value & 0xfc00_003f) {
                set(&mut columns.labels, at, label);
            }
        }
        10 => set(&mut columns.wide_labels, at, Label::Object(NodeId(small))),
        11 => set(&mut columns.wide_labels, at, Label::Number(f64::NAN)),
        12 => columns.globals = Some(NodeId(small)),
        13 => columns.all_reached = true,
        14 => columns.runs.push(Run {
            start: NodeId(small),
            order: RunOrder::Allocation,
        }),
        15 => columns.marks.push(Mark {
            address: u64::from(value),
            place: NodeId(small),
            run: value % 3,
        }),
        16 => columns.sparse_tables.push(SparseTable {
            node: NodeId(small),
            array_slots: value,
            ..SparseTable::default()
        }),
        _ => {
            columns.targets.pop();
            columns.labels.pop();
        }
    }
}

proptest! {
    #[test]
    fn a_heap_is_made_of_its_columns_again(everything in everything(40)) {
        let heap = everything.heap();
        let again = columns(&heap).into_heap().unwrap();
        prop_assert_eq!(listed(&again), listed(&heap));
        prop_assert_eq!(again.globals(), heap.globals());
        let (view, other) = (objects_view(&heap).unwrap(), objects_view(&again).unwrap());
        prop_assert_eq!(listed(&view), listed(&other));
        let of_view = columns(&view).into_heap().unwrap();
        prop_assert_eq!(listed(&view), listed(&of_view));
    }

    #[test]
    fn edges_that_belong_to_nobody_are_left_behind(graph in graph(30, true)) {
        let heap = graph.heap(0..graph.links.len());
        let root = NodeId(1);
        let heap = heap.rooted_at(root, b"root").unwrap();
        let again = columns(&heap).into_heap().unwrap();
        prop_assert_eq!(again.edge_count(), heap.edge_count());
        let [tree, of_again] = [&heap, &again].map(|heap| ShortestPathTree::new(heap).unwrap());
        prop_assert_eq!(rows(&heap, &tree), rows(&again, &of_again));
    }

    #[test]
    fn changed_columns_make_a_sound_heap_or_none(
        everything in everything(20),
        changes in prop::collection::vec((0..18u8, any::<usize>(), any::<u32>()), 1..5),
    ) {
        let heap = everything.heap();
        let mut columns = columns(&heap);
        for (which, at, value) in changes {
            change(&mut columns, which, at, value);
        }
        if let Ok(changed) = columns.into_heap() {
            let (changed, heap) = (Snapshot::new(changed), Snapshot::new(heap));
            analyse(&changed);
            for (a, b) in [(&changed, &heap), (&heap, &changed)] {
                analyse(&increase(a, b).unwrap());
                analyse(&decrease(a, b).unwrap());
            }
        }
    }

    #[test]
    fn a_difference_is_restored(before in graph(20, true), after in graph(20, true)) {
        let [before, after] = [before, after]
            .map(|graph| Snapshot::new(graph.heap(0..graph.links.len())));
        let difference = increase(&before, &after).unwrap();
        let stored = difference.stored_difference().unwrap().unwrap_or_default();
        if !difference.is_difference() {
            return Ok(());
        }
        let heap = columns(difference.everything()).into_heap().unwrap();
        let again = Snapshot::from_stored_difference(heap, stored).unwrap();
        prop_assert_eq!(again.len(), difference.len());
        for node in difference.everything().nodes() {
            prop_assert_eq!(again.change(node), difference.change(node));
            prop_assert_eq!(again.refs(node), difference.refs(node));
        }
    }
}

/// A heap of a table, a string and a function.
fn small() -> Columns {
    let everything = Everything {
        things: vec![
            (Kind::Table, 56, 1),
            (Kind::String, 30, 0),
            (Kind::LuaFunction, 40, 3),
        ],
        links: Vec::new(),
    };
    columns(&everything.heap())
}

#[test]
fn every_broken_column_is_named() {
    let out_of_range = |column, at| ColumnError::OutOfRange { column, at };
    let length = |column, expected, found| ColumnError::Length {
        column,
        expected,
        found,
    };
    type Break = fn(&mut Columns);
    let cases: [(Break, ColumnError); 15] = [
        (|heap| heap.kinds[2] = Kind::Root, ColumnError::Root),
        (|heap| heap.kinds[0] = Kind::Table, ColumnError::Root),
        (|heap| heap.addresses.push(7), length("addresses", 4, 5)),
        (|heap| heap.edge_counts[1] = 1, length("targets", 1, 0)),
        (
            |heap| heap.sources[1] = NameId(9),
            out_of_range("sources", 1),
        ),
        (
            |heap| heap.globals = Some(NodeId::ROOT),
            out_of_range("globals", 0),
        ),
        (
            |heap| heap.globals = Some(NodeId(4)),
            out_of_range("globals", 0),
        ),
        (
            |heap| heap.large_sizes.push((NodeId(1), 9)),
            out_of_range("large sizes", 0),
        ),
        (
            |heap| {
                heap.sizes[1] = LARGE_SIZE;
                heap.large_sizes.push((NodeId(1), u64::MAX));
            },
            ColumnError::Sizes,
        ),
        (
            |heap| heap.wide_labels.push(Label::Field(NameId(9))),
            out_of_range("labels beside", 0),
        ),
        (
            |heap| {
                heap.runs.insert(
                    0,
                    Run {
                        start: NodeId(3),
                        order: RunOrder::None,
                    },
                )
            },
            ColumnError::Order { column: "runs" },
        ),
        (
            |heap| heap.runs[0].start = NodeId(5),
            out_of_range("runs", 0),
        ),
        (
            |heap| {
                heap.marks.push(Mark {
                    address: 1,
                    place: NodeId(5),
                    run: 0,
                })
            },
            out_of_range("marks", 0),
        ),
        (
            |heap| {
                heap.sparse_tables.push(SparseTable {
                    node: NodeId(2),
                    ..Default::default()
                })
            },
            ColumnError::SparseTable { at: 0 },
        ),
        (
            |heap| {
                heap.edge_counts[1] = 1;
                heap.targets.push(NodeId::ROOT);
                heap.labels
                    .push(PackedLabel::from_bits(4 << PackedLabel::TAG_SHIFT).unwrap());
            },
            out_of_range("targets", 0),
        ),
    ];
    for (at, (break_it, expected)) in cases.into_iter().enumerate() {
        let mut columns = small();
        assert!(columns.clone().into_heap().is_ok());
        break_it(&mut columns);
        assert_eq!(columns.into_heap().unwrap_err(), expected, "case {at}");
    }
}

#[test]
fn a_difference_that_does_not_fit_its_heap_is_refused() {
    let stored = |changes: Vec<Change>| StoredDifference {
        refs: vec![0; changes.len()],
        changes,
    };
    let heap = || small().into_heap().unwrap();
    let none = Change::None;
    let refused = |heap, changes| Snapshot::from_stored_difference(heap, stored(changes)).is_err();
    assert!(refused(heap(), vec![none; 3]));
    // A string is in no difference.
    assert!(refused(heap(), vec![none; 4]));
    let mut tables = small();
    tables.kinds[2] = Kind::Table;
    let heap = || tables.clone().into_heap().unwrap();
    assert!(!refused(
        heap(),
        vec![none, Change::New, none, Change::Grew(2)]
    ));
    assert!(refused(heap(), vec![Change::New, none, none, none]));
}

#[test]
fn strength_and_label_are_told_by_bits() {
    let label = PackedLabel::from_bits(2 << PackedLabel::STRENGTH_SHIFT).unwrap();
    let mut columns = small();
    columns.edge_counts[0] = 1;
    columns.targets.push(NodeId(1));
    columns.labels.push(label);
    let heap = columns.into_heap().unwrap();
    assert_eq!(heap.strength(0), Strength::WeakValue);
    assert_eq!(heap.label(0), Label::Field(NameId(0)));
}
