//! Whose objects are: the rules one by one on programs made by hand, and how owners spread against the most naive
//! method on random ones.

use crate::program::{Program, Step};
use crate::shape;
use luasnap_heap::{
    Census, Heap, Kind, Label, MAX_SHARERS, NodeId, OwnerKind, Owners, Provenance, Snapshot,
    Strength, SweepBuilder,
};
use proptest::prelude::*;
use std::collections::{BTreeMap, BTreeSet};

/// The owner of an object, by its address in [`Program::finish`]: a name, or a kind in parentheses.
fn owner(snapshot: &Snapshot, owners: &Owners, object: usize) -> String {
    let heap = snapshot.everything();
    let address = 0x1000 + 16 * (object as u64 - 1);
    let node = heap.nodes().find(|node| heap.address(*node) == address);
    text(owners, node.unwrap())
}

fn text(owners: &Owners, node: NodeId) -> String {
    let Some(place) = owners.of(node) else {
        return "(not live)".to_owned();
    };
    let owner = &owners.owners()[place];
    match owner.kind {
        OwnerKind::Code => String::from_utf8_lossy(&owner.name).into_owned(),
        kind => format!("({kind:?})").to_lowercase(),
    }
}

/// Asserts whose these objects are.
#[track_caller]
fn assert_owners(program: &Program, expected: &[(usize, &str)]) {
    let snapshot = program.finish();
    let owners = Owners::new(&snapshot).unwrap();
    for &(object, expected) in expected {
        let found = owner(&snapshot, &owners, object);
        assert_eq!(found, expected, "object {object}");
    }
    assert_adds_up(&snapshot, &owners);
}

#[track_caller]
fn assert_adds_up(snapshot: &Snapshot, owners: &Owners) {
    let live = Census::new(snapshot).unwrap().live;
    let rows = owners.owners();
    let count: u64 = rows.iter().map(|owner| owner.live.count).sum();
    let bytes: u64 = rows.iter().map(|owner| owner.live.bytes).sum();
    assert_eq!((count, bytes), (live.count, live.bytes));
    assert!(rows.is_sorted_by(|a, b| a.live.bytes >= b.live.bytes));
    assert!(rows.iter().all(|owner| owner.live.count > 0));
}

/// Adds a function in a field of the globals, with its code; returns both.
fn global_function(program: &mut Program, name: &str, source: &str) -> (usize, usize) {
    let globals = program.globals;
    let function = program.function(globals, Step::Field(name.to_owned()), source, 1);
    let code = program.under(function, Kind::Prototype, Step::Plain(Label::Prototype));
    program.define(code, source, 1);
    (function, code)
}

#[test]
fn upvalues_belong_to_the_code_that_has_them() {
    let mut program = Program::new();
    let (a, _) = global_function(&mut program, "a", "./plugins/a.lua");
    let (b, _) = global_function(&mut program, "b", "./plugins/b.lua");
    let cache = program.add(Kind::Table);
    let upvalue = program.upvalue(a, "cache", cache);
    let entry = program.index(cache, Kind::Table, 1);
    // `b` has it in a table of its own: what code holds itself is not taken away by that.
    let list = program.add(Kind::Table);
    program.upvalue(b, "list", list);
    program.refer(list, cache, Step::Plain(Label::Index(1)));
    // What only tables hold is that of all of them.
    let both = program.index(cache, Kind::Table, 2);
    let below = program.index(both, Kind::Table, 1);
    program.refer(list, both, Step::Plain(Label::Index(2)));
    // An upvalue that two functions share.
    let common = program.add(Kind::Table);
    let shared = program.upvalue(a, "common", common);
    program.refer(b, shared, Step::Upvalue("common"));
    assert_owners(
        &program,
        &[
            (a, "plugins/a"),
            (upvalue, "plugins/a"),
            (cache, "plugins/a"),
            (entry, "plugins/a"),
            (list, "plugins/b"),
            (both, "(shared)"),
            (below, "(shared)"),
            (shared, "(shared)"),
            (common, "(shared)"),
            (program.globals, "(lua)"),
        ],
    );
}

