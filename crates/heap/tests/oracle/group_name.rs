//! Names of groups.

use crate::group::name;
use crate::program::{Program, Step};
use luasnap_heap::{Kind, Label, Snapshot};
use std::collections::BTreeMap;

/// Returns the groups of a kind by name, with their numbers of members.
fn counted(snapshot: &Snapshot, kind: Kind) -> BTreeMap<String, u32> {
    let groups = snapshot.groups().unwrap();
    let of_kind = groups.groups().iter().filter(|group| group.kind == kind);
    of_kind
        .map(|group| (name(snapshot.everything(), groups, group), group.count))
        .collect()
}

#[track_caller]
fn assert_has(snapshot: &Snapshot, kind: Kind, expected: &[(&str, u32)]) {
    let found = counted(snapshot, kind);
    for (name, count) in expected {
        assert_eq!(found.get(*name), Some(count), "{name}: {found:#?}");
    }
}

/// Adds `count` objects with a metatable, in a table of the table of globals.
fn objects(program: &mut Program, place: &str, kind: Kind, metatable: usize, count: i64) {
    let retainer = program.field(program.globals, Kind::Table, place);
    for at in 1..=count {
        let object = program.index(retainer, kind, at);
        program.set_metatable(object, metatable);
    }
}

#[test]
fn a_class_says_its_name() {
    let mut program = Program::new();
    let metatable = program.field(program.registry, Kind::Table, "FILE*");
    program.text(metatable, "__name", "FILE*");
    objects(&mut program, "files", Kind::Userdata, metatable, 3);
    objects(&mut program, "tables", Kind::Table, metatable, 2);
    let snapshot = program.finish();
    assert_has(&snapshot, Kind::Userdata, &[("class FILE*", 3)]);
    assert_has(
        &snapshot,
        Kind::Table,
        &[("class FILE*", 2), ("[REGISTRY].FILE*", 1)],
    );
}

#[test]
fn a_class_is_called_by_the_path_to_it() {
    let mut program = Program::new();
    let player = program.field(program.globals, Kind::Table, "Player");
    objects(&mut program, "players", Kind::Table, player, 4);
    let module = program.field(program.loaded, Kind::Table, "inventory");
    let item = program.field(module, Kind::Table, "Item");
    objects(&mut program, "items", Kind::Table, item, 5);
    let spawn = Step::Field("spawn".to_owned());
    let spawn = program.function(program.globals, spawn, "main.lua", 7);
    let monster = program.add(Kind::Table);
    program.upvalue(spawn, "Monster", monster);
    let monsters = program.field(program.globals, Kind::Table, "monsters");
    for at in 1..=6 {
        let level = program.index(monsters, Kind::Table, at);
        let object = program.index(level, Kind::Table, 1);
        program.set_metatable(object, monster);
    }
    let expected = [
        ("class _G.Player", 4),
        ("_G.Player", 1),
        ("class package.loaded.inventory.Item", 5),
        ("class _G.spawn.Monster", 6),
        ("_G.monsters.[*]", 6),
    ];
    assert_has(&program.finish(), Kind::Table, &expected);
}

#[test]
fn a_path_through_an_object_of_the_class_is_no_name() {
    let mut program = Program::new();
    // The table of methods has a name, and the metatable has none.
    let methods = program.field(program.globals, Kind::Table, "Point");
    let metatable = program.add(Kind::Table);
    program.refer(metatable, methods, Step::Field("__index".to_owned()));
    objects(&mut program, "points", Kind::Table, metatable, 3);
    // The shortest path leads through an object, but there is another one.
    let hidden = program.add(Kind::Table);
    program.refer(hidden, hidden, Step::Field("__index".to_owned()));
    objects(&mut program, "ghosts", Kind::Table, hidden, 3);
    let classes = program.field(program.globals, Kind::Table, "game");
    let classes = program.field(classes, Kind::Table, "classes");
    let classes = program.field(classes, Kind::Table, "all");
    program.refer(classes, hidden, Step::Field("Ghost".to_owned()));
    // Only its own objects refer to it.
    let anonymous = program.add(Kind::Table);
    let fields = program.field(anonymous, Kind::Table, "__index");
    program.refer(fields, anonymous, Step::Field("class".to_owned()));
    objects(&mut program, "others", Kind::Table, anonymous, 3);
    // Objects that merely look up globals have no class.
    let sandbox = program.add(Kind::Table);
    program.refer(sandbox, program.globals, Step::Field("__index".to_owned()));
    objects(&mut program, "sandboxes", Kind::Table, sandbox, 3);
    let expected = [
        ("class _G.Point", 3),
        ("class _G.game.classes.all.Ghost", 3),
        ("_G.others.[*]", 3),
        ("_G.sandboxes.[*]", 3),
    ];
    assert_has(&program.finish(), Kind::Table, &expected);
}

