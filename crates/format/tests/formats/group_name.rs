//! What groups and paths over everything read like.

use luasnap_format::{
    ReportOptions, fingerprint_text, group_name, path_of_everything, write_report,
};
use luasnap_heap::{
    Engine, Fingerprint, Kind, Label, NodeId, Provenance, Rank, RunOrder, Snapshot, Strength,
    SweepBuilder,
};

/// A program as the native engine finds it: sessions of a class, each with a string, and a closure
/// for each.
fn program(class: &str, chunk: &str) -> Snapshot {
    let mut builder = SweepBuilder::default();
    builder.begin_run(RunOrder::Allocation).unwrap();
    let mut address = 0x1000;
    let mut add = |builder: &mut SweepBuilder, kind, size| {
        address += 16;
        builder.add(kind, address, size).unwrap().unwrap()
    };
    let mut edges = Vec::new();
    let name = |builder: &mut SweepBuilder, text: &str| builder.intern(text.as_bytes()).unwrap();
    let mut hold = |from, to, label| edges.push((from, to, label));
    let registry = add(&mut builder, Kind::Table, 100);
    let loaded = add(&mut builder, Kind::Table, 100);
    let globals = add(&mut builder, Kind::Table, 100);
    let metatable = add(&mut builder, Kind::Table, 100);
    let sessions = add(&mut builder, Kind::Table, 100);
    let source = name(&mut builder, chunk);
    for (from, to, label) in [
        (
            NodeId::ROOT,
            registry,
            Label::Root(name(&mut builder, "[REGISTRY]")),
        ),
        (registry, globals, Label::Index(2)),
        (
            registry,
            loaded,
            Label::Field(name(&mut builder, "_LOADED")),
        ),
        (loaded, metatable, Label::Field(name(&mut builder, class))),
        (
            globals,
            sessions,
            Label::Field(name(&mut builder, "sessions")),
        ),
    ] {
        hold(from, to, label);
    }
    for at in 1..=3 {
        let session = add(&mut builder, Kind::Table, 56);
        hold(sessions, session, Label::Index(at));
        hold(session, metatable, Label::Metatable);
        let token = add(&mut builder, Kind::String, 25);
        hold(session, token, Label::Field(name(&mut builder, "token")));
        let function = add(&mut builder, Kind::LuaFunction, 40);
        builder.set_source(function, source);
        builder.set_count(function, 7);
        hold(session, function, Label::Field(name(&mut builder, "close")));
        let upvalue = add(&mut builder, Kind::Upvalue, 40);
        hold(
            function,
            upvalue,
            Label::Upvalue(name(&mut builder, "socket")),
        );
        let socket = add(&mut builder, Kind::Userdata, 400);
        hold(upvalue, socket, Label::Value);
    }
    let motto = add(&mut builder, Kind::String, 30);
    hold(globals, motto, Label::Key);
    hold(metatable, motto, Label::Key);
    for node in (0..builder.node_count() as u32).map(NodeId) {
        builder.begin_edges();
        for (_, to, label) in edges.iter().filter(|edge| edge.0 == node) {
            builder.edge(*to, *label, Strength::Strong).unwrap();
        }
        builder.end_edges(node).unwrap();
    }
    builder.set_globals(globals);
    let provenance = Provenance {
        engine: Engine::Native,
        ..Provenance::default()
    };
    Snapshot::new(builder.finish(provenance).unwrap())
}

#[test]
fn a_report_of_everything() {
    let snapshot = program("Session", "main.lua");
    let mut out = Vec::new();
    write_report(&mut out, &snapshot, ReportOptions { rows: 7 }).unwrap();
    let expected = "\
11 groups hold 21 objects, 2.2 KiB:

      objects       bytes    retained  type      held by
            3     1.2 KiB     1.2 KiB  userdata  _G.sessions.[*].close.socket
                                                 e.g. _G.sessions.[1].close.socket
            3       168 B     1.6 KiB  table     class package.loaded.Session
                                                 e.g. _G.sessions.[1]
            3       120 B     1.4 KiB  function  _G.sessions.[*].close  (defined at main.lua:7)
                                                 e.g. _G.sessions.[1].close
            3       120 B     1.3 KiB  upvalue   _G.sessions.[*].close.socket
                                                 e.g. _G.sessions.[1].close.socket
            1       100 B     2.2 KiB  table     [REGISTRY]
            1       100 B     1.8 KiB  table     _G
            1       100 B       100 B  table     package.loaded
  ... and 4 smaller groups
";
    let text = String::from_utf8(out).unwrap();
    assert_eq!(text, expected);
}

#[test]
fn names_that_a_terminal_cannot_show_and_long_ones() {
    let snapshot = program("A\nClass", &"é".repeat(100));
    let groups = snapshot.groups().unwrap();
    let name = |kind| {
        let group = groups.groups().iter().find(|group| group.kind == kind);
        let group = group.filter(|group| group.count == 3).unwrap();
        group_name(&snapshot, groups, group).unwrap()
    };
    let classes = groups
        .groups()
        .iter()
        .map(|group| group_name(&snapshot, groups, group).unwrap());
    let shown = r"class package.loaded.A\nClass";
    let classes: Vec<_> = classes.filter(|name| name.to_string() == shown).collect();
    let [class] = &classes[..] else {
        panic!("one class: {classes:?}");
    };
    assert_eq!(class.bytes(), b"class package.loaded.A\nClass");
    let cut = format!("{}...:7", "é".repeat(24));
    assert_eq!(name(Kind::LuaFunction).to_string(), cut);
}

#[test]
fn chains_over_everything_start_where_people_look() {
    let snapshot = program("Session", "main.lua");
    let tree = snapshot.everything_tree().unwrap();
    let mut paths: Vec<_> = (0..tree.len() as u32)
        .map(|rank| {
            path_of_everything(&snapshot, Rank(rank))
                .unwrap()
                .to_string()
        })
        .filter(|path| !path.contains("[2]") && !path.contains("[3]"))
        .collect();
    paths.sort();
    let expected = [
        "[REGISTRY]",
        "_G",
        "_G.[key]",
        "_G.sessions",
        "_G.sessions.[1]",
        "_G.sessions.[1].close",
        // The upvalue, and what it holds.
        "_G.sessions.[1].close.socket",
        "_G.sessions.[1].close.socket",
        "_G.sessions.[1].token",
        "package.loaded",
        "package.loaded.Session",
    ];
    assert_eq!(paths, expected);
}

#[test]
fn fingerprints_are_twelve_digits() {
    assert_eq!(
        fingerprint_text(Fingerprint(0x0012_3456_789A_BCDE)),
        "00123456789a"
    );
    assert_eq!(fingerprint_text(Fingerprint(u64::MAX)), "f".repeat(12));
}