#[test]
fn what_is_shared_names_those_who_share_it() {
    let mut program = Program::new();
    let plugins: Vec<usize> = ["a", "b", "c", "d"]
        .iter()
        .map(|name| global_function(&mut program, name, &format!("./plugins/{name}.lua")).0)
        .collect();
    let share = |program: &mut Program, plugins: &[usize], bytes: u64| {
        let table = program.add(Kind::Table);
        program.set_size(table, bytes);
        for &plugin in plugins {
            let list = program.add(Kind::Table);
            program.set_size(list, 0);
            program.upvalue(plugin, "list", list);
            program.refer(list, table, Step::Plain(Label::Index(1)));
        }
        table
    };
    share(&mut program, &plugins[..2], 5000);
    let below = share(&mut program, &plugins[1..3], 1000);
    program.index(below, Kind::Table, 1);
    share(&mut program, &plugins, 3000);
    share(&mut program, &plugins[..3], 20_000);
    let snapshot = program.finish();
    let owners = Owners::new(&snapshot).unwrap();
    let shared = owners
        .owners()
        .iter()
        .find(|of| of.kind == OwnerKind::Shared);
    let shared = shared.unwrap();
    let listed: Vec<(Vec<String>, u64, u64)> = shared
        .sharings
        .iter()
        .map(|of| {
            let names = of
                .owners
                .iter()
                .map(|of| String::from_utf8_lossy(&of.1).into_owned());
            (names.collect(), of.live.count, of.live.bytes)
        })
        .collect();
    let names = |names: &[&str]| names.iter().map(|name| format!("plugins/{name}")).collect();
    let expected: Vec<(Vec<String>, u64, u64)> = vec![
        (names(&["a", "b", "c"]), 1, 20_000),
        (names(&["a", "b"]), 1, 5000),
        (names(&[]), 1, 3000),
        (names(&["b", "c"]), 2, 1100),
    ];
    assert_eq!(listed, expected);
    assert_eq!(shared.live.bytes, 29_100);
    let mut others = owners
        .owners()
        .iter()
        .filter(|of| of.kind != OwnerKind::Shared);
    assert!(others.all(|of| of.sharings.is_empty()));
}

#[test]
fn files_of_one_folder_are_one_owner() {
    let mut program = Program::new();
    let (a, _) = global_function(&mut program, "a", "./plugins/chat/a.lua");
    let (b, _) = global_function(&mut program, "b", "./plugins/chat/b.lua");
    let table = program.add(Kind::Table);
    let upvalue = program.upvalue(a, "state", table);
    program.refer(b, upvalue, Step::Upvalue("state"));
    assert_owners(&program, &[(table, "plugins/chat")]);
}

#[test]
fn globals_belong_to_the_only_code_that_names_them() {
    let mut program = Program::new();
    let (_, a) = global_function(&mut program, "a", "a.lua");
    let (_, b) = global_function(&mut program, "b", "b.lua");
    let globals = program.globals;
    let [one, two, none] =
        ["one", "two", "none"].map(|name| program.field(globals, Kind::Table, name));
    let below = program.field(one, Kind::Table, "x");
    for (code, name) in [(a, "one"), (a, "two"), (b, "two")] {
        let constant = program.string(name);
        program.refer(code, constant, Step::Plain(Label::Constant));
    }
    assert_owners(
        &program,
        &[
            (one, "a.lua"),
            (below, "a.lua"),
            (two, "(shared)"),
            (none, "(unknown)"),
        ],
    );
}

#[test]
fn without_constants_the_functions_in_globals_say_whose_they_are() {
    let mut program = Program::new();
    let globals = program.globals;
    let [one, two, none] =
        ["one", "two", "none"].map(|name| program.field(globals, Kind::Table, name));
    for (table, name, source) in [
        (one, "f", "a.lua"),
        (two, "f", "a.lua"),
        (two, "g", "b.lua"),
    ] {
        program.function(table, Step::Field(name.to_owned()), source, 1);
    }
    let below = program.field(one, Kind::Table, "x");
    assert_owners(
        &program,
        &[
            (one, "a.lua"),
            (below, "a.lua"),
            (two, "(shared)"),
            (none, "(unknown)"),
        ],
    );
}

#[test]
fn modules_belong_to_their_files() {
    let mut program = Program::new();
    let loaded = program.loaded;
    let http = program.field(loaded, Kind::Table, "socket.http");
    let get = program.function(
        http,
        Step::Field("get".to_owned()),
        "/opt/rocks/socket/http.lua",
        1,
    );
    let core = program.field(loaded, Kind::Table, "socket.core");
    let connect = program.field(core, Kind::CFunction, "connect");
    let settings = program.field(loaded, Kind::Table, "game.settings");
    let string = program.field(loaded, Kind::Table, "string");
    let trim = program.function(string, Step::Field("trim".to_owned()), "main.lua", 1);
    let format = program.field(string, Kind::CFunction, "format");
    // Another module has a function of the standard library, and everybody has modules.
    program.refer(http, format, Step::Field("format".to_owned()));
    program.upvalue(trim, "http", http);
    let pool = program.field(http, Kind::Table, "pool");
    let proxy = program.field(http, Kind::Table, "proxy");
    program.upvalue(trim, "proxy", proxy);
    program.upvalue(get, "core", core);
    assert_owners(
        &program,
        &[
            (http, "socket"),
            (get, "socket"),
            (pool, "socket"),
            (proxy, "(shared)"),
            (core, "socket"),
            (connect, "socket"),
            (settings, "game"),
            (string, "(lua)"),
            (format, "(lua)"),
            (trim, "main.lua"),
            (loaded, "(lua)"),
        ],
    );
}

