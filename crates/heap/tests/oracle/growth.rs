//! Growth over several snapshots, and where it accumulates.

use crate::everything::everything;
use crate::group::{Below, name};
use crate::program::{Program, Step};
use luasnap_heap::{
    CompareError, Engine, GroupTable, Growth, Kind, Label, NodeId, Snapshot, Suspect, Tally,
    increase,
};
use proptest::prelude::*;
use std::collections::BTreeMap;

fn growth(snapshots: &[Snapshot]) -> Growth {
    let all: Vec<_> = snapshots.iter().collect();
    let growth = Growth::new(&all).unwrap();
    assert_eq!(
        answers(&of_tables(snapshots), snapshots),
        answers(&growth, snapshots)
    );
    growth
}

/// Compares the last snapshot with what tables keep of those before.
fn of_tables(snapshots: &[Snapshot]) -> Growth {
    let [earlier @ .., last] = snapshots else {
        panic!("no snapshots");
    };
    let mut tables: Vec<GroupTable> = Vec::new();
    for snapshot in earlier {
        let table = GroupTable::new(snapshot, tables.last()).unwrap();
        tables.push(table);
    }
    Growth::of_tables(&tables, last).unwrap()
}

/// Names, counts, sizes and entries by fingerprint.
type Rows = BTreeMap<u64, (String, Vec<u64>, Vec<u64>, Vec<u64>)>;
/// Point, rows by fingerprint, bytes and entries.
type Suspects = Vec<(NodeId, Vec<u64>, u64, u64)>;

/// Returns all rows and all suspects.
fn answers(growth: &Growth, snapshots: &[Snapshot]) -> (Rows, Suspects, Vec<u64>) {
    let rows = growth.rows().map(|row| {
        let name = name(
            growth.heap(row.snapshot),
            growth.groups(row.snapshot),
            row.group,
        );
        let values = [row.counts, row.shallow, row.entries].map(<[u64]>::to_vec);
        let [counts, shallow, entries] = values;
        (row.fingerprint.0, (name, counts, shallow, entries))
    });
    let suspects = growth.suspects(&snapshots[snapshots.len() - 1]).unwrap();
    let suspects = suspects.iter().map(|suspect| {
        let rows = suspect.rows.iter().map(|at| growth.row(*at).fingerprint.0);
        (
            suspect.point,
            rows.collect(),
            suspect.grown,
            suspect.entries,
        )
    });
    (rows.collect(), suspects.collect(), growth.sizes().collect())
}

/// Returns each row's name and its number of members in each snapshot.
fn rows(snapshots: &[Snapshot], growth: &Growth) -> Vec<(String, Vec<u64>)> {
    let row = |at| {
        let row = growth.row(at);
        let heap = snapshots[row.snapshot].everything();
        let name = name(heap, growth.groups(row.snapshot), row.group);
        (name, row.counts.to_vec())
    };
    (0..growth.len()).map(row).collect()
}

/// A server that forgets to remove sessions, each with an inventory and a string.
fn server(sessions: usize) -> Program {
    let mut program = Program::new();
    let retainer = program.field(program.globals, Kind::Table, "sessions");
    for at in 0..sessions {
        let session = program.field(retainer, Kind::Table, &format!("user{at}"));
        let items = program.field(session, Kind::Table, "items");
        program.index(items, Kind::Table, 1);
        program.text(session, "token", &format!("token {at}"));
    }
    program.field(program.globals, Kind::Table, "config");
    program.knows(&["sessions", "items", "token", "config"]);
    program
}

#[test]
fn what_is_one_of_many_once_is_so_in_all_snapshots() {
    let snapshots = [3, 10, 30].map(|sessions| server(sessions).finish());
    let growth = growth(&snapshots);
    let rows: BTreeMap<_, _> = rows(&snapshots, &growth).into_iter().collect();
    assert_eq!(rows["_G.sessions.*"], [3, 10, 30]);
    assert_eq!(rows["_G.sessions.*.items.[*]"], [3, 10, 30]);
    assert_eq!(rows["strings of _G.sessions.*"], [3, 10, 30]);
    assert_eq!(rows["_G.config"], [1, 1, 1]);
    assert!(!rows.contains_key("_G.sessions.user0"), "{rows:#?}");
}