#[test]
fn a_name_on_a_stack_is_better_than_none() {
    let mut program = Program::new();
    let [local, exported] = [program.add(Kind::Table), program.add(Kind::Table)];
    let main = program.main_thread;
    program.refer(main, local, Step::Local("Local:main.lua"));
    program.refer(main, exported, Step::Local("Exported:main.lua"));
    let module = program.field(program.loaded, Kind::Table, "shapes");
    let shapes = program.field(module, Kind::Table, "all");
    program.refer(shapes, exported, Step::Field("Circle".to_owned()));
    objects(&mut program, "a", Kind::Table, local, 2);
    objects(&mut program, "b", Kind::Table, exported, 3);
    let expected = [
        ("class [mainthread].Local:main.lua", 2),
        ("class package.loaded.shapes.all.Circle", 3),
    ];
    assert_has(&program.finish(), Kind::Table, &expected);
}

#[test]
fn many_metatables_of_one_retainer_are_one_class() {
    let mut program = Program::new();
    let proxies = program.field(program.globals, Kind::Table, "metatables");
    let place = program.field(program.globals, Kind::Table, "objects");
    for at in 0..100 {
        let metatable = program.field(proxies, Kind::Table, &format!("id{at}"));
        let object = program.index(place, Kind::Table, at);
        program.set_metatable(object, metatable);
    }
    let expected = [("class _G.metatables.*", 100)];
    assert_has(&program.finish(), Kind::Table, &expected);
}

#[test]
fn code_is_called_by_its_place() {
    let mut program = Program::new();
    let handlers = program.field(program.globals, Kind::Table, "handlers");
    for at in 1..=3 {
        let step = Step::Plain(Label::Index(at));
        let function = program.function(handlers, step, "main.lua", 12);
        let value = program.add(Kind::Table);
        program.upvalue(function, "match", value);
    }
    let elsewhere = Step::Field("on_exit".to_owned());
    let function = program.function(program.globals, elsewhere, "main.lua", 12);
    let code = program.under(function, Kind::Prototype, Step::Plain(Label::Prototype));
    program.define(code, "main.lua", 12);
    program.field(program.globals, Kind::CFunction, "print");
    let snapshot = program.finish();
    assert_has(&snapshot, Kind::LuaFunction, &[("main.lua:12", 4)]);
    assert_has(&snapshot, Kind::Prototype, &[("main.lua:12", 1)]);
    assert_has(&snapshot, Kind::CFunction, &[("_G.print", 1)]);
    assert_has(&snapshot, Kind::Upvalue, &[("_G.handlers.[*].match", 3)]);
    assert_has(&snapshot, Kind::Table, &[("_G.handlers.[*].match", 3)]);
    let groups = snapshot.groups().unwrap();
    let functions = groups.groups().iter();
    let functions = functions.filter(|group| group.kind == Kind::LuaFunction);
    assert!(functions.map(|group| group.has_one_pattern).eq([false]));
}

#[test]
fn coroutines_are_called_by_what_they_run() {
    let mut program = Program::new();
    let workers = program.field(program.globals, Kind::Table, "workers");
    let step = Step::Field("work".to_owned());
    let body = program.function(program.globals, step, "work.lua", 3);
    let inner = program.function(body, Step::Upvalue("inner"), "work.lua", 90);
    for at in 1..=4 {
        let thread = program.index(workers, Kind::Thread, at);
        // From the innermost call outwards.
        program.refer(thread, inner, Step::Local("(function):work.lua"));
        program.refer(thread, body, Step::Local("(function):work.lua"));
    }
    let done = program.field(program.globals, Kind::Thread, "done");
    program.under(done, Kind::Table, Step::Local("(temporary):[C]"));
    let in_c = program.field(program.globals, Kind::Thread, "in_c");
    program.refer(in_c, body, Step::Local("(function):work.lua"));
    program.under(in_c, Kind::CFunction, Step::Local("(function):[C]"));
    let expected = [
        ("work.lua:3", 4),
        ("_G.done", 1),
        ("_G.in_c", 1),
        ("[mainthread]", 1),
    ];
    assert_has(&program.finish(), Kind::Thread, &expected);
}

