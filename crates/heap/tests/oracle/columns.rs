//! Heaps from stored columns: the result is the heap as it was, or an error, and never a heap on
//! which an analysis fails.

use crate::everything::{Everything, everything, listed};
use crate::graph::{graph, rows};
use luasnap_heap::{
    Census, Change, CodePlace, CodeShape, ColumnError, Columns, Heap, Kind, LARGE_SIZE, Label,
    LoadedCode, Mark, NameId, Names, NodeId, PackedLabel, Reach, Run, RunOrder, ShortestPathTree,
    Snapshot, SparseTable, StoredDifference, Strength, ThreadState, ThreadStatus, Through,
    decrease, increase, objects_view,
};
use proptest::prelude::*;

/// Returns the columns of a heap as they are after storing.
pub fn columns(heap: &Heap) -> Columns {
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
        threads: stored.threads.to_vec(),
        loaded_code: stored.loaded_code.to_vec(),
        environments: stored.environments.map(<[_]>::to_vec),
        provenance: heap.provenance().clone(),
    }
}

/// Runs all analyses.
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

/// A change to a stored heap. Nodes and names are small numbers, so that many of them exist.
#[derive(Clone, Copy, Debug)]
enum Damage {
    Kind(Kind),
    Address(u64),
    Size(u32),
    AddLargeSize(NodeId, u64),
    Count(u32),
    Source(NameId),
    EdgeCount(u32),
    /// Each node gets as many edges as the next one had.
    RotateEdgeCounts,
    Target(NodeId),
    Label(PackedLabel),
    WideObject(NodeId),
    WideNotANumber,
    Globals(NodeId),
    AllReached,
    AddRun(NodeId),
    AddMark(Mark),
    AddSparseTable(NodeId, u32),
    AddThread(NodeId, NameId),
    AddLoadedCode(NodeId, u8),
    RemoveEdge,
}

fn damage() -> impl Strategy<Value = Damage> {
    let node = || (0..40u32).prop_map(NodeId);
    let value = any::<u32>;
    let label = any::<u32>().prop_filter_map("a label that has a meaning", |bits| {
        PackedLabel::from_bits(bits & 0xfc00_003f)
    });
    let mark = (value(), node(), 0..3u32).prop_map(|(address, place, run)| Mark {
        address: address.into(),
        place,
        run,
    });
    prop_oneof![
        (0..12u8).prop_map(|number| Damage::Kind(Kind::from_number(number).unwrap())),
        value().prop_map(|address| Damage::Address(address.into())),
        value().prop_map(Damage::Size),
        (node(), value())
            .prop_map(|(node, size)| Damage::AddLargeSize(node, u64::from(size) << 30)),
        value().prop_map(Damage::Count),
        (0..40u32).prop_map(|name| Damage::Source(NameId(name))),
        (0..40u32).prop_map(Damage::EdgeCount),
        Just(Damage::RotateEdgeCounts),
        node().prop_map(Damage::Target),
        label.prop_map(Damage::Label),
        node().prop_map(Damage::WideObject),
        Just(Damage::WideNotANumber),
        node().prop_map(Damage::Globals),
        Just(Damage::AllReached),
        (node(), 0..3u8).prop_map(|(node, upvalues)| Damage::AddLoadedCode(node, upvalues)),
        node().prop_map(Damage::AddRun),
        mark.prop_map(Damage::AddMark),
        (node(), value()).prop_map(|(node, slots)| Damage::AddSparseTable(node, slots)),
        (node(), 0..40u32).prop_map(|(node, name)| Damage::AddThread(node, NameId(name))),
        Just(Damage::RemoveEdge),
    ]
}

