//! Groups of what a reader would call one finding.

use crate::everything::{Everything, everything};
use luasnap_heap::{
    ClassName, Group, GroupName, GroupOrder, GroupStep, Groups, Heap, HeapBuilder, Kind, Label,
    NodeId, Rank, Snapshot, Strength, Tally, increase,
};
use proptest::prelude::*;

/// Builds heaps below a table `_G`, with 100 bytes per object.
pub struct Below {
    pub builder: HeapBuilder,
    pub global: NodeId,
    next: u64,
}

impl Below {
    pub fn new() -> Below {
        let mut builder = HeapBuilder::new();
        let (global, _) = builder.node(Kind::Table, 8).unwrap();
        let name = builder.name(b"_G").unwrap();
        builder
            .edge(NodeId::ROOT, global, Label::Root(name), Strength::Strong)
            .unwrap();
        builder.set_size(global, 100);
        builder.set_globals(global);
        Below {
            builder,
            global,
            next: 16,
        }
    }

    pub fn under(&mut self, retainer: NodeId, kind: Kind, label: Label) -> NodeId {
        let (node, _) = self.builder.node(kind, self.next).unwrap();
        self.next += 16;
        self.builder.set_size(node, 100);
        self.builder
            .edge(retainer, node, label, Strength::Strong)
            .unwrap();
        node
    }

    pub fn field(&mut self, retainer: NodeId, kind: Kind, name: &str) -> NodeId {
        let name = self.builder.name(name.as_bytes()).unwrap();
        self.under(retainer, kind, Label::Field(name))
    }

    pub fn finish(self) -> Snapshot {
        Snapshot::new(self.builder.finish().unwrap())
    }
}

/// Returns the name of a group.
pub fn name(heap: &Heap, groups: &Groups, group: &Group) -> String {
    let text = |step| match step {
        GroupStep::AnyKey => "[*]".to_owned(),
        GroupStep::AnyName => "*".to_owned(),
        GroupStep::Reference => "[ref]".to_owned(),
        GroupStep::Globals => "_G".to_owned(),
        GroupStep::Loaded => "package.loaded".to_owned(),
        GroupStep::Environment(chunk) => {
            format!(
                "environment of {}",
                String::from_utf8_lossy(heap.name(chunk))
            )
        }
        GroupStep::Exact(label) => crate::graph::step(heap, label),
    };
    let path = |path| {
        let mut steps: Vec<_> = groups.patterns().steps(path).map(text).collect();
        steps.reverse();
        steps.join(".")
    };
    let bytes = |id| String::from_utf8_lossy(heap.name(id)).into_owned();
    match group.name {
        GroupName::HeldBy(pattern) => path(pattern),
        GroupName::Class(ClassName::Own(id)) => format!("class {}", bytes(id)),
        GroupName::Class(ClassName::HeldBy(pattern)) => format!("class {}", path(pattern)),
        GroupName::Code { source, line } => format!("{}:{line}", bytes(source)),
        GroupName::Coroutine(name) => format!("coroutine {name:?}"),
        GroupName::LoadedCode {
            pattern,
            line,
            shape,
        } => {
            let shape = shape.map(|of| format!("-{} {}u", of.last_line, of.upvalues));
            let shape = shape.unwrap_or_default();
            format!("loaded:{line}{shape} of {}", path(pattern))
        }
        GroupName::StringsOf(owners) => {
            let owners = groups.owners(owners);
            let names: Vec<String> = owners
                .map(|owner| name(heap, groups, &groups.groups()[owner]))
                .collect();
            format!("strings of {}", names.join(" and "))
        }
        GroupName::SharedStrings => "shared strings".to_owned(),
    }
}

/// Returns each group as `COUNT KIND NAME`, in order.
pub fn listed(snapshot: &Snapshot) -> Vec<String> {
    let groups = snapshot.groups().unwrap();
    let line = |group: &Group| {
        let name = name(snapshot.everything(), groups, group);
        format!("{} {} {name}", group.count, group.kind.type_name())
    };
    groups.groups().iter().map(line).collect()
}

#[test]
fn a_cache_is_one_group_and_its_globals_keep_their_names() {
    let mut below = Below::new();
    let global = below.global;
    let cache = below.field(global, Kind::Table, "cache");
    for at in 0..1000 {
        let entry = below.field(cache, Kind::Table, &format!("session-{at}"));
        below.under(entry, Kind::Table, Label::Index(1));
    }
    for at in 0..20 {
        below.field(global, Kind::Table, &format!("module{at:02}"));
    }
    let mut expected = vec![
        "1000 table _G.cache.*".to_owned(),
        "1000 table _G.cache.*.[*]".to_owned(),
        "1 table _G".to_owned(),
        "1 table _G.cache".to_owned(),
    ];
    expected.extend((0..20).map(|at| format!("1 table _G.module{at:02}")));
    assert_eq!(listed(&below.finish()), expected);
}

