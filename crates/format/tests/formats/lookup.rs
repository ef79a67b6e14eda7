//! Finding an object by what a user writes.

use crate::fixture::{Fixture, keyed};
use luasnap_format::{address_of, object_at, object_by_path, object_name, resolve};
use luasnap_heap::{Heap, HeapBuilder, Kind, Label, NodeId, Provenance, Strength};

#[test]
fn addresses_are_told_from_other_words() {
    for (word, expected) in [
        ("0x55d0", Some(0x55d0)),
        ("table:0x55d0", Some(0x55d0)),
        ("table: 0x55d0", Some(0x55d0)),
        ("function: 0xABC", Some(0xabc)),
        ("Player: 0x55d0", Some(0x55d0)),
        ("cdata<int [4]>: 0x55d0", Some(0x55d0)),
        ("a: b: 0x55d0", Some(0x55d0)),
        ("55d0", None),
        ("0x", None),
        ("0xfg", None),
        ("_G.x", None),
        ("a:0x10", None),
        ("", None),
    ] {
        assert_eq!(address_of(word.as_bytes()), expected, "{word}");
    }
    assert_eq!(address_of(b"0x\xff"), None);
}

/// `[REGISTRY]` with the globals at index 2, and in these a table, a closure and odd names.
fn heap() -> Heap {
    let mut builder = HeapBuilder::new();
    let mut node = |kind, at: u64| builder.node(kind, 0x100 * at).unwrap().0;
    let [registry, globals, sessions, item, dotted] =
        [1, 2, 3, 4, 5].map(|at| node(Kind::Table, at));
    let closure = node(Kind::LuaFunction, 6);
    let upvalue = node(Kind::Upvalue, 7);
    let held = node(Kind::Table, 8);
    let mut link =
        |from, to, label: Label| builder.edge(from, to, label, Strength::Strong).unwrap();
    link(globals, item, Label::Index(1));
    link(registry, globals, Label::Index(2));
    link(upvalue, held, Label::Value);
    link(sessions, item, Label::Index(-3));
    link(sessions, globals, Label::Metatable);
    for (from, to, name, make) in [
        (
            NodeId::ROOT,
            registry,
            "[REGISTRY]",
            Label::Root as fn(_) -> _,
        ),
        (globals, sessions, "sessions", Label::Field),
        (globals, dotted, "a.b", Label::Field),
        (globals, held, "a", Label::Field),
        (globals, closure, "serve", Label::Field),
        (closure, upvalue, "cache", Label::Upvalue),
        (held, item, "line\nfeed", Label::Field),
    ] {
        let name = builder.name(name.as_bytes()).unwrap();
        builder
            .edge(from, to, make(name), Strength::Strong)
            .unwrap();
    }
    builder.set_globals(globals);
    builder.finish_reached(Provenance::default()).unwrap()
}

#[test]
fn a_path_leads_to_its_object() {
    let heap = heap();
    for (path, address) in [
        ("_G", 0x200),
        ("_G.sessions", 0x300),
        ("sessions", 0x300),
        ("_G.sessions.[-3]", 0x400),
        ("_G.sessions[-3]", 0x400),
        ("_G.[1]", 0x400),
        ("[REGISTRY]", 0x100),
        ("[REGISTRY].[2].sessions.[metatable].sessions", 0x300),
        ("a.b", 0x500),
        ("a", 0x800),
        ("_G.a.line\\nfeed", 0x400),
        ("serve.cache", 0x800),
        ("_G.serve.cache.line\\nfeed", 0x400),
    ] {
        let node = object_by_path(&heap, path.as_bytes()).unwrap();
        assert_eq!(heap.address(node), address, "{path}");
    }
}

/// As a path is printed, and as the raw bytes of its names.
#[test]
fn what_a_terminal_cannot_show_is_found_either_way() {
    for name in [
        &b"\x1b[31m"[..],
        b"raw \x9b31m",
        b"line\nfeed",
        "c1 \u{9b}31m".as_bytes(),
        "\u{202e}live\u{202c}".as_bytes(),
        "tag\u{e0041}\u{fe0f}".as_bytes(),
    ] {
        let snapshot = keyed(&[name]);
        let heap = snapshot.everything();
        let text = luasnap_format::printable(name);
        assert!(text.chars().all(luasnap_heap::is_printable), "{text:?}");
        for path in [&[b"t.", name].concat()[..], format!("t.{text}").as_bytes()] {
            let node = object_by_path(heap, path).unwrap();
            assert_eq!(heap.address(node), 0x20, "{text}");
            resolve(&snapshot, path).unwrap();
        }
    }
}

#[test]
fn what_is_not_there_is_said_with_what_is_near() {
    let heap = heap();
    for (path, expected) in [
        ("_G.sesions", "_G has no 'sesions'; is it sessions?"),
        ("_G.sessions.[-4]", "_G.sessions has no '[-4]'; is it [-3]?"),
        ("_G.sessions.x.y", "_G.sessions has no 'x.y'"),
        (
            "serv.cache",
            "the snapshot has no 'serv.cache'; is it serve?",
        ),
        ("_Gx", "the snapshot has no '_Gx'"),
        ("", "the snapshot has no ''"),
        ("serve\n", "the snapshot has no 'serve\\n'; is it serve?"),
    ] {
        let error = object_by_path(&heap, path.as_bytes()).unwrap_err();
        assert_eq!(error.to_string(), expected, "{path}");
    }
    for (address, expected) in [
        (
            0x3f0,
            "no object lies at 0x3f0; the nearest are table:0x300 and table:0x400",
        ),
        (0x3, "no object lies at 0x3; the nearest is table:0x100"),
        (
            0x3000,
            "no object lies at 0x3000; the nearest is table:0x800",
        ),
    ] {
        let error = object_at(&heap, address).unwrap_err();
        assert_eq!(error.to_string(), expected);
    }
    let nothing = Heap::default();
    assert!(object_at(&nothing, 1).is_err());
    assert!(object_by_path(&nothing, b"_G").is_err());
}

#[test]
fn an_object_at_an_address() {
    let heap = heap();
    let node = object_at(&heap, 0x600).unwrap();
    assert_eq!(object_name(&heap, node), "function:0x600");
    let one = Fixture::new("tbl", 0x10, 0).finish();
    assert_eq!(object_at(one.everything(), 0x10).unwrap(), NodeId(1));
}