#[test]
fn strings_are_called_by_who_refers_to_them() {
    let mut program = Program::new();
    let sessions = program.field(program.globals, Kind::Table, "sessions");
    for at in 1..=20 {
        let session = program.index(sessions, Kind::Table, at);
        program.text(session, "token", &format!("token {at}"));
        program.text(session, "motto", "the same");
    }
    let other = program.field(program.loaded, Kind::Table, "other");
    program.text(other, "title", "sessions");
    let strings = counted(&program.finish(), Kind::String);
    let expected = [
        // The texts, the keys of the sessions, and what all of them share.
        ("strings of _G.sessions.[*]", 23),
        // It is a key of the globals, and a value in a module.
        ("strings of _G and package.loaded.other", 1),
        ("strings of package.loaded.other", 1),
        ("strings of package.loaded", 1),
        ("strings of [REGISTRY]", 1),
    ];
    let expected = expected.map(|(name, count)| (name.to_owned(), count));
    assert_eq!(strings, expected.into());
}

#[test]
fn strings_of_a_few_owners_name_them_all_and_those_of_code_are_the_code_s() {
    let mut program = Program::new();
    let users = program.field(program.globals, Kind::Table, "users");
    let audit = program.field(program.globals, Kind::Table, "audit");
    let thread = program.field(program.globals, Kind::Thread, "worker");
    let all: Vec<usize> = (0..5)
        .map(|at| program.field(program.globals, Kind::Table, &format!("list{at}")))
        .collect();
    for at in 1..=3 {
        let id = program.string(&format!("id {at}"));
        for list in [users, audit] {
            program.refer(list, id, Step::Plain(Label::Index(at)));
        }
        // At this moment a call works with it.
        program.refer(thread, id, Step::Local("id:main.lua"));
    }
    let everywhere = program.string("in every list");
    for list in all {
        program.refer(list, everywhere, Step::Plain(Label::Index(1)));
    }
    let local = program.string("of a call alone");
    program.refer(thread, local, Step::Local("text:main.lua"));
    let step = Step::Field("run".to_owned());
    let function = program.function(program.globals, step, "main.lua", 7);
    let prototype = program.add(Kind::Prototype);
    program.define(prototype, "main.lua", 7);
    program.refer(function, prototype, Step::Plain(Label::Prototype));
    let constant = program.string("constant");
    program.refer(prototype, constant, Step::Plain(Label::Constant));
    program.refer(users, constant, Step::Plain(Label::Index(9)));
    let strings = counted(&program.finish(), Kind::String);
    assert_eq!(strings["strings of _G.audit and _G.users"], 3);
    assert_eq!(strings["strings of _G.worker"], 1);
    assert_eq!(strings["strings of main.lua:7"], 1);
    assert_eq!(strings["shared strings"], 1);
}

#[test]
fn code_without_a_name_is_called_by_who_holds_it() {
    let mut program = Program::new();
    let compiled = program.field(program.globals, Kind::Table, "compiled");
    for at in 1..=30 {
        let step = Step::Plain(Label::Index(at));
        let source = format!("[string \"local user = 'u{at}'...\"]");
        let function = program.function(compiled, step, &source, 2);
        let prototype = program.add(Kind::Prototype);
        program.define(prototype, &source, 2);
        program.refer(function, prototype, Step::Plain(Label::Prototype));
    }
    let snapshot = program.finish();
    let functions = counted(&snapshot, Kind::LuaFunction);
    assert_eq!(functions["loaded:2 of _G.compiled.[*]"], 30);
    let prototypes = counted(&snapshot, Kind::Prototype);
    assert_eq!(prototypes.len(), 1, "{prototypes:?}");
}

