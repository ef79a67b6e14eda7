//! To users, a heap of everything looks like one of the objects alone.

use crate::fixture::written;
use luasnap_format::{ReportOptions, write_json, write_json_indented, write_report, write_text};
use luasnap_heap::{
    HeapBuilder, Kind, Label, NodeId, Provenance, RunOrder, Snapshot, Strength, SweepBuilder,
    decrease, increase,
};

const ROOT: u64 = 0x100;
const FUNCTION: u64 = 0x200;
const VALUE: u64 = 0x300;
const KEY: u64 = 0x400;
const CACHE: u64 = 0x500;

/// The objects: a function with an upvalue, a table under an object, an entry whose key is gone.
fn objects(more: bool) -> Snapshot {
    let mut builder = HeapBuilder::new();
    let mut node = |kind, address, count| {
        let (node, _) = builder.node(kind, address).unwrap();
        builder.set_count(node, count);
        node
    };
    let root = node(Kind::Table, ROOT, 3 + u32::from(more));
    let function = node(Kind::LuaFunction, FUNCTION, 7);
    let value = node(Kind::Table, VALUE, 0);
    let key = node(Kind::Userdata, KEY, 0);
    let cache = node(Kind::Table, CACHE, 1);
    let source = builder.name(b"main.lua").unwrap();
    builder.set_source(function, source);
    let [t, f, up, k, cache_name] =
        [&b"t"[..], b"f", b"up", b"k", b"cache"].map(|name| builder.name(name).unwrap());
    for (source, target, label, strength) in [
        (NodeId::ROOT, root, Label::Root(t), Strength::Strong),
        (root, function, Label::Field(f), Strength::Strong),
        (root, key, Label::Field(k), Strength::Strong),
        (root, cache, Label::Field(cache_name), Strength::Strong),
        (function, value, Label::Upvalue(up), Strength::Strong),
        (cache, key, Label::Key, Strength::WeakKey),
        (cache, value, Label::Object(key), Strength::Ephemeron),
        (
            cache,
            cache,
            Label::Address(Kind::Table, 0x600),
            Strength::Strong,
        ),
    ] {
        builder.edge(source, target, label, strength).unwrap();
    }
    if more {
        let (new, _) = builder.node(Kind::Thread, 0x900).unwrap();
        builder
            .edge(root, new, Label::Index(1), Strength::Strong)
            .unwrap();
    }
    Snapshot::new(builder.finish_reached(Provenance::default()).unwrap())
}

/// The same, and everything else that a VM has: strings, a prototype, an upvalue, garbage.
fn everything(more: bool) -> Snapshot {
    let mut builder = SweepBuilder::default();
    builder.begin_run(RunOrder::Allocation).unwrap();
    let mut node = |kind, address, count| {
        let node = builder.add(kind, address, 0).unwrap().unwrap();
        builder.set_count(node, count);
        node
    };
    let new = more.then(|| node(Kind::Thread, 0x900, 0));
    let string = node(Kind::String, 0x700, 0);
    let garbage = node(Kind::Table, 0x600, 9);
    let cache = node(Kind::Table, CACHE, 1);
    let key = node(Kind::Userdata, KEY, 0);
    let prototype = node(Kind::Prototype, 0x750, 7);
    let upvalue = node(Kind::Upvalue, 0x800, 0);
    let value = node(Kind::Table, VALUE, 0);
    let function = node(Kind::LuaFunction, FUNCTION, 7);
    let root = node(Kind::Table, ROOT, 3 + u32::from(more));
    let source = builder.intern(b"main.lua").unwrap();
    builder.set_source(function, source);
    let [t, f, up, k, cache_name] =
        [&b"t"[..], b"f", b"up", b"k", b"cache"].map(|name| builder.intern(name).unwrap());
    let mut of_root = vec![
        (string, Label::Key, Strength::Strong),
        (function, Label::Field(f), Strength::Strong),
        (key, Label::Field(k), Strength::Strong),
        (cache, Label::Field(cache_name), Strength::Strong),
    ];
    of_root.extend(new.map(|new| (new, Label::Index(1), Strength::Strong)));
    for (source, edges) in [
        (
            NodeId::ROOT,
            vec![
                (root, Label::Root(t), Strength::Strong),
                (string, Label::Root(t), Strength::Strong),
            ],
        ),
        (root, of_root),
        (
            function,
            vec![
                (prototype, Label::Prototype, Strength::Strong),
                (upvalue, Label::Upvalue(up), Strength::Strong),
            ],
        ),
        (upvalue, vec![(value, Label::Value, Strength::Strong)]),
        (prototype, vec![(string, Label::Constant, Strength::Strong)]),
        (
            cache,
            vec![
                (key, Label::Key, Strength::WeakKey),
                (value, Label::Object(key), Strength::Ephemeron),
                (garbage, Label::Key, Strength::WeakKey),
                (value, Label::Object(garbage), Strength::Ephemeron),
                (cache, Label::Object(garbage), Strength::Strong),
            ],
        ),
        (garbage, vec![(root, Label::Index(1), Strength::Strong)]),
    ] {
        builder.begin_edges();
        for (target, label, strength) in edges {
            builder.edge(target, label, strength).unwrap();
        }
        builder.end_edges(source).unwrap();
    }
    Snapshot::new(builder.finish(Provenance::default()).unwrap())
}

#[test]
fn both_engines_heaps_are_written_alike() {
    let differences = |of: fn(bool) -> Snapshot| {
        [
            of(false),
            increase(&of(false), &of(true)).unwrap(),
            decrease(&of(true), &of(false)).unwrap(),
        ]
    };
    let report = |out: &mut dyn std::io::Write, snapshot: &Snapshot| {
        write_report(out, snapshot, ReportOptions::default())
    };
    for (a, b) in differences(objects).iter().zip(&differences(everything)) {
        assert_eq!(a.len(), b.len());
        assert_eq!(written(write_text, a), written(write_text, b));
        assert_eq!(written(write_json, a), written(write_json, b));
        let indented = written(write_json_indented, a);
        assert_eq!(indented, written(write_json_indented, b));
        if a.is_difference() {
            assert_eq!(written(report, a), written(report, b));
        }
    }
    let text = written(write_text, &everything(false));
    let links: Vec<_> = text
        .lines()
        .skip(1)
        .filter_map(|row| row.split('\t').nth(3))
        .collect();
    let expected = ["t", "t.cache", "t.cache.[userdata:0x400]", "t.f", "t.k"];
    assert_eq!(links, expected);
}