#[test]
fn stacks_come_last_and_each_slot_is_of_the_code_in_whose_call_it_is() {
    let mut program = Program::new();
    let (a, _) = global_function(&mut program, "a", "a.lua");
    let registry = program.registry;
    let coroutine = program.index(registry, Kind::Thread, 3);
    let body = program.function(coroutine, Step::Local("(function):b.lua"), "b.lua", 1);
    let own = program.under(coroutine, Kind::Table, Step::Local("own:b.lua"));
    let other = program.under(coroutine, Kind::Table, Step::Local("other:a.lua"));
    let c = program.under(coroutine, Kind::Table, Step::Local("(temporary):[C]"));
    let held = program.add(Kind::Table);
    program.upvalue(a, "held", held);
    program.refer(coroutine, held, Step::Local("held:b.lua"));
    assert_owners(
        &program,
        &[
            (coroutine, "b.lua"),
            (body, "b.lua"),
            (own, "b.lua"),
            (other, "a.lua"),
            (c, "b.lua"),
            (held, "a.lua"),
        ],
    );
}

#[test]
fn code_without_a_name_is_that_of_whoever_holds_it() {
    let mut program = Program::new();
    let (a, _) = global_function(&mut program, "a", "a.lua");
    let templates = program.add(Kind::Table);
    program.upvalue(a, "templates", templates);
    let text = "[string \"return 1\"]";
    let template = program.function(templates, Step::Plain(Label::Index(1)), text, 1);
    let value = program.add(Kind::Table);
    program.upvalue(template, "value", value);
    let globals = program.globals;
    let alone = program.function(globals, Step::Field("f".to_owned()), text, 1);
    let below = program.add(Kind::Table);
    program.upvalue(alone, "x", below);
    assert_owners(
        &program,
        &[
            (template, "a.lua"),
            (value, "a.lua"),
            (alone, "(unnamed)"),
            (below, "(unnamed)"),
        ],
    );
}

#[test]
fn references_of_c_code_belong_to_the_functions_in_them() {
    let mut program = Program::new();
    let registry = program.registry;
    let function = program.function(registry, Step::Plain(Label::Index(3)), "a.lua", 1);
    let handlers = program.index(registry, Kind::Table, 4);
    program.function(handlers, Step::Field("on".to_owned()), "b.lua", 1);
    let data = program.index(registry, Kind::Table, 5);
    assert_owners(
        &program,
        &[
            (function, "a.lua"),
            (handlers, "b.lua"),
            (data, "(unknown)"),
        ],
    );
}

#[test]
fn an_environment_that_a_host_gives_to_several_scripts_has_globals() {
    let mut program = Program::new();
    let (a, code) = global_function(&mut program, "a", "a.lua");
    let (b, _) = global_function(&mut program, "b", "b.lua");
    let sandbox = program.add(Kind::Table);
    let upvalue = program.upvalue(a, "_ENV", sandbox);
    program.refer(b, upvalue, Step::Upvalue("_ENV"));
    let of_a = program.field(sandbox, Kind::Table, "of_a");
    let constant = program.string("of_a");
    program.refer(code, constant, Step::Plain(Label::Constant));
    let nobodys = program.field(sandbox, Kind::Table, "nobodys");
    assert_owners(
        &program,
        &[
            (sandbox, "(shared)"),
            (of_a, "a.lua"),
            (nobodys, "(unknown)"),
        ],
    );
}

#[test]
fn whole_names_of_chunks_are_better_than_their_ends() {
    let mut program = Program::new();
    let end = "...x/start/telescope.nvim/lua/telescope/pickers/layout.lua";
    let (function, code) = global_function(&mut program, "a", end);
    let name = program.string(
        "@/home/me/.local/share/nvim/site/pack/x/start/telescope.nvim/lua/telescope/pickers/layout.lua",
    );
    program.refer(code, name, Step::Plain(Label::DebugName));
    assert_owners(&program, &[(function, "telescope.nvim")]);
}

