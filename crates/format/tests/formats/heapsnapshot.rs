//! Chrome's `.heapsnapshot`. How the readers themselves read it is tested in `tests/readers`.

use crate::fixture::{Disk, Fixture, is_full, keyed, list, written};
use luasnap_format::write_heapsnapshot;
use luasnap_heap::{Heap, HeapBuilder, Kind, Label, NodeId, Reach, Snapshot, Strength, Through};
use proptest::prelude::*;
use serde_json::Value;
use std::collections::{HashMap, HashSet};

/// Everything before the rows, which is always the same except for the counts.
fn header(nodes: usize, edges: usize) -> String {
    format!(
        concat!(
            r#"{{"snapshot":{{"meta":{{"#,
            r#""node_fields":["type","name","id","self_size","edge_count","trace_node_id","#,
            r#""detachedness"],"#,
            r#""node_types":[["hidden","array","string","object","code","closure","regexp","#,
            r#""number","native","synthetic","concatenated string","sliced string","symbol","#,
            r#""bigint","object shape"],"string","number","number","number","number","number"],"#,
            r#""edge_fields":["type","name_or_index","to_node"],"#,
            r#""edge_types":[["context","element","property","internal","hidden","shortcut","#,
            r#""weak"],"string_or_number","node"],"#,
            r#""trace_function_info_fields":["function_id","name","script_name","script_id","#,
            r#""line","column"],"#,
            r#""trace_node_fields":["id","function_info_index","count","size","children"],"#,
            r#""sample_fields":["timestamp_us","last_assigned_id"],"#,
            r#""location_fields":["object_index","script_id","line","column"]}},"#,
            r#""node_count":{},"edge_count":{},"trace_function_count":0}},"#,
            "\n"
        ),
        nodes, edges
    )
}

const EMPTY_ARRAYS: &str = concat!(
    r#""trace_function_infos":[],"#,
    "\n",
    r#""trace_tree":[],"#,
    "\n",
    r#""samples":[],"#,
    "\n",
    r#""locations":[],"#,
    "\n"
);

#[test]
fn a_table_with_two_entries() {
    let mut fixture = Fixture::new("[REGISTRY]", 0x100, 2);
    let held = fixture.field(fixture.root, "a", Kind::Table, 0x200, 0);
    let label = Label::Index(7);
    fixture.under(held, label, Kind::CFunction, 0x300, 0);
    let expected = header(5, 5)
        + r#""nodes":[9,2,1,0,2,0,0
,9,3,3,0,1,0,0
,3,4,422171503,0,1,0,0
,3,5,3056936741,56,1,0,0
,5,6,3856148767,56,0,0,0
],
"edges":[1,1,7
,2,0,14
,2,0,14
,2,1,21
,1,7,28
],
"# + EMPTY_ARRAYS
        + r#""strings":["[REGISTRY]",
"a",
"",
"(GC roots)",
"[REGISTRY]",
"[REGISTRY].a",
"[C]"]}
"#;
    assert_eq!(written(write_heapsnapshot, &fixture.finish()), expected);
}

#[test]
fn nothing_is_two_nodes_that_hold_nothing() {
    let expected = header(2, 1)
        + r#""nodes":[9,0,1,0,1,0,0
,9,1,3,0,0,0,0
],
"edges":[1,1,7
],
"# + EMPTY_ARRAYS
        + r#""strings":["",
"(GC roots)"]}
"#;
    assert_eq!(written(write_heapsnapshot, &Snapshot::empty()), expected);
}

/// A parsed file.
struct Parsed {
    nodes: Vec<[u64; 7]>,
    /// By node: type, name or index, row of the target.
    edges: Vec<Vec<(u64, u64, usize)>>,
    strings: Vec<String>,
}

const OBJECT: u64 = 3;
const WEAK: u64 = 6;
const ELEMENT: u64 = 1;