#[test]
fn where_the_code_is_not_known_large_parts_are_the_same_in_all_snapshots() {
    let program = |small: usize, large: u64| {
        let mut below = Below::new();
        let cache = below.field(below.global, Kind::Table, "cache");
        for at in 0..small {
            below.field(cache, Kind::Table, &format!("entry{at}"));
        }
        let buffer = below.field(cache, Kind::Table, "buffer");
        below.builder.set_size(buffer, large);
        below.finish()
    };
    // In the first snapshot `buffer` is no large part; in the second there are not many names.
    let snapshots = [program(100, 100), program(5, 100), program(100, 100_000)];
    let growth = growth(&snapshots);
    let rows: BTreeMap<_, _> = rows(&snapshots, &growth).into_iter().collect();
    assert_eq!(rows["_G.cache.*"], [100, 5, 100]);
    assert_eq!(rows["_G.cache.buffer"], [1, 1, 1]);
}

#[test]
fn what_grows_in_every_step_and_what_only_changed() {
    let program = |leak: i64, goes: i64, large: i64| {
        let mut program = Program::new();
        for (name, count) in [("leak", leak), ("goes", goes), ("large", large)] {
            let retainer = program.field(program.globals, Kind::Table, name);
            for at in 1..=count {
                program.index(retainer, Kind::Table, at);
            }
        }
        program.finish()
    };
    let snapshots = [program(1, 5, 0), program(2, 2, 9), program(3, 0, 8)];
    let growth = growth(&snapshots);
    let names = rows(&snapshots, &growth);
    let name = |at: usize| names[at].0.as_str();
    let growing: Vec<_> = (0..growth.len())
        .filter(|&at| growth.row(at).grows_in_every_step())
        .map(name)
        .collect();
    assert_eq!(growing, ["_G.leak.[*]"]);
    assert_eq!(growth.growing().count(), 1);
    assert_eq!(growth.changed().count(), 3);
    assert_eq!(name(0), "_G.large.[*]");
    assert_eq!(name(growth.len() - 1), "_G.goes.[*]");
    let gone = growth.row(growth.len() - 1);
    assert_eq!((gone.count_change(), gone.shallow_change()), (-5, -500));
    assert_eq!((gone.snapshot, gone.shallow), (1, &[500, 200, 0][..]));
    assert_eq!(growth.row(0).retained, [0, 900, 800]);
}

#[test]
fn snapshots_that_cannot_be_compared_are_both_named() {
    let plain = Program::new().finish();
    let other = |change: fn(&mut Program)| {
        let mut program = Program::new();
        change(&mut program);
        program.finish()
    };
    let jit = other(|program| program.provenance().vm = "LuaJIT".into());
    let portable = other(|program| program.provenance().engine = Engine::Portable);
    let tbl = other(|program| program.rename_root("tbl"));
    let difference = increase(
        &plain,
        &other(|program| {
            program.field(program.globals, Kind::Table, "new");
        }),
    )
    .unwrap();
    let error = |snapshots: &[&Snapshot]| Growth::new(snapshots).unwrap_err().to_string();
    assert_eq!(Growth::new(&[]).unwrap_err(), CompareError::TooFew(0));
    assert_eq!(
        error(&[&plain]),
        "growth is found between snapshots: two are needed at least, not 1"
    );
    assert_eq!(
        error(&[&plain, &plain, &jit]),
        "snapshot 1 is of Lua 5.4, snapshot 3 of LuaJIT: \
         their objects and sizes cannot be compared"
    );
    assert_eq!(
        error(&[&plain, &portable]),
        "snapshot 1 was captured by the native engine, snapshot 2 by the portable one: \
         one estimates sizes and sees objects alone, so take both with the same engine"
    );
    assert_eq!(
        error(&[&tbl, &plain]),
        "snapshot 1 shows what tbl holds, snapshot 2 what [REGISTRY] holds: \
         take both with the same root"
    );
    assert_eq!(
        error(&[&plain, &difference]),
        "snapshot 2 is the difference of two others: growth is found between whole snapshots"
    );
}

