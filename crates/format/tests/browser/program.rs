//! The heaps whose pages are opened: a game server that leaks, with names that an attacker chose.

use luasnap_heap::{
    CodePlace, Engine, HeapBuilder, Kind, Label, NodeId, ProcessMemory, Provenance, Snapshot,
    Strength, ThreadNote, ThreadState, ThreadStatus,
};

/// Keys of tables, each of which would do something if it were taken for HTML or obeyed.
pub const HOSTILE: [&str; 5] = [
    "<img src=x onerror=\"window.hacked=1\">",
    "</script><script>window.hacked=1</script>",
    "a\u{202e}b\nc\td",
    "javascript:window.hacked=1",
    "שלום עולם",
];

struct Server {
    builder: HeapBuilder,
    address: u64,
}

impl Server {
    fn node(&mut self, kind: Kind, size: u64) -> NodeId {
        self.address += 0x40;
        let (node, _) = self.builder.node(kind, self.address).unwrap();
        self.builder.set_size(node, size);
        node
    }

    fn edge(&mut self, from: NodeId, to: NodeId, label: Label) {
        self.builder
            .edge(from, to, label, Strength::Strong)
            .unwrap();
    }

    fn field(&mut self, from: NodeId, name: &str, kind: Kind, size: u64) -> NodeId {
        let node = self.node(kind, size);
        let name = self.builder.name(name.as_bytes()).unwrap();
        self.edge(from, node, Label::Field(name));
        node
    }

    /// Objects with something to say that is no name: tables of a class without one, coroutines that wait, and tables
    /// that C code keeps. Returns their bytes.
    fn what_is_said(&mut self, [registry, globals]: [NodeId; 2], waiting: u64) -> u64 {
        let pool = self.field(globals, "pool", Kind::Table, 500);
        let metatable = self.node(Kind::Table, 100);
        for index in 1..=3 {
            let object = self.node(Kind::Table, 2_000);
            self.builder.set_count(object, 7);
            self.edge(pool, object, Label::Index(index));
            self.edge(object, metatable, Label::Metatable);
        }
        let jobs = self.field(globals, "jobs", Kind::Table, 500);
        let source = self.builder.name(b"jobs.lua").unwrap();
        for at in 1..=waiting {
            let job = self.node(Kind::Thread, 1_000);
            self.edge(jobs, job, Label::Index(at as i64));
            let state = ThreadState {
                place: CodePlace { source, line: 12 },
                ..ThreadState::new(job, ThreadStatus::Suspended)
            };
            self.builder.note_thread(ThreadNote::new(state)).unwrap();
            let kept = self.node(Kind::Table, 800);
            self.edge(registry, kept, Label::Index(at as i64 + 2));
        }
        2 * 500 + 100 + 3 * 2_000 + waiting * 1_800
    }

    fn text(&mut self, from: NodeId, name: &str, text: &str) {
        let string = self.field(from, name, Kind::String, 25 + text.len() as u64);
        let text = self.builder.name(text.as_bytes()).unwrap();
        self.builder.set_source(string, text);
    }
}

/// A server with this many sessions, at a minute.
pub fn server(sessions: u64, minute: u64) -> Snapshot {
    let mut server = Server {
        builder: HeapBuilder::new(),
        address: 0x1000,
    };
    let registry = server.node(Kind::Table, 500);
    let root = server.builder.name(b"[REGISTRY]").unwrap();
    server.edge(NodeId::ROOT, registry, Label::Root(root));
    let globals = server.node(Kind::Table, 1024);
    server.builder.set_globals(globals);
    let root = server.builder.name(b"_G").unwrap();
    server.edge(NodeId::ROOT, globals, Label::Root(root));
    let of_server = server.field(globals, "server", Kind::Table, 56);
    let all = server.field(of_server, "sessions", Kind::Table, 56 + 40 * sessions);
    let log = server.field(of_server, "log", Kind::Table, 20_000);
    let hostile = server.field(globals, "hostile", Kind::Table, 30_000);
    for name in HOSTILE {
        let table = server.field(hostile, name, Kind::Table, 9_000);
        server.text(table, "text", name);
    }
    // Hundreds of functions, so that there are more groups than rows at first.
    for line in 1..=80u32 {
        let function = server.node(Kind::LuaFunction, 400);
        server.builder.set_count(function, line);
        let source = server.builder.name(b"lib/handlers.lua").unwrap();
        server.builder.set_source(function, source);
        server.edge(log, function, Label::Index(line.into()));
    }
    for number in 0..sessions {
        let session = server.node(Kind::Table, 120);
        let key = server
            .builder
            .name(format!("s{number}").as_bytes())
            .unwrap();
        server.edge(all, session, Label::Field(key));
        let inventory = server.field(session, "inventory", Kind::Table, 200);
        server.text(
            inventory,
            "sword",
            "the sword of the long and forgotten night",
        );
        server.text(
            session,
            "agent",
            "Mozilla/5.0 (Windows NT 10.0; Win64; x64)",
        );
    }
    let said = 500 + server.what_is_said([registry, globals], sessions / 50);
    let in_use = said
        + 56
        + 1024
        + 56
        + 40 * sessions
        + 20_000
        + 30_000
        + 5 * 9_100
        + 80 * 400
        + sessions * 500;
    let heap = server.builder.finish_reached(Provenance {
        engine: Engine::Native,
        vm: "Lua 5.4".into(),
        layout: Some("5.4.3 to 5.4.9".into()),
        taken_at: Some(1_790_000_000_000 + 60_000 * minute),
        total: Some(2 * in_use),
        process_memory: ProcessMemory {
            resident: Some(3 * in_use),
            ..ProcessMemory::default()
        },
        ..Provenance::default()
    });
    Snapshot::new(heap.unwrap())
}

/// A small program, as the portable engine sees it.
pub fn portable() -> Snapshot {
    let mut server = Server {
        builder: HeapBuilder::new(),
        address: 0x1000,
    };
    let globals = server.node(Kind::Table, 1024);
    let root = server.builder.name(b"_G").unwrap();
    server.edge(NodeId::ROOT, globals, Label::Root(root));
    server.field(globals, "config", Kind::Table, 500);
    Snapshot::new(server.builder.finish().unwrap())
}