#[test]
fn code_without_a_name_is_told_apart_by_its_lines_and_upvalues() {
    let program = |with_shapes: bool| {
        let mut program = Program::new();
        let compiled = program.field(program.globals, Kind::Table, "compiled");
        // Whole texts, by the number of their lines in LuaJIT: these are one group.
        let shapes = [(0, 1, 1), (0, 7, 1), (2, 3, 1), (2, 3, 2), (2, 5, 1)];
        for at in 0..30 {
            let (first, last, upvalues) = shapes[at as usize % shapes.len()];
            let step = Step::Plain(Label::Index(at + 1));
            let source = format!("[string \"local user = 'u{at}'...\"]");
            let function = program.function(compiled, step, &source, first);
            if with_shapes {
                program.shape(function, last, upvalues);
            }
        }
        program
    };
    let snapshot = program(true).finish();
    let expected = [
        ("loaded:0-0 1u of _G.compiled.[*]", 12),
        ("loaded:2-3 1u of _G.compiled.[*]", 6),
        ("loaded:2-3 2u of _G.compiled.[*]", 6),
        ("loaded:2-5 1u of _G.compiled.[*]", 6),
    ];
    let named = |(name, count): (&str, u32)| (name.to_owned(), count);
    let expected = expected.map(named).into();
    assert_eq!(counted(&snapshot, Kind::LuaFunction), expected);
    // By rule 2 all those that begin at one line were one group, as in a file without shapes.
    let older = program(false).finish();
    let expected = [
        ("loaded:0 of _G.compiled.[*]", 12),
        ("loaded:2 of _G.compiled.[*]", 18),
    ];
    let expected = expected.map(named).into();
    assert_eq!(counted(&older, Kind::LuaFunction), expected);
    let functions = |snapshot: &Snapshot| {
        let groups = snapshot.groups().unwrap();
        let all = groups.groups().iter().enumerate();
        let functions = all.filter(|(_, group)| group.kind == Kind::LuaFunction);
        functions
            .map(|(at, group)| (at, group.fingerprint))
            .collect::<Vec<_>>()
    };
    let of_rule_2: Vec<_> = functions(&older).iter().map(|of| of.1).collect();
    let groups = snapshot.groups().unwrap();
    let mut prints = Vec::new();
    for (at, print) in functions(&snapshot) {
        let replaced = groups.older_fingerprints(snapshot.everything(), at);
        assert!(replaced.iter().any(|one| of_rule_2.contains(one)));
        assert!(!of_rule_2.contains(&print) && !replaced.contains(&print));
        prints.push(print);
    }
    prints.sort_unstable();
    prints.dedup();
    assert_eq!(prints.len(), 4);
    let reversed = program(true).finish_at(0x9_0000, true);
    let mut again: Vec<_> = functions(&reversed).iter().map(|of| of.1).collect();
    again.sort_unstable();
    assert_eq!(again, prints);
}

/// A host that keeps functions of plugins by references, each with an environment of its own.
fn sandboxes() -> Program {
    let mut program = Program::new();
    let (loaded, globals) = (program.loaded, program.globals);
    program.refer(loaded, globals, Step::Field("_G".to_owned()));
    let plugin = |program: &mut Program, reference: i64, source: &str, line: u32| {
        let step = Step::Plain(Label::Index(reference));
        let function = program.function(program.registry, step, source, line);
        let environment = program.add(Kind::Table);
        program.upvalue(function, "_ENV", environment);
        let seen = program.field(environment, Kind::Table, "seen");
        program.index(seen, Kind::Userdata, 1);
        (function, environment)
    };
    let (_, chat) = plugin(&mut program, 5, "plugins/chat.lua", 3);
    plugin(&mut program, 6, "[string \"local x = 1...\"]", 1);
    // Of two chunks the first by bytes counts, wherever they are.
    let (_, shared) = plugin(&mut program, 7, "plugins/b.lua", 1);
    let other = program.function(
        program.registry,
        Step::Plain(Label::Index(8)),
        "plugins/a.lua",
        1,
    );
    program.refer(other, shared, Step::Plain(Label::Environment));
    // This one has a name in the program.
    let (_, listed) = plugin(&mut program, 9, "plugins/mail.lua", 1);
    let boxes = program.field(program.globals, Kind::Table, "boxes");
    program.refer(boxes, listed, Step::Field("mail".to_owned()));
    // What the globals' own code has is no sandbox.
    let main = program.function(
        program.registry,
        Step::Plain(Label::Index(10)),
        "main.lua",
        1,
    );
    program.upvalue(main, "_ENV", globals);
    // A sandbox within a sandbox, on a stack.
    let inner = program.function(
        chat,
        Step::Field("run".to_owned()),
        "plugins/chat/rule.lua",
        1,
    );
    let rule = program.add(Kind::Table);
    program.refer(inner, rule, Step::Plain(Label::Environment));
    program.refer(program.main_thread, rule, Step::Local("rule:main.lua"));
    program.field(rule, Kind::Thread, "job");
    program
}

