//! What a snapshot file leaves out on request.

use crate::file_parts::Parts;
use crate::luasnap::saved;
use luasnap_format::{
    FileAnswers, Info, NewAnswers, SaveOptions, TopTable, read_snapshot, write_text,
};
use luasnap_heap::{
    CodePlace, Kind, Label, NameId, NodeId, Provenance, RunOrder, Snapshot, Strength, SweepBuilder,
    ThreadNote, ThreadState, ThreadStatus,
};

/// Builds a heap of objects with texts.
struct Texts {
    builder: SweepBuilder,
    address: u64,
}

impl Texts {
    fn add(&mut self, kind: Kind, text: &str) -> NodeId {
        self.address += 64;
        let node = self.builder.add(kind, self.address, 40).unwrap().unwrap();
        let name = self.builder.intern(text.as_bytes()).unwrap();
        self.builder.set_source(node, name);
        node
    }

    fn name(&mut self, text: &str) -> NameId {
        self.builder.intern(text.as_bytes()).unwrap()
    }
}

/// A program that has secrets as values, as a key, in code, and in garbage.
fn program() -> Snapshot {
    let mut texts = Texts {
        builder: SweepBuilder::default(),
        address: 0x1000,
    };
    texts.builder.begin_run(RunOrder::Allocation).unwrap();
    let table = texts.add(Kind::Table, "");
    let value = texts.add(Kind::String, "SECRET value");
    let key = texts.add(Kind::String, "a key");
    let both = texts.add(Kind::String, "key and value");
    let function = texts.add(Kind::LuaFunction, "game/main.lua");
    let loaded = texts.add(Kind::LuaFunction, "[string \"return 'SECRET code'\"]");
    let chunk = texts.add(Kind::String, "return 'SECRET code'");
    texts.add(Kind::String, "SECRET garbage");
    let name_of_upvalue = texts.add(Kind::String, "upvalue name");
    let thread = texts.add(Kind::Thread, "");
    let [root, key_name, both_name, upvalue, local, local_of_code] = [
        "[REGISTRY]",
        "a key",
        "key and value",
        "upvalue name",
        "local name:game/main.lua",
        "other name:[string \"return 'SECRET code'\"]",
    ]
    .map(|text| texts.name(text));
    let edges = [
        (NodeId::ROOT, table, Label::Root(root)),
        (table, key, Label::Key),
        (table, value, Label::Field(key_name)),
        (table, both, Label::Key),
        (table, both, Label::Field(both_name)),
        (table, function, Label::Index(1)),
        (table, loaded, Label::Index(2)),
        (table, thread, Label::Index(3)),
        (function, table, Label::Upvalue(upvalue)),
        (function, name_of_upvalue, Label::DebugName),
        (loaded, chunk, Label::DebugName),
        (loaded, value, Label::Constant),
        (thread, table, Label::Local(local)),
        (thread, table, Label::Local(local_of_code)),
    ];
    let place = |texts: &mut Texts, source: &str, line| CodePlace {
        source: texts.name(source),
        line,
    };
    let state = ThreadState {
        place: place(&mut texts, "game/main.lua", 7),
        caller: place(&mut texts, "[string \"return 'SECRET code'\"]", 1),
        function: texts.name("waiting function"),
        error: texts.name("SECRET error"),
        ..ThreadState::new(thread, ThreadStatus::Failed)
    };
    texts.builder.note_thread(ThreadNote::new(state)).unwrap();
    for node in (0..texts.builder.node_count() as u32).map(NodeId) {
        texts.builder.begin_edges();
        for (_, target, label) in edges.iter().filter(|edge| edge.0 == node) {
            let edge = texts.builder.edge(*target, *label, Strength::Strong);
            edge.unwrap();
        }
        texts.builder.end_edges(node).unwrap();
    }
    Snapshot::new(texts.builder.finish(Provenance::default()).unwrap())
}

/// Whether the decompressed file has a text anywhere.
fn has(file: &[u8], text: &str) -> bool {
    let parts = Parts::of(file);
    let mut blocks = parts.sections.iter().flat_map(|part| &part.blocks);
    blocks.any(|block| {
        let mut windows = block.windows(text.len());
        windows.any(|window| window == text.as_bytes())
    })
}