#[test]
fn a_leak_is_one_suspect_whatever_its_parts() {
    let snapshots = [20, 40, 60].map(|sessions| server(sessions).finish());
    let growth = growth(&snapshots);
    let suspects = growth.suspects(&snapshots[2]).unwrap();
    assert_eq!(suspects.len(), 1, "{suspects:#?}");
    let suspect = &suspects[0];
    let names = rows(&snapshots, &growth);
    let mut parts: Vec<_> = suspect
        .rows
        .iter()
        .map(|at| names[*at].0.as_str())
        .collect();
    parts.sort_unstable();
    let expected = [
        "_G.sessions.*",
        "_G.sessions.*.items",
        "_G.sessions.*.items.[*]",
        "strings of _G.sessions",
        "strings of _G.sessions.*",
    ];
    assert_eq!(parts, expected);
    assert_eq!(suspect.grown, 40 * 500);
    // 60 sessions, and their table.
    let retained = Tally {
        count: 301,
        bytes: 30_100,
    };
    assert_eq!(suspect.retained, retained);
    let all = snapshots[2]
        .dominators()
        .unwrap()
        .retained(NodeId::ROOT)
        .bytes;
    assert_eq!(suspect.share, 30_100.0 / all as f64);
    let tree = snapshots[2].everything_tree().unwrap();
    let rank = suspect.point_rank.unwrap();
    assert_eq!(tree.node(rank), suspect.point);
    let groups = growth.groups(2);
    let point = &groups.groups()[groups.group_of(suspect.point).unwrap()];
    assert_eq!(
        name(snapshots[2].everything(), groups, point),
        "_G.sessions"
    );
    let first = growth.row(suspect.rows[0]);
    assert_eq!(suspect.fingerprint, first.fingerprint);
    // It came, and the oldest did not.
    let example = snapshots[2]
        .everything_tree()
        .unwrap()
        .node(suspect.example);
    let address = snapshots[2].everything().address(example);
    let before = snapshots[0].everything();
    assert!(before.nodes().all(|node| before.address(node) != address));
    assert_eq!(suspect.example, first.example);
}

/// The suspects as the name of their point, the names of their rows, their bytes and their entries.
fn suspects(snapshots: &[Snapshot]) -> Vec<(String, Vec<String>, u64, u64)> {
    let growth = growth(snapshots);
    let last = snapshots.last().unwrap();
    let names = rows(snapshots, &growth);
    let groups = growth.groups(snapshots.len() - 1);
    let point = |suspect: &Suspect| match groups.group_of(suspect.point) {
        _ if suspect.by_reference => "[ref]".to_owned(),
        Some(group) => name(last.everything(), groups, &groups.groups()[group]),
        None => "roots".to_owned(),
    };
    growth
        .suspects(last)
        .unwrap()
        .iter()
        .map(|suspect| {
            let names = suspect.rows.iter().map(|at| names[*at].0.clone()).collect();
            (point(suspect), names, suspect.grown, suspect.entries)
        })
        .collect()
}

#[test]
fn entries_count_though_the_memory_stays() {
    let snapshots = [1100, 1200, 1300].map(|entries| {
        let mut program = Program::new();
        let stamps = program.field(program.globals, Kind::Table, "stamps");
        program.define(stamps, "", entries);
        program.finish()
    });
    let point = "_G.stamps".to_owned();
    assert_eq!(suspects(&snapshots), [(point.clone(), vec![point], 0, 200)]);
}

#[test]
fn all_that_references_of_c_code_hold_is_one_suspect() {
    let snapshots = [10, 20, 30].map(|count| {
        let mut program = Program::new();
        for at in 0..count {
            let step = Step::Plain(Label::Index(100 + at));
            let function = program.function(program.registry, step, "plugin.lua", 8);
            let state = program.add(Kind::Table);
            program.upvalue(function, "state", state);
            let items = program.field(state, Kind::Table, "items");
            program.index(items, Kind::Table, 1);
        }
        program.knows(&["items"]);
        program.finish()
    });
    let found = suspects(&snapshots);
    assert_eq!(found.len(), 1, "{found:#?}");
    let (point, rows, ..) = &found[0];
    assert_eq!(
        (point.as_str(), rows[0].as_str()),
        ("[ref]", "plugin.lua:8")
    );
    assert_eq!(rows.len(), 5, "{rows:?}");
}

#[test]
fn what_grows_below_the_roots_is_one_suspect_with_what_holds_it() {
    // A global for each request: the accumulation point is the table of globals.
    let snapshots = [20, 40, 60].map(|count| {
        let mut program = Program::new();
        for at in 0..count {
            let request = program.field(program.globals, Kind::Table, &format!("request{at}"));
            program.field(request, Kind::Table, "body");
        }
        program.knows(&["body"]);
        program.finish()
    });
    let found = suspects(&snapshots);
    assert_eq!(found.len(), 1, "{found:#?}");
    let mut rows = found[0].1.clone();
    rows.sort_unstable();
    assert_eq!(rows, ["_G.*", "_G.*.body", "strings of _G"]);
}