impl Parsed {
    /// Parses a file, and checks that it is consistent.
    fn new(snapshot: &Snapshot) -> Parsed {
        let json: Value = serde_json::from_str(&written(write_heapsnapshot, snapshot)).unwrap();
        let numbers = |name: &str| -> Vec<u64> {
            let items = json[name].as_array().unwrap();
            items.iter().map(|item| item.as_u64().unwrap()).collect()
        };
        let strings = json["strings"].as_array().unwrap();
        let strings: Vec<String> = strings
            .iter()
            .map(|text| text.as_str().unwrap().to_owned())
            .collect();
        let (nodes, rows) = (numbers("nodes"), numbers("edges"));
        assert_eq!((nodes.len() % 7, rows.len() % 3), (0, 0));
        let nodes: Vec<[u64; 7]> = nodes
            .chunks_exact(7)
            .map(|row| row.try_into().unwrap())
            .collect();
        assert_eq!(json["snapshot"]["node_count"], nodes.len());
        assert_eq!(json["snapshot"]["edge_count"], rows.len() / 3);
        let mut rows = rows.chunks_exact(3);
        let edges = nodes
            .iter()
            .map(|node| {
                rows.by_ref()
                    .take(node[4] as usize)
                    .map(Self::edge)
                    .collect()
            })
            .collect();
        assert_eq!(rows.next(), None, "every reference belongs to a node");
        let parsed = Parsed {
            nodes,
            edges,
            strings,
        };
        parsed.check();
        parsed
    }

    fn edge(row: &[u64]) -> (u64, u64, usize) {
        assert_eq!(row[2] % 7, 0, "the place of a node's row");
        (row[0], row[1], row[2] as usize / 7)
    }

    fn check(&self) {
        let ids: HashSet<u64> = self.nodes.iter().map(|node| node[2]).collect();
        assert_eq!(ids.len(), self.nodes.len(), "no two nodes have one id");
        assert!(ids.iter().all(|id| id % 2 == 1 && *id < 1 << 32));
        for node in &self.nodes {
            assert!((node[1] as usize) < self.strings.len());
            assert!(node[3] < 1 << 32);
            let is_object = node[0] == OBJECT;
            assert!(!is_object || self.strings[node[1] as usize] != "Object");
        }
        for &(kind, name, target) in self.edges.iter().flatten() {
            assert!(target < self.nodes.len());
            match kind {
                ELEMENT => assert!(name < 1 << 31),
                _ => assert!((name as usize) < self.strings.len()),
            }
        }
    }

    fn name(&self, row: usize) -> &str {
        &self.strings[self.nodes[row][1] as usize]
    }

    /// The references of a node: type, name, row of the target.
    fn references(&self, row: usize) -> Vec<(u64, String, usize)> {
        let text = |(kind, name, target): &(u64, u64, usize)| match *kind {
            ELEMENT => (*kind, name.to_string(), *target),
            _ => (*kind, self.strings[*name as usize].clone(), *target),
        };
        self.edges[row].iter().map(text).collect()
    }

    fn ids_by_name(&self) -> HashMap<&str, u64> {
        let rows = 0..self.nodes.len();
        rows.map(|row| (self.name(row), self.nodes[row][2]))
            .collect()
    }
}

/// Returns the file, and the references of the fixture's root, which is the first object in it.
fn below_root(fixture: Fixture) -> (Parsed, Vec<(u64, String, usize)>) {
    let parsed = Parsed::new(&fixture.finish());
    let references = parsed.references(2);
    (parsed, references)
}

#[test]
fn every_label_has_a_type_and_a_name() {
    let mut fixture = Fixture::new("t", 0x10, 0);
    let name = fixture.builder.name(b"name").unwrap();
    let key = fixture.under(fixture.root, Label::Key, Kind::Table, 0x20, 0);
    let labels = [
        (Label::Field(name), 2, "name"),
        (Label::Index(0), ELEMENT, "0"),
        (Label::Index((1 << 31) - 1), ELEMENT, "2147483647"),
        (Label::Index(1 << 31), 2, "[2147483648]"),
        (Label::Index(-1), 2, "[-1]"),
        (Label::Number(0.5), 2, "[0.5]"),
        (Label::Boolean(true), 2, "[true]"),
        (Label::Boolean(false), 2, "[false]"),
        (Label::Object(key), 2, "[table]"),
        (Label::Address(Kind::Userdata, 0x9), 2, "[userdata:0x9]"),
        (Label::Key, 3, "key"),
        (Label::UserValue(1), 3, "[userdata]"),
        (Label::UserValue(2), 3, "[userdata:2]"),
        (Label::Environment, 3, "environment"),
        (Label::Upvalue(name), 0, "name"),
        (Label::Upvalue(luasnap_heap::NameId::EMPTY), 0, "(upvalue)"),
        (Label::Local(name), 0, "name"),
        (Label::Prototype, 3, "prototype"),
        (Label::Constant, 3, "constant"),
        (Label::DebugName, 3, "debug name"),
        (Label::Value, 3, "value"),
        (Label::Trace, 3, "trace"),
        (Label::Metatable, 3, "metatable"),
    ];
    for (at, (label, ..)) in labels.iter().enumerate() {
        let address = 0x1000 + 16 * at as u64;
        fixture.under(fixture.root, *label, Kind::Upvalue, address, 0);
    }
    let (_, references) = below_root(fixture);
    let found: Vec<_> = references[1..]
        .iter()
        .map(|(kind, name, _)| (*kind, name.as_str()))
        .collect();
    let expected: Vec<_> = labels.iter().map(|label| (label.1, label.2)).collect();
    assert_eq!(found, expected);
}