#[test]
fn an_environment_without_a_lasting_name_is_called_by_its_code() {
    let program = sandboxes();
    let expected = [
        ("_G", 1),
        ("_G.boxes", 1),
        ("_G.boxes.mail", 1),
        ("_G.boxes.mail.seen", 1),
        ("[REGISTRY]", 1),
        ("environment of ", 1),
        ("environment of .seen", 1),
        ("environment of plugins/a.lua", 1),
        ("environment of plugins/a.lua.seen", 1),
        ("environment of plugins/chat.lua", 1),
        ("environment of plugins/chat.lua.seen", 1),
        ("environment of plugins/chat/rule.lua", 1),
        ("package.loaded", 1),
    ];
    let expected: BTreeMap<String, u32> = expected
        .map(|(name, count)| (name.to_owned(), count))
        .into();
    let prints = |snapshot: &Snapshot| {
        let groups = snapshot.groups().unwrap();
        let mut prints: Vec<_> = groups.groups().iter().map(|of| of.fingerprint).collect();
        prints.sort_unstable();
        prints
    };
    let first = program.finish();
    assert_eq!(counted(&first, Kind::Table), expected);
    assert!(counted(&first, Kind::Thread).contains_key("environment of plugins/chat/rule.lua.job"));
    for (base, is_reversed) in [(0x1000, true), (0x8_0000, false)] {
        let again = program.finish_at(base, is_reversed);
        assert_eq!(counted(&again, Kind::Table), expected);
        assert_eq!(prints(&again), prints(&first));
    }
    // People see the same of what both engines see.
    let objects = Snapshot::new(first.objects().unwrap().clone());
    assert_eq!(counted(&objects, Kind::Table), expected);
}

#[test]
fn a_difference_has_the_environments_of_the_whole() {
    let mut program = sandboxes();
    let before = program.finish();
    let late = program.function(
        program.registry,
        Step::Plain(Label::Index(11)),
        "plugins/log.lua",
        1,
    );
    let environment = program.add(Kind::Table);
    program.upvalue(late, "_ENV", environment);
    program.field(environment, Kind::Userdata, "file");
    let new = luasnap_heap::increase(&before, &program.finish()).unwrap();
    let changed = new.changed_groups().unwrap().unwrap();
    let name = |snapshot: &luasnap_heap::Heap, groups: &luasnap_heap::Groups| {
        let userdata = groups.groups().iter().find(|of| of.kind == Kind::Userdata);
        crate::group::name(snapshot, groups, userdata.unwrap())
    };
    let expected = "environment of plugins/log.lua.file";
    assert_eq!(name(changed.heap(), changed.groups()), expected);
    assert_eq!(name(new.everything(), new.groups().unwrap()), expected);
    assert_eq!(changed.tree().environments().len(), 1);
}

#[test]
fn references_of_the_registry_are_one_group() {
    let mut program = Program::new();
    for at in 4..=30 {
        program.index(program.registry, Kind::Table, at);
    }
    let expected = [
        ("[REGISTRY].[ref]", 27),
        ("_G", 1),
        ("package.loaded", 1),
        ("[REGISTRY]", 1),
    ];
    let snapshot = program.finish();
    assert_has(&snapshot, Kind::Table, &expected);
    assert_has(&snapshot, Kind::Thread, &[("[mainthread]", 1)]);
}

#[test]
fn names_in_the_code_stay_and_data_is_one_of_many() {
    let mut program = Program::new();
    let module = program.field(program.loaded, Kind::Table, "big");
    for at in 1..=40 {
        let name = format!("function{at}");
        let step = Step::Field(name);
        program.function(module, step, "big.lua", at);
    }
    for name in ["options", "state", "cache"] {
        program.field(module, Kind::Table, name);
    }
    let sessions = program.field(program.globals, Kind::Table, "sessions");
    for at in 1..=17 {
        program.field(sessions, Kind::Table, &format!("user{at}"));
    }
    program.field(sessions, Kind::Table, "admin");
    // Sixteen are not many.
    let few = program.field(program.globals, Kind::Table, "few");
    for at in 1..=16 {
        program.field(few, Kind::Table, &format!("entry{at}"));
    }
    program.knows(&["big", "options", "admin"]);
    let expected = [
        ("package.loaded.big.options", 1),
        ("package.loaded.big.state", 1),
        ("package.loaded.big.cache", 1),
        ("_G.sessions.*", 17),
        ("_G.sessions.admin", 1),
        ("_G.few.entry1", 1),
    ];
    assert_has(&program.finish(), Kind::Table, &expected);
}