#[test]
fn what_has_much_or_grows_keeps_its_name_among_many() {
    // The code that made the globals is gone, so no name is known.
    let snapshots = [300, 310, 320].map(|sessions| {
        let mut program = Program::new();
        for at in 0..20 {
            program.field(program.globals, Kind::Table, &format!("plugin{at:02}"));
        }
        let world = program.field(program.globals, Kind::Table, "world");
        program.set_size(world, 1 << 20);
        let cache = program.field(program.globals, Kind::Table, "cache");
        for at in 0..sessions {
            program.field(cache, Kind::Table, &format!("session{at}"));
        }
        program.knows(&["nothing of these"]);
        program.finish()
    });
    let growth = growth(&snapshots);
    let rows: BTreeMap<_, _> = rows(&snapshots, &growth).into_iter().collect();
    assert_eq!(rows["_G.world"], [1, 1, 1]);
    assert_eq!(rows["_G.cache.*"], [300, 310, 320]);
    assert_eq!(rows["_G.*"], [20, 20, 20]);
    assert!(rows.contains_key("_G.cache"), "{rows:#?}");
}

#[test]
fn a_list_accumulates_at_its_head_and_a_large_table_in_itself() {
    let program = |length: usize| {
        let mut program = Program::new();
        let retainer = program.field(program.globals, Kind::Table, "queue");
        let mut last = program.field(retainer, Kind::Table, "first");
        for _ in 0..length {
            last = program.field(last, Kind::Table, "next");
            program.field(last, Kind::Table, "data");
        }
        let log = program.field(program.globals, Kind::Table, "log");
        program.set_size(log, 1000 * length as u64);
        program.finish()
    };
    let snapshots = [100, 200].map(program);
    let growth = growth(&snapshots);
    let suspects = growth.suspects(&snapshots[1]).unwrap();
    let groups = growth.groups(1);
    let points: Vec<_> = suspects
        .iter()
        .map(|suspect| {
            let point = &groups.groups()[groups.group_of(suspect.point).unwrap()];
            let name = name(snapshots[1].everything(), groups, point);
            (name, suspect.rows.len(), suspect.grown)
        })
        .collect();
    let expected = [
        ("_G.log".to_owned(), 1, 100_000),
        ("_G.queue.first".to_owned(), 2, 20_000),
    ];
    assert_eq!(points, expected);
}

#[test]
fn what_is_scattered_has_no_point() {
    // Functions of one place, below the globals, a module and the registry.
    let program = |count: i64| {
        let mut program = Program::new();
        let [globals, loaded] = [program.globals, program.loaded];
        for retainer in [globals, loaded, program.registry] {
            let retainer = program.field(retainer, Kind::Table, "handlers");
            for at in 1..=count {
                let step = Step::Plain(Label::Index(at));
                program.function(retainer, step, "main.lua", 5);
            }
        }
        program.finish()
    };
    let snapshots = [10, 20].map(program);
    let growth = growth(&snapshots);
    let suspects = growth.suspects(&snapshots[1]).unwrap();
    assert_eq!(suspects.len(), 1);
    let heap = snapshots[1].everything();
    let root = heap.target(heap.root_range().start);
    assert_eq!((suspects[0].point, suspects[0].grown), (root, 3000));
}

#[test]
fn a_table_has_the_largest_groups_and_those_that_grow() {
    // Many small groups, each a function of its own place, and a leak that is smaller than all of them at first.
    let program = |leak: usize| {
        let mut program = Program::new();
        let handlers = program.field(program.globals, Kind::Table, "handlers");
        for line in 1..=5000 {
            for at in 0..3 {
                let step = Step::Plain(Label::Index(i64::from(3 * line + at)));
                program.function(handlers, step, "plugins.lua", line as u32);
            }
        }
        let queue = program.field(program.globals, Kind::Table, "queue");
        for at in 0..leak {
            program.index(queue, Kind::Table, at as i64);
        }
        program.knows(&["handlers", "queue"]);
        program.finish()
    };
    let snapshots = [1, 2, 3, 4].map(program);
    let mut tables: Vec<GroupTable> = Vec::new();
    for snapshot in &snapshots[..3] {
        let table = GroupTable::new(snapshot, tables.last()).unwrap();
        assert!((1000..=2500).contains(&table.len()), "{}", table.len());
        assert!(table.memory() < 2 << 20, "{}", table.memory());
        let all = snapshot.groups().unwrap().groups();
        assert_eq!(
            table.bytes(),
            all.iter().map(|group| group.shallow).sum::<u64>()
        );
        tables.push(table);
    }
    let last = &snapshots[3];
    let growth = Growth::of_tables(&tables, last).unwrap();
    let row = growth.rows().find(|row| {
        name(
            growth.heap(row.snapshot),
            growth.groups(row.snapshot),
            row.group,
        ) == "_G.queue.[*]"
    });
    // The first table does not know that it grows.
    let counts = row.unwrap().counts;
    assert_eq!(&counts[1..], [2, 3, 4], "{counts:?}");
}