#[test]
fn every_kind_has_a_type_and_a_name() {
    let mut fixture = Fixture::new("t", 0x10, 0);
    let source = fixture.builder.name(b"main.lua").unwrap();
    let expected = [
        (Kind::Table, 0, 3, "t.[*]"),
        (Kind::LuaFunction, 0, 5, "main.lua"),
        (Kind::LuaFunction, 20, 5, "main.lua:20"),
        (Kind::CFunction, 0, 5, "[C]"),
        (Kind::Thread, 0, 3, "coroutine"),
        (Kind::Userdata, 0, 8, "userdata"),
        (Kind::String, 0, 2, "main.lua"),
        (Kind::Prototype, 20, 4, "main.lua:20"),
        (Kind::Upvalue, 0, 3, "(upvalue)"),
        (Kind::Cdata, 0, 8, "cdata"),
        (Kind::Trace, 0, 4, "trace"),
        (Kind::Snapshot, 0, 8, "(lua-snapshot)"),
    ];
    for (at, (kind, line, ..)) in expected.iter().enumerate() {
        let (label, address) = (Label::Index(at as i64), 0x100 + 16 * at as u64);
        let node = fixture.under(fixture.root, label, *kind, address, *line);
        fixture.builder.set_source(node, source);
    }
    let (parsed, references) = below_root(fixture);
    let found: Vec<_> = references
        .iter()
        .map(|&(_, _, row)| (parsed.nodes[row][0], parsed.name(row)))
        .collect();
    let expected: Vec<_> = expected.iter().map(|kind| (kind.2, kind.3)).collect();
    assert_eq!(found, expected);
}

/// A string of the VM.
fn string(fixture: &mut Fixture, retainer: NodeId, label: Label, text: &[u8], address: u64) {
    let source = fixture.builder.name(text).unwrap();
    let string = fixture.under(retainer, label, Kind::String, address, 0);
    fixture.builder.set_source(string, source);
}

#[test]
fn tables_and_userdata_are_called_after_their_classes() {
    let mut fixture = Fixture::new("t", 0x10, 0);
    let name = fixture.builder.name(b"__name").unwrap();
    let classes: [(&[u8], &str); 3] = [
        (b"Player", "Player"),
        (b"Object", "class Object"),
        // An empty name is none.
        (b"", "t.[*]"),
    ];
    for (at, (class, _)) in classes.iter().enumerate() {
        let (at, address) = (at as i64, 0x100 * (1 + at as u64));
        let root = fixture.root;
        let object = fixture.under(root, Label::Index(at), Kind::Table, address, 0);
        let metatable = fixture.under(object, Label::Metatable, Kind::Table, address + 16, 0);
        let label = Label::Field(name);
        string(&mut fixture, metatable, label, class, address + 32);
    }
    // One whose `__name` is no string.
    let other = fixture.under(fixture.root, Label::Index(3), Kind::Userdata, 0x900, 0);
    let metatable = fixture.under(other, Label::Metatable, Kind::Table, 0x910, 0);
    fixture.under(metatable, Label::Field(name), Kind::Table, 0x920, 0);
    let (parsed, references) = below_root(fixture);
    let found: Vec<_> = references.iter().map(|edge| parsed.name(edge.2)).collect();
    let mut expected: Vec<_> = classes.iter().map(|class| class.1).collect();
    expected.push("userdata");
    assert_eq!(found, expected);
}

