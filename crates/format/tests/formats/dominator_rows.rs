//! The dominator tree as rows: their names, their order, and the way up and down.

use crate::fixture::Fixture;
use luasnap_format::{
    DominatorLevel, DominatorRows, FirstRows, LevelRows, NameHit, NameSearch, RowOrder, RowTarget,
};
use luasnap_heap::{Change, Heap, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};

/// Nine records of one group among five tables of their own: 10, 20, ... bytes.
fn mixed() -> Snapshot {
    let mut fixture = Fixture::new("_G", 0x10, 0);
    let root = fixture.root;
    let mut address = 0x100;
    let mut next = || {
        address += 0x10;
        address
    };
    let list = fixture.field(root, "list", Kind::Table, next(), 9);
    for index in 1..=9 {
        let record = fixture.under(list, Label::Index(index), Kind::Table, next(), 0);
        fixture.builder.set_size(record, 10 * index as u64);
    }
    for (name, size) in [("b", 500), ("a", 300), ("d", 450), ("c", 1000), ("e", 450)] {
        let table = fixture.field(list, name, Kind::Table, next(), 0);
        fixture.builder.set_size(table, size);
    }
    fixture.finish()
}

fn names(rows: &DominatorRows, level: &LevelRows) -> Vec<String> {
    let all = (0..).map_while(|at| level.by_retained(at));
    all.map(|row| rows.row(level, row).unwrap().name.to_string())
        .collect()
}

/// Returns the level inside of an object that is found by its path.
fn inside(rows: &DominatorRows, path: &str) -> LevelRows {
    let node = luasnap_format::object_by_path(rows.snapshot().everything(), path.as_bytes());
    let node = node.unwrap();
    let level = rows.below(node, RowTarget::Object(node)).unwrap().unwrap();
    rows.level(level).unwrap()
}

#[test]
fn many_of_one_group_are_one_row() {
    let rows = DominatorRows::new(&mixed()).unwrap();
    let level = inside(&rows, "_G.list");
    // The nine records have 450 bytes together. Of equals, many come first.
    assert_eq!(
        names(&rows, &level),
        ["c", "b", "_G.list.[*]", "d", "e", "a"]
    );
    for (at, row) in (0..).map_while(|at| level.by_retained(at)).enumerate() {
        assert_eq!(level.place_by_retained(row), at);
        let target = rows.target(&level, row).unwrap();
        assert_eq!(rows.find(&level, target).unwrap(), Some(row));
    }
    assert_eq!(level.by_retained(6), None);
    let many = rows.row(&level, level.by_retained(2).unwrap()).unwrap();
    assert_eq!((many.count, many.retained, many.shallow), (9, 450, 450));
    assert_eq!(many.what, "9 tables");

    // Inside of it are the records, the largest first.
    let target = rows.target(&level, level.by_retained(2).unwrap()).unwrap();
    let members = rows.below(level.level().above(), target).unwrap().unwrap();
    assert_eq!(rows.above(members).unwrap(), Some((level.level(), target)));
    let members = rows.level(members).unwrap();
    assert_eq!(members.len(), 9);
    assert_eq!(names(&rows, &members)[..2], ["[9]", "[8]"]);
    let first = rows
        .target(&members, members.by_retained(0).unwrap())
        .unwrap();
    assert_eq!(rows.below(NodeId::ROOT, first).unwrap(), None);
    let RowTarget::Object(node) = first else {
        panic!("it is an object");
    };
    assert_eq!(rows.listed(node).unwrap(), Some((members.level(), first)));
}

#[test]
fn orders() {
    let rows = DominatorRows::new(&mixed()).unwrap();
    let level = inside(&rows, "_G.list");
    for (order, expected) in [
        (RowOrder::Retained, ["c", "b", "_G.list.[*]", "d", "e", "a"]),
        (RowOrder::Shallow, ["c", "b", "_G.list.[*]", "d", "e", "a"]),
        // All retain one object, but for the nine; ties keep their order.
        (RowOrder::Count, ["_G.list.[*]", "c", "b", "d", "e", "a"]),
        (RowOrder::Name, ["_G.list.[*]", "a", "b", "c", "d", "e"]),
    ] {
        for most in 1..=7 {
            for piece in [1, 2, 100] {
                let mut first = FirstRows::new(order, most);
                while first.look(&rows, &level, piece).unwrap() {}
                assert_eq!(first.seen(), 6);
                let found = first.rows().into_iter();
                let found = found.map(|row| rows.row(&level, row).unwrap().name.to_string());
                let found: Vec<String> = found.collect();
                assert_eq!(found, expected[..most.min(6)], "{order:?} {most} {piece}");
            }
        }
    }
}