#[test]
fn objects_at_one_path_are_generalised_alike_however_deep_they_are() {
    let mut program = Program::new();
    program.knows(&["list", "next"]);
    let mut item = program.field(program.globals, Kind::Table, "list");
    for length in [2, 2, 20, 2] {
        item = program.field(item, Kind::Table, "next");
        for at in 0..length {
            program.field(item, Kind::Userdata, &format!("data{at}"));
        }
    }
    assert_has(&program.finish(), Kind::Userdata, &[("_G.list.next.*", 26)]);
}

#[test]
fn keys_of_tables_that_luajit_copies_are_names_in_the_code() {
    let mut program = Program::new();
    program.knows(&[]);
    let chunk = program.globals;
    let code = program.under(chunk, Kind::Prototype, Step::Plain(Label::Prototype));
    let template = program.under(code, Kind::Table, Step::Plain(Label::Constant));
    program.text(template, "named", "value");
    let key = program.string("bare");
    program.refer(template, key, Step::Plain(Label::Key));
    let retainer = program.field(program.globals, Kind::Table, "retainer");
    for name in ["named", "bare"] {
        program.field(retainer, Kind::Table, name);
    }
    for at in 1..=20 {
        program.field(retainer, Kind::Table, &format!("data{at}"));
    }
    let expected = [
        ("_G.retainer.named", 1),
        ("_G.retainer.bare", 1),
        ("_G.retainer.*", 20),
    ];
    assert_has(&program.finish(), Kind::Table, &expected);
}

#[test]
fn our_own_snapshots_are_in_no_group() {
    let mut program = Program::new();
    let own = program.field(program.globals, Kind::Snapshot, "before");
    program.index(own, Kind::Table, 1);
    let snapshot = program.finish();
    assert_eq!(counted(&snapshot, Kind::Snapshot), BTreeMap::new());
    let groups = snapshot.groups().unwrap();
    let heap = snapshot.everything();
    let own = heap.nodes().find(|node| heap.kind(*node) == Kind::Snapshot);
    assert_eq!(groups.group_of(own.unwrap()), None);
}

/// Returns the fingerprints by name and kind.
fn fingerprints(snapshot: &Snapshot) -> BTreeMap<(String, Kind), u64> {
    let groups = snapshot.groups().unwrap();
    let named = groups.groups().iter().map(|group| {
        let name = name(snapshot.everything(), groups, group);
        ((name, group.kind), group.fingerprint.0)
    });
    named.collect()
}

#[test]
fn fingerprints_are_of_names_and_of_nothing_else() {
    let program = |sessions: i64| {
        let mut program = Program::new();
        let player = program.field(program.globals, Kind::Table, "Player");
        program.text(player, "__name", "Player");
        objects(&mut program, "players", Kind::Table, player, sessions);
        let item = program.field(program.globals, Kind::Table, "Item");
        objects(&mut program, "items", Kind::Userdata, item, 2);
        let cache = program.field(program.globals, Kind::Table, "cache");
        for at in 0..20 + sessions {
            let entry = program.field(cache, Kind::Table, &format!("entry{at}"));
            program.text(entry, "text", &format!("text {at}"));
        }
        let step = Step::Field("work".to_owned());
        let body = program.function(program.globals, step, "work.lua", 3);
        let thread = program.index(program.registry, Kind::Thread, 9);
        program.refer(thread, body, Step::Local("(function):work.lua"));
        program.knows(&["Player", "Item", "cache", "text"]);
        program
    };
    let first = fingerprints(&program(3).finish());
    assert_eq!(
        first,
        fingerprints(&program(3).finish_at(0x7f00_0000, true))
    );
    assert_eq!(first, fingerprints(&program(30).finish()));
    let mut apart: Vec<_> = first.values().collect();
    apart.sort_unstable();
    apart.dedup();
    assert_eq!(apart.len(), first.len(), "{first:#x?}");
    // People write them down, so they may never change.
    for (name, kind, fingerprint) in [
        ("class Player", Kind::Table, 0xfe6b_1d5c_531d_7345),
        ("class _G.Item", Kind::Userdata, 0xfd8c_9018_311c_06f7),
        ("_G.cache.*", Kind::Table, 0xd908_55db_f053_4e79),
        ("strings of _G.cache.*", Kind::String, 0x44fb_5341_3944_88e7),
        ("work.lua:3", Kind::Thread, 0xef17_28ca_ebf8_8c80),
        ("work.lua:3", Kind::LuaFunction, 0x5efc_14ec_5500_c4f9),
        ("[REGISTRY]", Kind::Table, 0xea35_6240_8f69_d008),
    ] {
        let found = first[&(name.to_owned(), kind)];
        assert_eq!(found, fingerprint, "{name}: {found:#x}");
    }
}