const NAMES: [&str; 7] = [
    "waiting function",
    "a key",
    "key and value",
    "game/main.lua",
    "upvalue name",
    "local name",
    "other name",
];

#[test]
fn everything_is_kept_unless_asked_otherwise() {
    let file = saved(&program(), SaveOptions::default());
    for text in NAMES.into_iter().chain([
        "SECRET value",
        "SECRET garbage",
        "SECRET error",
        "return 'SECRET code'",
        "[REGISTRY]",
    ]) {
        assert!(has(&file, text), "{text}");
    }
}

#[test]
fn without_strings_no_value_is_in_the_file() {
    let options = SaveOptions {
        strings: false,
        ..SaveOptions::default()
    };
    let file = saved(&program(), options);
    assert!(!has(&file, "SECRET"));
    assert!(!has(&file, "return"));
    for name in NAMES {
        assert!(has(&file, name), "{name}");
    }
    let snapshot = read_snapshot(&file).unwrap();
    let heap = snapshot.everything();
    let texts: Vec<_> = heap
        .nodes()
        .map(|node| String::from_utf8_lossy(heap.source(node)).into_owned())
        .collect();
    assert_eq!(
        texts,
        [
            "",
            "",
            "",
            "a key",
            "key and value",
            "game/main.lua",
            "[string \"...\"]",
            "",
            "",
            "upvalue name",
            "",
        ]
    );
    let mut text = Vec::new();
    write_text(&mut text, &snapshot).unwrap();
    let text = String::from_utf8(text).unwrap();
    assert!(text.contains("(func: [string \"...\"]:0)"), "{text}");
}

#[test]
fn without_names_numbers_stand_for_them() {
    let options = SaveOptions {
        strings: false,
        names: false,
    };
    let file = saved(&program(), options);
    for text in NAMES.into_iter().chain(["SECRET", "return", "string"]) {
        assert!(!has(&file, text), "{text}");
    }
    assert!(has(&file, "[REGISTRY]"));
    let snapshot = read_snapshot(&file).unwrap();
    let heap = snapshot.everything();
    let name = |label| match label {
        Label::Field(name) | Label::Upvalue(name) | Label::Local(name) => {
            Some(String::from_utf8_lossy(heap.name(name)).into_owned())
        }
        _ => None,
    };
    let edges = heap.nodes().flat_map(|node| heap.edges(node));
    let names: Vec<_> = edges.filter_map(|edge| name(edge.label)).collect();
    assert_eq!(
        names,
        ["key#2", "key#3", "upvalue#8", "local#10", "local#11"]
    );
    let function = heap
        .nodes()
        .find(|node| heap.kind(*node) == Kind::LuaFunction);
    assert_eq!(heap.source(function.unwrap()), b"source#4");
}

#[test]
fn names_alone_can_be_left_out() {
    let options = SaveOptions {
        strings: true,
        names: false,
    };
    let file = saved(&program(), options);
    assert!(has(&file, "SECRET value") && has(&file, "SECRET garbage"));
    for name in NAMES {
        assert!(!has(&file, name), "{name}");
    }
}

#[test]
fn answers_that_are_kept_in_a_file_have_nothing_that_was_left_out_of_it() {
    for (names, secrets) in [
        (true, &[&b"SECRET"[..]][..]),
        (
            false,
            &[b"SECRET", b"local name", b"upvalue name", b"main.lua"],
        ),
    ] {
        let options = SaveOptions {
            strings: false,
            names,
        };
        let redacted = read_snapshot(&saved(&program(), options)).unwrap();
        let table = TopTable::new(&redacted, TopTable::STORED).unwrap();
        let info = Info::new(&redacted, Info::STORED).unwrap();
        let answers = NewAnswers {
            top: Some(&table),
            info: Some(&info),
            growth: None,
            found: Some(&redacted),
        };
        let answers = FileAnswers::new(1, &[]).bytes_with(&answers).unwrap();
        for secret in secrets {
            assert!(!answers.windows(secret.len()).any(|part| part == *secret));
        }
    }
}