/// `_G.get` has the upvalue `cache`, which has a table with two tables.
fn closure() -> Snapshot {
    let mut fixture = Fixture::new("_G", 0x10, 1);
    let get = fixture.field(fixture.root, "get", Kind::LuaFunction, 0x20, 3);
    let source = fixture.builder.name(b"get.lua").unwrap();
    fixture.builder.set_source(get, source);
    let name = fixture.builder.name(b"cache").unwrap();
    let upvalue = fixture.under(get, Label::Upvalue(name), Kind::Upvalue, 0x30, 0);
    let cache = fixture.under(upvalue, Label::Value, Kind::Table, 0x40, 2);
    fixture.field(cache, "one", Kind::Table, 0x50, 0);
    fixture.field(cache, "two", Kind::Table, 0x60, 0);
    fixture.finish()
}

#[test]
fn an_upvalue_is_passed_over() {
    let rows = DominatorRows::new(&closure()).unwrap();
    let level = inside(&rows, "_G.get");
    assert_eq!(names(&rows, &level), ["cache"]);
    let target = rows.target(&level, level.by_retained(0).unwrap()).unwrap();
    let below = rows.below(level.level().above(), target).unwrap().unwrap();
    let inner = rows.level(below).unwrap();
    assert_eq!(names(&rows, &inner), ["one", "two"]);
    assert_eq!(rows.above(below).unwrap(), Some((level.level(), target)));
    // Steps are those of the path that people see.
    let heap = rows.snapshot().everything();
    let two = luasnap_format::object_by_path(heap, b"_G.get.cache.two").unwrap();
    let steps = rows.path(two).unwrap();
    let steps: Vec<String> = steps
        .into_iter()
        .map(|node| rows.step(node).unwrap().name.to_string())
        .collect();
    assert_eq!(steps, ["_G", "get", "cache", "two"]);
    assert_eq!(rows.object(two).unwrap().name, "_G.get.cache.two");
}

#[test]
fn names_lead_from_the_object_above() {
    // Two have `x.y`, so it is below the table that has both.
    let mut fixture = Fixture::new("_G", 0x10, 2);
    let root = fixture.root;
    let server = fixture.field(root, "server", Kind::Table, 0x20, 2);
    let left = fixture.field(server, "left", Kind::Table, 0x30, 1);
    let right = fixture.field(server, "right", Kind::Table, 0x40, 1);
    let shared = fixture.field(left, "shared", Kind::Table, 0x50, 0);
    let name = fixture.builder.name(b"shared").unwrap();
    let edge = fixture
        .builder
        .edge(right, shared, Label::Field(name), Strength::Strong);
    edge.unwrap();
    let rows = DominatorRows::new(&fixture.finish()).unwrap();
    let level = inside(&rows, "_G.server");
    assert_eq!(names(&rows, &level), ["left", "right", "left.shared"]);
    let top = rows.level(DominatorLevel::TOP).unwrap();
    assert_eq!(names(&rows, &top), ["_G"]);
    assert_eq!(rows.above(DominatorLevel::TOP).unwrap(), None);
}

#[test]
fn names_far_from_the_object_above_are_cut() {
    // A list of 2,000 tables, whose last one another root has, too.
    let mut fixture = Fixture::new("_G", 0x10, 1);
    let next = fixture.builder.name(b"next").unwrap();
    let mut last = fixture.root;
    for at in 1..=2000 {
        last = fixture.under(last, Label::Field(next), Kind::Table, 0x10 + 0x10 * at, 1);
    }
    let (other, _) = fixture.builder.node(Kind::Table, 0x8).unwrap();
    let root = fixture.builder.name(b"[other]").unwrap();
    let builder: &mut HeapBuilder = &mut fixture.builder;
    builder
        .edge(NodeId::ROOT, other, Label::Root(root), Strength::Strong)
        .unwrap();
    let mut far = other;
    for at in 1..=2100 {
        let (node, _) = builder.node(Kind::Table, 0x100_0000 + 0x10 * at).unwrap();
        builder
            .edge(far, node, Label::Field(next), Strength::Strong)
            .unwrap();
        far = node;
    }
    builder
        .edge(far, last, Label::Field(next), Strength::Strong)
        .unwrap();
    let rows = DominatorRows::new(&fixture.finish()).unwrap();
    let top = rows.level(DominatorLevel::TOP).unwrap();
    assert_eq!(
        names(&rows, &top),
        ["_G", "…next.next.next.next", "[other]"]
    );
}

