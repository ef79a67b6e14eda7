//! What lies at each path pattern.

use crate::graph::graph;
use crate::group::Below;
use crate::program::{Program, Step};
use luasnap_heap::{
    Census, GroupStep, Heap, Kind, Label, PathTallies, PatternId, Snapshot, Tally, path_growth,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn text(heap: &Heap, tallies: &PathTallies, pattern: PatternId) -> String {
    let step = match tallies.step(pattern) {
        GroupStep::Globals => "_G".to_owned(),
        GroupStep::AnyKey => "[*]".to_owned(),
        GroupStep::Exact(label) => crate::graph::step(heap, label),
        step => format!("{step:?}"),
    };
    match tallies.parent(pattern) {
        Some(above) => format!("{}.{step}", text(heap, tallies, above)),
        None => step,
    }
}

/// Returns `COUNT of COUNT` by path and kind: at the pattern itself, and of that and all below.
fn listed(snapshot: &Snapshot, tallies: &PathTallies) -> BTreeMap<String, (u64, u64)> {
    let line = |pattern| {
        let tally = tallies.tally(pattern);
        let path = text(snapshot.everything(), tallies, pattern);
        let kind = tallies.kind(pattern).type_name();
        (format!("{path} {kind}"), (tally.own.count, tally.all.count))
    };
    let some = tallies
        .patterns()
        .filter(|of| tallies.tally(*of).all.count > 0);
    some.map(line).collect()
}

#[test]
fn objects_count_at_their_patterns_and_at_those_above() {
    let mut heap = Below::new();
    let sessions = heap.field(heap.global, Kind::Table, "sessions");
    for index in 1..=3 {
        let session = heap.under(sessions, Kind::Table, Label::Index(index));
        heap.field(session, Kind::String, "name");
    }
    // A list is one pattern.
    let mut last = heap.field(heap.global, Kind::Table, "list");
    for _ in 0..100 {
        last = heap.field(last, Kind::Table, "next");
    }
    let snapshot = heap.finish();
    let tallies = snapshot.path_tallies().unwrap();
    let expected = [
        ("_G table", (1, 109)),
        ("_G.list table", (1, 101)),
        ("_G.list.next table", (100, 100)),
        ("_G.sessions table", (1, 7)),
        ("_G.sessions.[*] table", (3, 6)),
        ("_G.sessions.[*].name string", (3, 3)),
    ];
    let expected = expected.map(|(path, counts)| (path.to_owned(), counts));
    assert_eq!(
        listed(&snapshot, &tallies),
        expected.into_iter().collect::<BTreeMap<_, _>>()
    );
}

#[test]
fn functions_of_one_place_have_it_and_others_have_none() {
    let mut program = Program::new();
    let globals = program.globals;
    let handlers = program.field(globals, Kind::Table, "handlers");
    program.function(handlers, Step::Plain(Label::Index(1)), "@chat.lua", 10);
    program.function(handlers, Step::Plain(Label::Index(2)), "@chat.lua", 10);
    let mixed = program.field(globals, Kind::Table, "mixed");
    for (at, line) in (1..).zip([3, 4, 4]) {
        program.function(mixed, Step::Plain(Label::Index(at)), "@chat.lua", line);
    }
    let snapshot = program.finish();
    let heap = snapshot.everything();
    let tallies = snapshot.path_tallies().unwrap();
    let code = |path: &str| {
        let mut found = tallies
            .patterns()
            .filter(|of| text(heap, &tallies, *of) == path);
        let code = tallies.tally(found.next().unwrap()).code;
        code.map(|(source, line)| {
            (
                String::from_utf8_lossy(heap.name(source)).into_owned(),
                line,
            )
        })
    };
    assert_eq!(code("_G.handlers.[*]"), Some(("@chat.lua".to_owned(), 10)));
    assert_eq!(code("_G.mixed.[*]"), None);
    assert_eq!(code("_G.mixed"), None);
}

#[test]
fn growth_is_what_a_pattern_has_more_and_never_less_than_nothing() {
    let heap = |sessions: i64, jobs: i64| {
        let mut heap = Below::new();
        for (name, count) in [("sessions", sessions), ("jobs", jobs)] {
            let table = heap.field(heap.global, Kind::Table, name);
            for index in 1..=count {
                heap.under(table, Kind::Table, Label::Index(index));
            }
        }
        heap.finish()
    };
    let (before, after) = (heap(2, 9), heap(5, 1));
    let grown = path_growth(&before, &after).unwrap();
    let expected = [
        ("_G table", (0, 3)),
        ("_G.sessions table", (0, 3)),
        ("_G.sessions.[*] table", (3, 3)),
    ];
    let expected = expected.map(|(path, counts)| (path.to_owned(), counts));
    assert_eq!(
        listed(&after, &grown),
        expected.into_iter().collect::<BTreeMap<_, _>>()
    );
    assert!(path_growth(&before, &luasnap_heap::increase(&after, &before).unwrap()).is_err());
}

proptest! {
    /// All objects in use are counted once.
    #[test]
    fn sums_are_those_of_the_heap(graph in graph(24, true)) {
        let snapshot = Snapshot::new(graph.heap(0..graph.links.len()));
        let tallies = snapshot.path_tallies().unwrap();
        let own = tallies.patterns().map(|of| tallies.tally(of).own);
        let live = Census::new(&snapshot).unwrap().live;
        prop_assert_eq!(sum(own), live);
        let starts = tallies.patterns().filter(|of| tallies.parent(*of).is_none());
        prop_assert_eq!(sum(starts.map(|of| tallies.tally(of).all)), live);
        for pattern in tallies.patterns() {
            let below = tallies.patterns().filter(|of| tallies.parent(*of) == Some(pattern));
            let parts = below.map(|of| tallies.tally(of).all);
            let tally = tallies.tally(pattern);
            prop_assert_eq!(sum(parts.chain([tally.own])), tally.all);
        }
    }
}

fn sum(tallies: impl Iterator<Item = Tally>) -> Tally {
    tallies.fold(Tally::default(), |sum, tally| Tally {
        count: sum.count + tally.count,
        bytes: sum.bytes + tally.bytes,
    })
}