#[test]
fn few_names_stay_apart() {
    let mut below = Below::new();
    for name in ["a", "b"] {
        let retainer = below.field(below.global, Kind::Table, name);
        for key in [
            Label::Number(0.5),
            Label::Boolean(true),
            Label::Address(Kind::Table, 1),
        ] {
            below.under(retainer, Kind::Table, key);
        }
    }
    let expected = [
        "3 table _G.a.[*]",
        "3 table _G.b.[*]",
        "1 table _G",
        "1 table _G.a",
        "1 table _G.b",
    ];
    assert_eq!(listed(&below.finish()), expected);
}

#[test]
fn a_list_is_one_group_and_so_is_each_level_of_a_tree() {
    let mut below = Below::new();
    let mut last = below.field(below.global, Kind::Table, "list");
    for _ in 0..100_000 {
        last = below.field(last, Kind::Table, "next");
    }
    let mut last = below.field(below.global, Kind::Table, "tree");
    for _ in 0..1000 {
        last = below.field(last, Kind::Table, "children");
        last = below.under(last, Kind::Table, Label::Index(1));
    }
    let mut last = below.field(below.global, Kind::Table, "nested");
    for _ in 0..1000 {
        last = below.under(last, Kind::Table, Label::Index(1));
    }
    let expected = [
        "100000 table _G.list.next",
        "1000 table _G.tree.children",
        "1000 table _G.tree.children.[*]",
        "998 table _G.nested.[*].[*].[*]",
        "1 table _G",
        "1 table _G.list",
        "1 table _G.nested",
        "1 table _G.tree",
        "1 table _G.nested.[*]",
        "1 table _G.nested.[*].[*]",
    ];
    assert_eq!(listed(&below.finish()), expected);
}

#[test]
fn functions_are_told_apart_by_where_they_are_defined() {
    let mut below = Below::new();
    let handlers = below.field(below.global, Kind::Table, "handlers");
    let source = below.builder.name(b"main.lua").unwrap();
    for at in 0..30 {
        let function = below.under(handlers, Kind::LuaFunction, Label::Index(at));
        below.builder.set_source(function, source);
        below
            .builder
            .set_count(function, 10 + u32::from(at % 3 == 0));
    }
    let snapshot = below.finish();
    let groups = snapshot.groups().unwrap();
    let found: Vec<_> = groups.groups()[..2]
        .iter()
        .map(|group| (name(snapshot.everything(), groups, group), group.shallow))
        .collect();
    let expected = [("main.lua:10", 2000), ("main.lua:11", 1000)];
    assert_eq!(
        found,
        expected.map(|(name, bytes)| (name.to_owned(), bytes))
    );
    assert!(groups.groups()[0].has_one_pattern);
    assert!(groups.patterns().is_general(groups.groups()[0].pattern));
}

#[test]
fn of_a_difference_the_new_objects_and_the_tables_that_grew() {
    let before = Below::new().finish();
    let mut below = Below::new();
    for name in ["x", "y"] {
        below.field(below.global, Kind::Table, name);
    }
    below.builder.set_count(below.global, 2);
    let more = increase(&before, &below.finish()).unwrap();
    assert_eq!(listed(&more), ["1 table _G.x", "1 table _G.y"]);
    assert_eq!(more.groups().unwrap().resized(), [(Rank::ROOT, 2)]);
}