/// `_G.list` with so many tables, and a table that may have more entries.
fn growing(count: u64) -> Snapshot {
    let mut fixture = Fixture::new("_G", 0x10, 1);
    let list = fixture.field(fixture.root, "list", Kind::Table, 0x20, count as u32);
    for index in 1..=count {
        fixture.under(
            list,
            Label::Index(index as i64),
            Kind::Table,
            0x20 + 0x10 * index,
            0,
        );
    }
    fixture.finish()
}

#[test]
fn what_came_is_said_of_each_row() {
    let (older, newer) = (growing(3), growing(5));
    let rows = DominatorRows::new(&newer).unwrap().since(&older).unwrap();
    assert!(rows.has_growth());
    let list = luasnap_format::object_by_path(newer.everything(), b"_G.list").unwrap();
    let row = rows.object(list).unwrap();
    let growth = row.growth.unwrap();
    assert_eq!(
        (growth.new, growth.entries, growth.came),
        (false, 2, 2 * 56)
    );
    let level = inside(&rows, "_G.list");
    let mut first = FirstRows::new(RowOrder::Growth, 2);
    while first.look(&rows, &level, 10).unwrap() {}
    let first = first.rows().into_iter();
    let first: Vec<_> = first.map(|row| rows.row(&level, row).unwrap()).collect();
    assert_eq!([&first[0].name, &first[1].name], ["[4]", "[5]"]);
    assert!(first.iter().all(|row| row.growth.unwrap().new));
    // Without an older one nothing is said.
    let rows = DominatorRows::new(&newer).unwrap();
    assert!(rows.object(list).unwrap().growth.is_none());
    assert_eq!(newer.change(list), Change::None);
}

#[test]
fn rows_as_json() {
    let rows = DominatorRows::new(&mixed()).unwrap();
    let level = inside(&rows, "_G.list");
    let row = rows.row(&level, level.by_retained(0).unwrap()).unwrap();
    let json = serde_json::to_value(&row).unwrap();
    let keys: Vec<&str> = json
        .as_object()
        .unwrap()
        .keys()
        .map(String::as_str)
        .collect();
    assert_eq!(
        keys,
        [
            "count",
            "name",
            "retained",
            "retained_count",
            "share",
            "share_above",
            "size",
            "size_share_above",
            "type",
            "what"
        ]
    );
    assert_eq!(json["name"], "c");
    assert_eq!(json["type"], "table");
}

fn found(snapshot: &Snapshot, word: &str, piece: usize) -> Vec<String> {
    let mut search = NameSearch::new(word.as_bytes());
    let mut hits = Vec::new();
    while search.look(snapshot, piece, &mut hits).unwrap() {}
    let rows = DominatorRows::new(snapshot).unwrap();
    let name = |hit: &NameHit| match hit {
        NameHit::Group(index) => format!("group {index}"),
        NameHit::Object(node) => rows.object(*node).unwrap().name.to_string(),
    };
    hits.iter().map(name).collect()
}

#[test]
fn names_are_found_in_any_case() {
    let snapshot = closure();
    for piece in [1, 3, 1000] {
        for (word, expected) in [
            ("CACHE", &["_G.get.cache"][..]),
            ("get", &["_G.get"]),
            ("get.lua", &["_G.get"]),
            ("o", &["_G.get.cache.one", "_G.get.cache.two"]),
            ("_G.get.cache.two", &["_G.get.cache.two"]),
            ("0x60", &["_G.get.cache.two"]),
            ("0x61", &[]),
            ("three", &[]),
            ("", &[]),
        ] {
            assert_eq!(found(&snapshot, word, piece), expected, "{word} {piece}");
        }
    }
    let snapshot = mixed();
    assert_eq!(found(&snapshot, "9", 2), ["_G.list.[9]"]);
    let list = found(&snapshot, "list", 2);
    assert_eq!(list.len(), 2);
    assert!(list[0].starts_with("group "));
    assert_eq!(list[1], "_G.list");
}

#[test]
fn an_empty_heap_has_no_rows() {
    let empty = Snapshot::new(HeapBuilder::new().finish().unwrap());
    let none = Snapshot::new(Heap::default());
    for snapshot in [empty, none] {
        let rows = DominatorRows::new(&snapshot).unwrap();
        let top = rows.level(DominatorLevel::TOP).unwrap();
        assert!(top.is_empty());
        assert_eq!(top.by_retained(0), None);
        assert!(found(&snapshot, "a", 1).is_empty());
    }
}