#[test]
fn tables_without_a_class_are_called_after_their_groups() {
    let mut fixture = Fixture::new("[REGISTRY]", 0x10, 0);
    let globals = fixture.under(fixture.root, Label::Index(2), Kind::Table, 0x20, 0);
    fixture.builder.set_globals(globals);
    let cache = fixture.field(globals, "cache", Kind::Table, 0x30, 0);
    for at in 1..=2 {
        fixture.under(
            cache,
            Label::Index(at),
            Kind::Table,
            0x30 + 16 * at as u64,
            0,
        );
    }
    // Userdata have their own row: a table of the same name would be in it.
    fixture.under(cache, Label::Index(3), Kind::Userdata, 0x90, 0);
    let parsed = Parsed::new(&fixture.finish());
    let names: Vec<_> = (2..parsed.nodes.len())
        .map(|row| parsed.name(row))
        .collect();
    let expected = [
        "[REGISTRY]",
        "_G",
        "_G.cache",
        "_G.cache.[*]",
        "_G.cache.[*]",
        "userdata",
    ];
    assert_eq!(names, expected);
    // DevTools gives an `Object` another name.
    let other = Parsed::new(&Fixture::new("Object", 0x10, 0).finish());
    assert_eq!(other.name(2), "table Object");
}

#[test]
fn functions_in_c_and_threads_are_called_after_what_is_known_of_them() {
    let mut fixture = Fixture::new("t", 0x10, 0);
    let main = fixture.builder.name(b"[mainthread]").unwrap();
    let label = Label::Root(main);
    fixture.under(NodeId::ROOT, label, Kind::Thread, 0x20, 0);
    let print = fixture.field(fixture.root, "print", Kind::CFunction, 0x30, 0);
    fixture.field(fixture.root, "write", Kind::CFunction, 0x40, 0);
    let source = fixture.builder.name(b"job.lua").unwrap();
    let body = fixture.builder.name(b"(function):job.lua").unwrap();
    for (thread, first) in [(0x50, Kind::LuaFunction), (0x60, Kind::CFunction)] {
        let label = Label::Index(thread);
        let thread = fixture.under(fixture.root, label, Kind::Thread, thread as u64, 0);
        let first = match first {
            Kind::CFunction => print,
            kind => fixture.under(fixture.root, Label::Key, kind, 0x70, 5),
        };
        fixture.builder.set_source(first, source);
        let mut label = |name: &[u8]| Label::Local(fixture.builder.name(name).unwrap());
        // The innermost call comes first: a waiting coroutine is in a C function.
        let waits = label(b"(function):[C]");
        let labels = [waits, label(b"x:job.lua"), Label::Local(body)];
        for (label, target) in labels.into_iter().zip([print, print, first]) {
            let builder = &mut fixture.builder;
            builder
                .edge(thread, target, label, Strength::Strong)
                .unwrap();
        }
    }
    let parsed = Parsed::new(&fixture.finish());
    let mut names: Vec<_> = (2..parsed.nodes.len())
        .map(|row| parsed.name(row))
        .collect();
    names.sort_unstable();
    let expected = [
        "[C] print",
        "[C] write",
        "coroutine [C]",
        "coroutine job.lua:5",
        "job.lua:5",
        "main thread",
        "t",
    ];
    assert_eq!(names, expected);
}

#[test]
fn weak_references_hold_nothing_and_those_to_garbage_are_left_out() {
    let mut fixture = Fixture::new("t", 0x10, 0);
    let root = fixture.root;
    let alive = fixture.field(root, "alive", Kind::Table, 0x20, 0);
    let (garbage, _) = fixture.builder.node(Kind::Table, 0x30).unwrap();
    for (target, strength) in [
        (alive, Strength::WeakKey),
        (alive, Strength::WeakValue),
        (garbage, Strength::WeakKey),
        (garbage, Strength::WeakValue),
    ] {
        let label = Label::Index(1);
        fixture.builder.edge(root, target, label, strength).unwrap();
    }
    let (parsed, references) = below_root(fixture);
    let weak = (WEAK, "[1]".to_owned(), 3);
    let expected = [(2, "alive".to_owned(), 3), weak.clone(), weak];
    assert_eq!(references, expected);
    assert_eq!(parsed.nodes.len(), 4);
}

#[test]
fn an_ephemerons_value_is_held_by_key_and_table() {
    let mut fixture = Fixture::new("t", 0x10, 0);
    let root = fixture.root;
    let key = fixture.field(root, "key", Kind::Table, 0x20, 0);
    let (dead_key, _) = fixture.builder.node(Kind::Table, 0x30).unwrap();
    let (value, _) = fixture.builder.node(Kind::Table, 0x40).unwrap();
    let (dead_value, _) = fixture.builder.node(Kind::Table, 0x50).unwrap();
    for (key, value) in [(key, value), (dead_key, dead_value), (key, value)] {
        let (label, strength) = (Label::Object(key), Strength::Ephemeron);
        fixture.builder.edge(root, value, label, strength).unwrap();
    }
    let (parsed, references) = below_root(fixture);
    let of_table = (2, "[table]".to_owned(), 4);
    let expected = [(2, "key".to_owned(), 3), of_table.clone(), of_table];
    assert_eq!(references, expected);
    let of_key = (3, "value of this weak key".to_owned(), 4);
    assert_eq!(parsed.references(3), [of_key.clone(), of_key]);
    assert_eq!(parsed.nodes.len(), 5);
}

