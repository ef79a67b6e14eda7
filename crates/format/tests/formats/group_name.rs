//! The text of groups and paths over everything.

use crate::fixture::Fixture;
use luasnap_format::{
    ReportOptions, fingerprint_text, group_name, path_of_everything, write_report,
};
use luasnap_heap::{
    Engine, Fingerprint, Kind, Label, NodeId, Provenance, Rank, Snapshot, Strength,
};

/// A program under construction, as the native engine captures it: below a registry, with an
/// address for each object.
struct Program {
    fixture: Fixture,
    registry: NodeId,
    last_address: u64,
}

impl Program {
    fn new() -> Program {
        let address = 0x1000;
        let mut fixture = Fixture::new("[REGISTRY]", address, 0);
        let registry = fixture.root;
        fixture.builder.set_size(registry, 100);
        Program {
            fixture,
            registry,
            last_address: address,
        }
    }

    /// Adds an object of `size` bytes below `retainer`.
    fn under(&mut self, retainer: NodeId, label: Label, kind: Kind, size: u64) -> NodeId {
        self.last_address += 16;
        let node = self
            .fixture
            .under(retainer, label, kind, self.last_address, 0);
        self.fixture.builder.set_size(node, size);
        node
    }

    fn field(&mut self, retainer: NodeId, name: &str, kind: Kind, size: u64) -> NodeId {
        let name = self.fixture.builder.name(name.as_bytes()).unwrap();
        self.under(retainer, Label::Field(name), kind, size)
    }

    fn upvalue(&mut self, function: NodeId, name: &str, size: u64) -> NodeId {
        let name = self.fixture.builder.name(name.as_bytes()).unwrap();
        self.under(function, Label::Upvalue(name), Kind::Upvalue, size)
    }

    fn refer(&mut self, from: NodeId, label: Label, to: NodeId) {
        self.fixture
            .builder
            .edge(from, to, label, Strength::Strong)
            .unwrap();
    }

    fn define(&mut self, function: NodeId, chunk: &str, line: u32) {
        let source = self.fixture.builder.name(chunk.as_bytes()).unwrap();
        self.fixture.builder.set_source(function, source);
        self.fixture.builder.set_count(function, line);
    }

    fn finish(mut self, globals: NodeId) -> Snapshot {
        self.fixture.builder.set_globals(globals);
        let provenance = Provenance {
            engine: Engine::Native,
            ..Provenance::default()
        };
        Snapshot::new(self.fixture.builder.finish_reached(provenance).unwrap())
    }
}

/// Three sessions of a class, each with a string, and a closure that has a socket.
fn sessions(class: &str, chunk: &str) -> Snapshot {
    let mut program = Program::new();
    let registry = program.registry;
    let globals = program.under(registry, Label::Index(2), Kind::Table, 100);
    let loaded = program.field(registry, "_LOADED", Kind::Table, 100);
    let metatable = program.field(loaded, class, Kind::Table, 100);
    let sessions = program.field(globals, "sessions", Kind::Table, 100);
    for at in 1..=3 {
        let session = program.under(sessions, Label::Index(at), Kind::Table, 56);
        program.refer(session, Label::Metatable, metatable);
        program.field(session, "token", Kind::String, 25);
        let close = program.field(session, "close", Kind::LuaFunction, 40);
        program.define(close, chunk, 7);
        let upvalue = program.upvalue(close, "socket", 40);
        program.under(upvalue, Label::Value, Kind::Userdata, 400);
    }
    let motto = program.under(globals, Label::Key, Kind::String, 30);
    program.refer(metatable, Label::Key, motto);
    program.finish(globals)
}

#[test]
fn a_report_of_everything() {
    let snapshot = sessions("Session", "main.lua");
    let mut out = Vec::new();
    write_report(
        &mut out,
        &snapshot,
        ReportOptions {
            rows: 7,
            ..ReportOptions::default()
        },
    )
    .unwrap();
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
    let snapshot = sessions("A\nClass", &"é".repeat(100));
    let groups = snapshot.groups().unwrap();
    let name = |kind| {
        let group = groups.groups().iter().find(|group| group.kind == kind);
        let group = group.filter(|group| group.count == 3).unwrap();
        group_name(
            snapshot.everything(),
            snapshot.everything_tree().unwrap(),
            groups,
            group,
        )
        .unwrap()
    };
    let classes = groups.groups().iter().map(|group| {
        group_name(
            snapshot.everything(),
            snapshot.everything_tree().unwrap(),
            groups,
            group,
        )
        .unwrap()
    });
    let shown = r#"class package.loaded.["A\nClass"]"#;
    let classes: Vec<_> = classes.filter(|name| format!("{name}") == shown).collect();
    let [class] = &classes[..] else {
        panic!("one class: {classes:?}");
    };
    assert_eq!(class.bytes(), b"class package.loaded.[\"A\nClass\"]");
    let cut = format!("{}…{}:7", "é".repeat(15), "é".repeat(7));
    assert_eq!(name(Kind::LuaFunction).to_string(), cut);
}

#[test]
fn paths_over_everything_start_where_people_look() {
    let snapshot = sessions("Session", "main.lua");
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
        "_G.sessions",
        "_G.sessions.[1]",
        "_G.sessions.[1].close",
        // The upvalue, and its value.
        "_G.sessions.[1].close.socket",
        "_G.sessions.[1].close.socket",
        "_G.sessions.[1].token",
        "package.loaded",
        "package.loaded.Session",
        "package.loaded.Session.[key]",
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