/// Returns what is freed without these nodes, by marking what is left.
fn freed(of: &Everything, gone: &[NodeId]) -> Tally {
    let gone = gone.iter().map(|node| node.index()).collect();
    let left = of.reached_without(&gone);
    let freed = of.reached().into_iter().filter(|node| !left.contains(node));
    freed.fold(Tally::default(), |sum, node| Tally {
        count: sum.count + 1,
        bytes: sum.bytes + of.things[node - 1].1,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]
    #[test]
    fn everything_in_use_is_in_one_group(of in everything(40)) {
        let snapshot = Snapshot::new(of.heap());
        let groups = snapshot.groups().unwrap();
        let heap = snapshot.everything();
        let is_member = |node: &usize| *node != 0 && of.kind(*node) != Kind::Snapshot;
        let mut expected: Vec<_> = of.reached().into_iter().filter(is_member).collect();
        expected.sort_unstable();
        let mut found = Vec::new();
        for (at, group) in groups.groups().iter().enumerate() {
            let members = groups.members(at);
            found.extend(members.iter().map(|node| node.index()));
            prop_assert_eq!(group.count as usize, members.len());
            let bytes: u64 = members.iter().map(|node| heap.size(*node)).sum();
            prop_assert_eq!(group.shallow, bytes);
            for node in members {
                prop_assert_eq!(groups.group_of(*node), Some(at));
                prop_assert_eq!(heap.kind(*node), group.kind);
            }
            // The largest, and the first of the largest.
            let dominators = snapshot.dominators().unwrap();
            let retained = |node: NodeId| dominators.retained(node).bytes;
            let largest = members.iter().map(|node| retained(*node)).max().unwrap();
            let example = members.iter().find(|node| retained(**node) == largest);
            let found = snapshot.everything_tree().unwrap().node(group.example);
            prop_assert_eq!(example.copied(), Some(found));
        }
        found.sort_unstable();
        prop_assert_eq!(&found, &expected);
        let in_groups = heap.nodes().filter(|node| groups.group_of(*node).is_some());
        prop_assert_eq!(in_groups.count(), expected.len());
        let order = groups.groups().windows(2);
        prop_assert!(order.clone().all(|pair| pair[0].shallow >= pair[1].shallow));
    }

    #[test]
    fn what_groups_retain_is_freed_when_they_go(of in everything(14)) {
        let snapshot = Snapshot::new(of.heap());
        let groups = snapshot.groups().unwrap();
        let count = groups.groups().len();
        let mut expected = Vec::new();
        for (at, group) in groups.groups().iter().enumerate() {
            let freed = freed(&of, groups.members(at));
            prop_assert_eq!(snapshot.dominators().unwrap().retained_by(snapshot.everything(), groups.members(at)).unwrap(), freed);
            prop_assert!((group.shallow..=freed.bytes).contains(&group.retained));
            expected.push((at, freed));
        }
        // There are enough candidates for all groups.
        expected.sort_by_key(|(_, freed)| std::cmp::Reverse(freed.bytes));
        let bytes = |top: &[(usize, Tally)]| top.iter().map(|of| of.1).collect::<Vec<_>>();
        let top = groups.top(snapshot.everything(), snapshot.dominators().unwrap(), GroupOrder::Retained, count).unwrap();
        prop_assert_eq!(
            bytes(&top).iter().map(|of| of.bytes).collect::<Vec<_>>(),
            bytes(&expected).iter().map(|of| of.bytes).collect::<Vec<_>>()
        );
        for (at, retained) in top {
            prop_assert_eq!(retained, freed(&of, groups.members(at)));
        }
    }
}

#[test]
fn the_first_groups_by_each_order() {
    let mut below = Below::new();
    let global = below.global;
    let many = below.field(global, Kind::Table, "many");
    for at in 0..30 {
        let small = below.under(many, Kind::Table, Label::Index(at));
        below.builder.set_size(small, 1);
    }
    let large = below.field(global, Kind::Table, "large");
    below.builder.set_size(large, 1000);
    let retainer = below.field(global, Kind::Table, "retainer");
    let held = below.field(retainer, Kind::Userdata, "held");
    below.builder.set_size(held, 1500);
    below.builder.set_size(retainer, 1);
    let snapshot = below.finish();
    let groups = snapshot.groups().unwrap();
    let top = |by, n| {
        let top = groups
            .top(snapshot.everything(), snapshot.dominators().unwrap(), by, n)
            .unwrap();
        let named = top.into_iter().map(|(at, retained)| {
            let name = name(snapshot.everything(), groups, &groups.groups()[at]);
            (name, retained.bytes)
        });
        named.collect::<Vec<_>>()
    };
    let rows = |rows: &[(&str, u64)]| {
        let row = |of: &(&str, u64)| (of.0.to_owned(), of.1);
        rows.iter().map(row).collect::<Vec<_>>()
    };
    let retained = [
        ("_G", 2731),
        ("_G.retainer", 1501),
        ("_G.retainer.held", 1500),
    ];
    assert_eq!(top(GroupOrder::Retained, 3), rows(&retained));
    let shallow = [("_G.retainer.held", 1500), ("_G.large", 1000)];
    assert_eq!(top(GroupOrder::Shallow, 2), rows(&shallow));
    assert_eq!(top(GroupOrder::Count, 1), rows(&[("_G.many.[*]", 30)]));
    assert_eq!(top(GroupOrder::Count, 100).len(), groups.groups().len());
}

#[test]
fn nothing_makes_no_groups() {
    let nothing = Snapshot::new(Heap::default());
    let nothing = nothing.groups().unwrap();
    assert!(nothing.groups().is_empty() && nothing.resized().is_empty());
}