#[test]
fn sizes_are_exact_up_to_4_gib() {
    let sizes = [0, 1, (1 << 32) - 2, (1 << 32) - 1, 1 << 32, 1 << 40];
    let mut fixture = Fixture::new("t", 0x10, 0);
    for (at, bytes) in sizes.iter().enumerate() {
        let (label, address) = (Label::Index(at as i64), 0x100 + 16 * at as u64);
        let node = fixture.under(fixture.root, label, Kind::Table, address, 0);
        fixture.builder.set_size(node, *bytes);
    }
    let (parsed, references) = below_root(fixture);
    let found: Vec<_> = references
        .iter()
        .map(|edge| parsed.nodes[edge.2][3])
        .collect();
    assert_eq!(found, sizes.map(|bytes: u64| bytes.min((1 << 32) - 1)));
}

#[test]
fn long_strings_are_cut_between_characters() {
    let ends = |text: &str| format!("{}{text}", "a".repeat(1020));
    let keys = [
        ends("bcde"),
        ends("bcdef"),
        ends("bcdé"),
        ends("b\u{10FFFF}"),
    ];
    let keys: Vec<&[u8]> = keys.iter().map(String::as_bytes).collect();
    let parsed = Parsed::new(&keyed(&keys));
    let found: Vec<_> = parsed
        .references(2)
        .into_iter()
        .map(|edge| edge.1)
        .collect();
    let expected = [ends("bcde"), ends("bcde..."), ends("bcd..."), ends("b...")];
    assert_eq!(found, expected);
}

#[test]
fn strings_that_are_no_utf8_are_escaped() {
    let parsed = Parsed::new(&keyed(&[b"a\xffb", b"\0\n\"\\", "\u{FFFD}".as_bytes()]));
    let found: Vec<_> = parsed
        .references(2)
        .into_iter()
        .map(|edge| edge.1)
        .collect();
    let expected = ["a\u{FFFD}FFb", "\0\n\"\\", "\u{FFFD}EF\u{FFFD}BF\u{FFFD}BD"];
    assert_eq!(found, expected);
}

#[test]
fn an_object_has_one_id_in_all_files_and_another_one_another() {
    let file = |addresses: &[u64]| {
        let mut fixture = Fixture::new("t", 0x10, 0);
        for address in addresses {
            let source = fixture
                .builder
                .name(address.to_string().as_bytes())
                .unwrap();
            let label = Label::Index(*address as i64);
            let node = fixture.under(fixture.root, label, Kind::LuaFunction, *address, 0);
            fixture.builder.set_source(node, source);
        }
        Parsed::new(&fixture.finish())
    };
    let (earlier, later) = (file(&[1, 2, 3, 4]), file(&[5, 4, 2, 1]));
    let (earlier, later) = (earlier.ids_by_name(), later.ids_by_name());
    for name in ["t", "1", "2", "4"] {
        assert_eq!(earlier[name], later[name]);
    }
    assert!(later.values().all(|id| *id != earlier["3"]));
    assert!(earlier.values().all(|id| *id != later["5"]));
}

#[test]
fn what_replaces_an_object_at_its_address_has_another_id() {
    let id = |kind, bytes, line| {
        let mut fixture = Fixture::new("t", 0x10, 0);
        let node = fixture.under(fixture.root, Label::Index(1), kind, 0x20, line);
        fixture.builder.set_size(node, bytes);
        Parsed::new(&fixture.finish()).nodes[3][2]
    };
    assert_ne!(id(Kind::Table, 56, 1), id(Kind::Userdata, 56, 1));
    assert_ne!(id(Kind::String, 30, 0), id(Kind::String, 31, 0));
    assert_ne!(id(Kind::LuaFunction, 40, 7), id(Kind::LuaFunction, 40, 8));
    // A table that grew is gone and new, so that Comparison shows by how much. Its entries and stacks do not matter.
    assert_ne!(id(Kind::Table, 56, 1), id(Kind::Table, 88, 1));
    assert_eq!(id(Kind::Table, 56, 1), id(Kind::Table, 56, 2));
    assert_eq!(id(Kind::Thread, 500, 1), id(Kind::Thread, 900, 9));
}