#[test]
fn what_grows_among_folded_names_is_told_of_tables_too() {
    // Of many tenants one grows. Each is a small part, so all of them are folded in each snapshot.
    let program = |lines: usize| {
        let mut program = Program::new();
        let tenants = program.field(program.globals, Kind::Table, "tenants");
        for at in 0..100 {
            let tenant = program.field(tenants, Kind::Table, &format!("tenant{at:02}"));
            let log = program.field(tenant, Kind::Table, "log");
            for line in 0..if at == 42 { lines } else { 20 } {
                program.index(log, Kind::Table, line as i64);
            }
        }
        program.knows(&["tenants", "log"]);
        program.finish()
    };
    let snapshots = [20, 25, 30, 35].map(program);
    // Compared with what the tables tell as well.
    let found = suspects(&snapshots);
    let points: Vec<_> = found.iter().map(|of| of.0.as_str()).collect();
    assert_eq!(points, ["_G.tenants.tenant42.log"], "{found:#?}");
}

/// Returns members, bytes and entries by fingerprint.
fn naive(growth: &Growth, snapshot: usize) -> BTreeMap<u64, [u64; 3]> {
    let mut naive = BTreeMap::new();
    for group in growth.groups(snapshot).groups() {
        let sums: &mut [u64; 3] = naive.entry(group.fingerprint.0).or_default();
        sums[0] += u64::from(group.count);
        sums[1] += group.shallow;
        sums[2] += group.entries;
    }
    naive
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(300))]
    #[test]
    fn rows_are_what_maps_would_say(
        heaps in prop::collection::vec(everything(14), 2..5),
    ) {
        let snapshots: Vec<_> = heaps.iter().map(|of| Snapshot::new(of.heap())).collect();
        let all: Vec<_> = snapshots.iter().collect();
        // The names of their first roots are random.
        let Ok(growth) = Growth::new(&all) else {
            return Ok(());
        };
        prop_assert_eq!(
            answers(&of_tables(&snapshots), &snapshots),
            answers(&growth, &snapshots)
        );
        let maps: Vec<_> = (0..all.len()).map(|at| naive(&growth, at)).collect();
        let mut fingerprints: Vec<u64> = maps.iter().flat_map(|of| of.keys().copied()).collect();
        fingerprints.sort_unstable();
        fingerprints.dedup();
        let mut found = Vec::new();
        let mut last = None;
        for row in growth.rows() {
            found.push(row.fingerprint.0);
            for (at, map) in maps.iter().enumerate() {
                let expected = map.get(&row.fingerprint.0).copied().unwrap_or_default();
                prop_assert_eq!([row.counts[at], row.shallow[at], row.entries[at]], expected);
            }
            let steps = maps.iter().map(|map| map.get(&row.fingerprint.0));
            let steps: Vec<_> = steps.map(|sums| sums.copied().unwrap_or_default()).collect();
            let grows = steps.windows(2).all(|pair| {
                let is_less = |at: usize| pair[1][at] < pair[0][at];
                pair[0] != pair[1] && !(0..3).any(is_less)
            });
            prop_assert_eq!(row.grows_in_every_step(), grows);
            let now = (row.shallow_change(), row.count_change());
            prop_assert!(last.is_none_or(|last| last >= now));
            last = Some(now);
        }
        found.sort_unstable();
        prop_assert_eq!(found, fingerprints);
        for suspect in growth.suspects(&snapshots[all.len() - 1]).unwrap() {
            prop_assert!(suspect.share >= 0.0 && suspect.share <= 1.0);
            prop_assert!(suspect.rows.iter().all(|at| growth.row(*at).grows_in_every_step()));
        }
    }
}