#[test]
fn odd_sources_have_names() {
    for (source, expected) in [
        ("", "(unnamed)"),
        ("?", "(unnamed)"),
        ("(load)", "(unnamed)"),
        ("[C]", "(unnamed)"),
        ("stdin", "stdin"),
        ("(command line)", "(command line)"),
        (
            "content_by_lua(nginx.conf:59)",
            "content_by_lua(nginx.conf:59)",
        ),
        (".\\plugins\\chat\\init.lua", "plugins/chat"),
        ("[builtin:table]", "(lua)"),
        ("shared", "shared"),
        ("/", "/"),
        ("///", "///"),
        ("...", "..."),
    ] {
        let mut program = Program::new();
        let (function, _) = global_function(&mut program, "a", source);
        assert_owners(&program, &[(function, expected)]);
    }
}

#[test]
fn the_example_is_where_most_of_it_is() {
    let mut program = Program::new();
    let (a, _) = global_function(&mut program, "a", "a.lua");
    let cache = program.add(Kind::Table);
    program.upvalue(a, "cache", cache);
    for index in 1..=10 {
        let entry = program.index(cache, Kind::Table, index);
        program.index(entry, Kind::Table, 1);
    }
    let snapshot = program.finish();
    let owners = Owners::new(&snapshot).unwrap();
    let of_a = owners.owners().iter().find(|owner| owner.name == b"a.lua");
    let example = of_a.unwrap().example.unwrap();
    let node = snapshot.everything_tree().unwrap().node(example);
    let heap = snapshot.everything();
    assert_eq!(heap.address(node), 0x1000 + 16 * (cache as u64 - 1));
}

#[test]
fn nothing_and_lists_of_any_length_have_owners() {
    let owners = Owners::new(&Snapshot::empty()).unwrap();
    assert_eq!(owners.owners(), []);
    for heap in [
        shape::list(1_000_000),
        shape::star(1_000_000),
        shape::one_metatable(1_000_000),
        shape::shared_items(1_000_000),
    ] {
        let snapshot = Snapshot::new(heap);
        let owners = Owners::new(&snapshot).unwrap();
        assert_adds_up(&snapshot, &owners);
        assert_eq!(text(&owners, NodeId(1)), "(unknown)");
    }
}

/// A list of ten million tables in an upvalue, whose last table is also another plugin's.
#[test]
fn lists_of_ten_million_tables_are_walked_on_the_heap() {
    const TABLES: u32 = 10_000_000;
    let mut builder = SweepBuilder::default();
    for at in 1..=u64::from(TABLES) {
        let kind = if at < 3 {
            Kind::LuaFunction
        } else {
            Kind::Table
        };
        builder.add(kind, 0x1000 + 64 * at, 56).unwrap();
    }
    for at in 1..3 {
        let source = builder.intern(format!("{at}.lua").as_bytes()).unwrap();
        builder.set_source(NodeId(at), source);
    }
    let targets = |at| match at {
        0 => vec![1, 2],
        1 => vec![3],
        2 => vec![4, TABLES],
        at => Vec::from_iter(Some(at + 1).filter(|next| *next <= TABLES)),
    };
    for at in 0..=TABLES {
        builder.begin_edges();
        for target in targets(at) {
            let label = Label::Index(1);
            builder
                .edge(NodeId(target), label, Strength::Strong)
                .unwrap();
        }
        builder.end_edges(NodeId(at)).unwrap();
    }
    let snapshot = Snapshot::new(builder.finish(Provenance::default()).unwrap());
    let owners = Owners::new(&snapshot).unwrap();
    assert_adds_up(&snapshot, &owners);
    assert_eq!(text(&owners, NodeId(3)), "1.lua");
    assert_eq!(text(&owners, NodeId(4)), "2.lua");
    assert_eq!(text(&owners, NodeId(TABLES)), "2.lua");
}

/// A random program: functions of a few files, and tables; which function or table refers to which.
#[derive(Clone, Debug)]
struct Random {
    /// The file of each function; `None` for a table.
    files: Vec<Option<u8>>,
    links: Vec<(usize, usize, bool)>,
}

fn random() -> impl Strategy<Value = Random> {
    (1..16usize).prop_flat_map(|count| {
        let file = prop_oneof![1 => (0..3u8).prop_map(Some), 2 => Just(None)];
        let files = prop::collection::vec(file, count);
        let link = (0..=count, 1..=count, prop::bool::weighted(0.9));
        let links = prop::collection::vec(link, 0..4 * count);
        (files, links).prop_map(|(files, links)| Random { files, links })
    })
}