impl Damage {
    /// Applies the change. If it changes a single value, it is that at `at`, modulo the column's
    /// length.
    fn apply(self, columns: &mut Columns, at: usize) {
        fn set<T>(column: &mut [T], at: usize, value: T) {
            let len = column.len().max(1);
            if let Some(old) = column.get_mut(at % len) {
                *old = value;
            }
        }
        match self {
            Damage::Kind(kind) => set(&mut columns.kinds, at, kind),
            Damage::Address(address) => set(&mut columns.addresses, at, address),
            Damage::Size(size) => set(&mut columns.sizes, at, size),
            Damage::AddLargeSize(node, size) => columns.large_sizes.push((node, size)),
            Damage::Count(count) => set(&mut columns.counts, at, count),
            Damage::Source(name) => set(&mut columns.sources, at, name),
            Damage::EdgeCount(count) => set(&mut columns.edge_counts, at, count),
            Damage::RotateEdgeCounts => columns.edge_counts.rotate_left(1),
            Damage::Target(node) => set(&mut columns.targets, at, node),
            Damage::Label(label) => set(&mut columns.labels, at, label),
            Damage::WideObject(node) => set(&mut columns.wide_labels, at, Label::Object(node)),
            Damage::WideNotANumber => set(&mut columns.wide_labels, at, Label::Number(f64::NAN)),
            Damage::Globals(node) => columns.globals = Some(node),
            Damage::AllReached => columns.all_reached = true,
            Damage::AddRun(start) => columns.runs.push(Run {
                start,
                order: RunOrder::Allocation,
            }),
            Damage::AddMark(mark) => columns.marks.push(mark),
            Damage::AddSparseTable(node, array_slots) => columns.sparse_tables.push(SparseTable {
                node,
                array_slots,
                ..SparseTable::default()
            }),
            Damage::AddThread(node, name) => columns.threads.push(ThreadState {
                function: name,
                ..ThreadState::new(node, ThreadStatus::Suspended)
            }),
            Damage::AddLoadedCode(node, upvalues) => columns.loaded_code.push(LoadedCode {
                node,
                shape: CodeShape::new(1, u32::MAX, upvalues),
            }),
            Damage::RemoveEdge => {
                columns.targets.pop();
                columns.labels.pop();
            }
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
        damages in prop::collection::vec((damage(), any::<usize>()), 1..5),
    ) {
        let heap = everything.heap();
        let mut columns = columns(&heap);
        for (damage, at) in damages {
            damage.apply(&mut columns, at);
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
        let again = Snapshot::from_stored_difference(heap, stored, None).unwrap();
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

/// Asserts that the small heap is refused with this error after `break_it`.
#[track_caller]
fn assert_refused(break_it: impl FnOnce(&mut Columns), expected: ColumnError) {
    let mut columns = small();
    assert!(columns.clone().into_heap().is_ok());
    break_it(&mut columns);
    assert_eq!(columns.into_heap().unwrap_err(), expected);
}

fn out_of_range(column: &'static str, at: usize) -> ColumnError {
    ColumnError::OutOfRange { column, at }
}

#[test]
fn the_first_node_and_no_other_is_the_root() {
    assert_refused(|heap| heap.kinds[2] = Kind::Root, ColumnError::Root);
    assert_refused(|heap| heap.kinds[0] = Kind::Table, ColumnError::Root);
}

#[test]
fn columns_by_node_are_of_one_length() {
    assert_refused(
        |heap| heap.addresses.push(7),
        ColumnError::Length {
            column: "addresses",
            expected: 4,
            found: 5,
        },
    );
}

#[test]
fn there_are_as_many_targets_as_nodes_have_edges() {
    assert_refused(
        |heap| heap.edge_counts[1] = 1,
        ColumnError::Length {
            column: "targets",
            expected: 1,
            found: 0,
        },
    );
}

#[test]
fn sources_are_names_of_the_heap() {
    assert_refused(
        |heap| heap.sources[1] = NameId(9),
        out_of_range("sources", 1),
    );
}

#[test]
fn the_table_of_globals_is_a_node_and_not_the_root() {
    for node in [NodeId::ROOT, NodeId(4)] {
        assert_refused(|heap| heap.globals = Some(node), out_of_range("globals", 0));
    }
}

#[test]
fn large_sizes_are_of_nodes_without_another_size() {
    assert_refused(
        |heap| heap.large_sizes.push((NodeId(1), 9)),
        out_of_range("large sizes", 0),
    );
}

#[test]
fn sizes_add_up_to_what_a_memory_can_have() {
    assert_refused(
        |heap| {
            heap.sizes[1] = LARGE_SIZE;
            heap.large_sizes.push((NodeId(1), u64::MAX));
        },
        ColumnError::Sizes,
    );
    // Exactly as much as the error says, and one byte less.
    let mut columns = small();
    columns.sizes[1] = LARGE_SIZE;
    let others: u64 = [0, 2, 3]
        .map(|node| u64::from(columns.sizes[node]))
        .iter()
        .sum();
    columns.large_sizes.push((NodeId(1), (1 << 63) - others));
    let error = columns.clone().into_heap().unwrap_err();
    assert_eq!(error, ColumnError::Sizes);
    assert!(
        error.to_string().ends_with("add up to 2^63 bytes or more"),
        "{error}"
    );
    columns.large_sizes[0].1 -= 1;
    let heap = columns.clone().into_heap().unwrap();
    assert_eq!(
        heap.nodes().map(|node| heap.size(node)).sum::<u64>(),
        (1 << 63) - 1
    );
    // Of several sizes of one node, the last counts.
    columns.large_sizes.insert(0, (NodeId(1), u64::MAX));
    assert!(columns.into_heap().is_ok());
}

#[test]
fn wide_labels_have_names_of_the_heap() {
    assert_refused(
        |heap| heap.wide_labels.push(Label::Field(NameId(9))),
        out_of_range("labels beside", 0),
    );
}

#[test]
fn runs_are_in_order_and_start_within_the_heap() {
    let behind_the_next_one = Run {
        start: NodeId(3),
        order: RunOrder::None,
    };
    assert_refused(
        |heap| heap.runs.insert(0, behind_the_next_one),
        ColumnError::Order { column: "runs" },
    );
    assert_refused(
        |heap| heap.runs[0].start = NodeId(5),
        out_of_range("runs", 0),
    );
}

#[test]
fn marks_lie_within_the_heap() {
    let behind_the_last_node = Mark {
        address: 1,
        place: NodeId(5),
        run: 0,
    };
    assert_refused(
        |heap| heap.marks.push(behind_the_last_node),
        out_of_range("marks", 0),
    );
}

#[test]
fn sparse_tables_are_tables() {
    let a_string = SparseTable {
        node: NodeId(2),
        ..SparseTable::default()
    };
    assert_refused(
        |heap| heap.sparse_tables.push(a_string),
        ColumnError::SparseTable { at: 0 },
    );
}

#[test]
fn shapes_are_of_code() {
    let code = |node| LoadedCode {
        node: NodeId(node),
        shape: CodeShape::default(),
    };
    for node in [0, 2, 999] {
        assert_refused(
            |heap| heap.loaded_code.push(code(node)),
            out_of_range("loaded code", 0),
        );
    }
    assert_refused(
        |heap| {
            heap.kinds[1] = Kind::Prototype;
            heap.loaded_code.extend([code(1), code(1)]);
        },
        ColumnError::Order {
            column: "loaded code",
        },
    );
}

#[test]
fn states_are_of_threads() {
    let a_string = ThreadState::new(NodeId(2), ThreadStatus::Dead);
    assert_refused(
        |heap| heap.threads.push(a_string),
        out_of_range("threads", 0),
    );
    let thread = ThreadState::new(NodeId(1), ThreadStatus::Dead);
    let no_name = NameId(999);
    for unnamed in [
        ThreadState {
            function: no_name,
            ..thread
        },
        ThreadState {
            error: no_name,
            ..thread
        },
        ThreadState {
            place: CodePlace {
                source: no_name,
                line: 1,
            },
            ..thread
        },
        ThreadState {
            caller: CodePlace {
                source: no_name,
                line: 1,
            },
            ..thread
        },
    ] {
        assert_refused(
            |heap| {
                heap.kinds[1] = Kind::Thread;
                heap.threads.push(unnamed);
            },
            out_of_range("threads", 0),
        );
    }
    assert_refused(
        |heap| {
            heap.kinds[1] = Kind::Thread;
            heap.threads.extend([thread, thread]);
        },
        ColumnError::Order { column: "threads" },
    );
}

#[test]
fn nothing_refers_to_the_root() {
    let key = PackedLabel::from_bits(4 << PackedLabel::TAG_SHIFT).unwrap();
    assert_refused(
        |heap| {
            heap.edge_counts[1] = 1;
            heap.targets.push(NodeId::ROOT);
            heap.labels.push(key);
        },
        out_of_range("targets", 0),
    );
}

#[test]
fn a_difference_that_does_not_fit_its_heap_is_refused() {
    let stored = |changes: Vec<Change>| StoredDifference {
        refs: vec![0; changes.len()],
        changes,
    };
    let heap = || small().into_heap().unwrap();
    let none = Change::None;
    let refused =
        |heap, changes| Snapshot::from_stored_difference(heap, stored(changes), None).is_err();
    assert!(refused(heap(), vec![none; 3]));
    // No difference contains a string.
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