#[test]
fn a_disk_that_is_full_at_any_byte_is_reported() {
    let snapshot = list(3);
    let length = written(write_heapsnapshot, &snapshot).len() as u64;
    for room in 0..length {
        let error = write_heapsnapshot(&mut Disk::with_room(room), &snapshot).unwrap_err();
        assert!(is_full(&error), "{error}");
    }
    write_heapsnapshot(&mut Disk::with_room(length), &snapshot).unwrap();
}

/// A heap with all sorts of references, including those to garbage.
fn heap() -> impl Strategy<Value = Heap> {
    let kinds = prop::sample::select(&Kind::ALL[..]);
    let nodes = prop::collection::vec((kinds, 0..1000u64), 1..30);
    nodes.prop_flat_map(|nodes| {
        let count = nodes.len() as u32 + 1;
        let edge = (0..count, 1..count, 0..12u8, 0..4u8, 1..count);
        prop::collection::vec(edge, 0..90).prop_map(move |edges| build(&nodes, &edges))
    })
}

fn build(nodes: &[(Kind, u64)], edges: &[(u32, u32, u8, u8, u32)]) -> Heap {
    let mut builder = HeapBuilder::new();
    let names: Vec<_> = (0..3)
        .map(|at| builder.name(format!("name {at}").as_bytes()).unwrap())
        .collect();
    for (at, &(kind, bytes)) in nodes.iter().enumerate() {
        let (node, _) = builder.node(kind, 0x1000 + 16 * at as u64).unwrap();
        builder.set_size(node, bytes);
        builder.set_source(node, names[at % 3]);
    }
    for &(source, target, label, strength, key) in edges {
        let name = names[usize::from(label) % 3];
        let label = match label {
            0..3 => Label::Field(name),
            3 => Label::Index(i64::from(target)),
            4 => Label::Index(-i64::from(target)),
            5 => Label::Number(0.5),
            6 => Label::Metatable,
            7 => Label::Local(name),
            8 => Label::Key,
            _ => Label::Object(NodeId(key)),
        };
        let strength = match (source, strength) {
            (0, _) | (_, 0) => Strength::Strong,
            (_, 1) => Strength::WeakKey,
            (_, 2) => Strength::WeakValue,
            _ => Strength::Ephemeron,
        };
        let (source, target) = (NodeId(source), NodeId(target));
        builder.edge(source, target, label, strength).unwrap();
    }
    builder.finish().unwrap()
}

proptest! {
    #[test]
    fn all_that_is_reachable_is_there_and_nothing_else(heap in heap()) {
        let reach = Reach::new(&heap, Through::Everything).unwrap();
        let reached: Vec<_> = heap.nodes().skip(1).filter(|node| reach.contains(*node)).collect();
        let bytes: u64 = reached.iter().map(|node| heap.size(*node)).sum();
        let snapshot = Snapshot::new(heap);
        let parsed = Parsed::new(&snapshot);
        prop_assert_eq!(parsed.nodes.len(), reached.len() + 2);
        prop_assert_eq!(parsed.nodes.iter().map(|node| node[3]).sum::<u64>(), bytes);
        // Objects are written in their own order, so their rows are known.
        let heap = snapshot.everything();
        let rows: HashMap<_, _> = reached.iter().copied().zip(2..).collect();
        for node in &reached {
            let targets: Vec<_> = heap
                .edges(*node)
                .filter(|edge| match (edge.strength, edge.label) {
                    (Strength::Strong, _) => true,
                    (Strength::Ephemeron, Label::Object(key)) => reach.contains(key),
                    (Strength::Ephemeron, _) => true,
                    _ => reach.contains(edge.target),
                })
                .map(|edge| (edge.strength.is_weak(), rows[&edge.target]))
                .collect();
            let of_keys: Vec<_> = reached
                .iter()
                .flat_map(|table| heap.edges(*table))
                .filter(|edge| edge.strength == Strength::Ephemeron)
                .filter(|edge| edge.label == Label::Object(*node))
                .map(|edge| (false, rows[&edge.target]))
                .collect();
            let mut found: Vec<_> = parsed.edges[rows[node]]
                .iter()
                .map(|edge| (edge.0 == WEAK, edge.2))
                .collect();
            let mut expected = [targets, of_keys].concat();
            found.sort_unstable();
            expected.sort_unstable();
            prop_assert_eq!(found, expected);
        }
    }
}