impl Random {
    fn heap(&self) -> Heap {
        let mut builder = SweepBuilder::default();
        for (at, file) in self.files.iter().enumerate() {
            let kind = file.map_or(Kind::Table, |_| Kind::LuaFunction);
            let address = 0x1000 + 16 * at as u64;
            let node = builder.add(kind, address, 100).unwrap().unwrap();
            if let Some(file) = file {
                let source = builder.intern(format!("{file}.lua").as_bytes()).unwrap();
                builder.set_source(node, source);
            }
        }
        for at in 0..=self.files.len() {
            builder.begin_edges();
            for &(_, target, is_strong) in self.links.iter().filter(|link| link.0 == at) {
                let strength = match is_strong {
                    true => Strength::Strong,
                    false => Strength::WeakValue,
                };
                let target = NodeId(target as u32);
                builder.edge(target, Label::Index(1), strength).unwrap();
            }
            builder.end_edges(NodeId(at as u32)).unwrap();
        }
        builder.finish(Provenance::default()).unwrap()
    }

    /// What is live, given what is.
    fn reached(&self) -> BTreeSet<usize> {
        let mut reached = BTreeSet::from([0]);
        loop {
            let before = reached.len();
            for &(source, target, _) in self.links.iter().filter(|link| link.2) {
                if reached.contains(&source) {
                    reached.insert(target);
                }
            }
            if reached.len() == before {
                return reached;
            }
        }
    }

    /// The files from whose code a path leads to each object, through tables that no code holds itself; of these, the
    /// files of the code.
    fn owners(&self) -> Vec<BTreeSet<u8>> {
        let reached = self.reached();
        let is_live = |link: &&(usize, usize, bool)| link.2 && reached.contains(&link.0);
        let file = |node: usize| node.checked_sub(1).and_then(|at| self.files[at]);
        let mut direct = vec![BTreeSet::new(); self.files.len() + 1];
        for &(source, target, _) in self.links.iter().filter(is_live) {
            if file(target).is_none() {
                direct[target].extend(file(source));
            }
        }
        let mut owners = direct.clone();
        for (at, owners) in owners.iter_mut().enumerate() {
            owners.extend(file(at).filter(|_| reached.contains(&at)));
        }
        loop {
            let before = owners.clone();
            for &(source, target, _) in self.links.iter().filter(is_live) {
                if file(target).is_none() && direct[target].is_empty() {
                    let more = owners[source].clone();
                    owners[target].extend(more);
                }
            }
            if owners == before {
                return owners;
            }
        }
    }
}

impl Random {
    /// The number of objects that the same files have together, by these; none for more than three.
    fn sharings(&self) -> BTreeMap<Vec<String>, u64> {
        let reached = self.reached();
        let mut counts = BTreeMap::new();
        let owners = self.owners().into_iter().enumerate().skip(1);
        for (_, files) in owners.filter(|(at, files)| files.len() > 1 && reached.contains(at)) {
            let names = files.iter().map(|file| format!("{file}.lua"));
            let names = names.filter(|_| files.len() <= MAX_SHARERS).collect();
            *counts.entry(names).or_default() += 1;
        }
        counts
    }
}

/// The number of objects that several owners have together, by the names of these.
fn sharings(owners: &Owners) -> BTreeMap<Vec<String>, u64> {
    let all = owners.owners().iter().flat_map(|owner| &owner.sharings);
    let row = |sharing: &luasnap_heap::Sharing| {
        let names = sharing.owners.iter().map(|(_, name)| name.clone());
        let names = names.map(|name| String::from_utf8(name).unwrap());
        (names.collect(), sharing.live.count)
    };
    all.map(row).collect()
}

proptest! {
    #[test]
    fn owners_spread_as_by_the_naive_method(random in random()) {
        let snapshot = Snapshot::new(random.heap());
        let owners = Owners::new(&snapshot).unwrap();
        assert_adds_up(&snapshot, &owners);
        let reached = random.reached();
        for (at, expected) in random.owners().into_iter().enumerate().skip(1) {
            let expected = match expected.len() {
                _ if !reached.contains(&at) => "(not live)".to_owned(),
                0 => "(unknown)".to_owned(),
                1 => format!("{}.lua", expected.first().unwrap()),
                _ => "(shared)".to_owned(),
            };
            prop_assert_eq!(text(&owners, NodeId(at as u32)), expected, "{}", at);
        }
        prop_assert_eq!(sharings(&owners), random.sharings());
    }
}
