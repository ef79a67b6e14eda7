//! What grows in a program that is watched.

use luasnap_format::{GrowthSeries, RateRow};
use luasnap_heap::{
    Engine, HeapBuilder, Kind, Label, NodeId, ProcessMemory, Provenance, Snapshot, Strength,
};

/// `_G.cache` with so many entries, at this second.
fn snapshot(entries: u64, second: u64) -> Snapshot {
    let mut builder = HeapBuilder::new();
    let (globals, _) = builder.node(Kind::Table, 0x10).unwrap();
    let (cache, _) = builder.node(Kind::Table, 0x20).unwrap();
    let root = Label::Root(builder.name(b"_G").unwrap());
    let field = Label::Field(builder.name(b"cache").unwrap());
    builder
        .edge(NodeId::ROOT, globals, root, Strength::Strong)
        .unwrap();
    builder
        .edge(globals, cache, field, Strength::Strong)
        .unwrap();
    for number in 1..=entries {
        let (entry, _) = builder.node(Kind::Table, 0x20 + 0x10 * number).unwrap();
        builder.set_size(entry, 100);
        let name = builder.name(format!("entry{number}").as_bytes()).unwrap();
        builder
            .edge(cache, entry, Label::Field(name), Strength::Strong)
            .unwrap();
    }
    let provenance = Provenance {
        engine: Engine::Portable,
        vm: "Lua 5.4".into(),
        taken_at: Some(1000 * second),
        process_memory: ProcessMemory {
            resident: Some(second << 20),
            ..ProcessMemory::default()
        },
        ..Provenance::default()
    };
    Snapshot::new(builder.finish_reached(provenance).unwrap())
}

#[test]
fn many_steps_take_no_more_memory_than_some() {
    let mut series = GrowthSeries::default();
    let mut memory = 0;
    let mut last = None;
    for step in 0..300 {
        // Of so many entries none is large enough to be a row of its own.
        last = series.add(&snapshot(3000 + step, 10 * step), 10).unwrap();
        assert!(series.times().len() <= 32);
        if step == 32 {
            memory = series.memory();
        }
    }
    assert!(series.memory() < 2 * memory, "{} {memory}", series.memory());
    let times: Vec<u64> = series.times().map(|time| time.unwrap() / 10_000).collect();
    assert_eq!((times[0], times[times.len() - 1]), (0, 299));
    // None is far from the next.
    let gaps: Vec<u64> = times.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| (1..=40).contains(gap)), "{times:?}");
    let growth = last.unwrap();
    assert_eq!(growth.sizes.len(), 32 + 1);
    assert_eq!(growth.growing[0].name, "_G.cache.*");
    assert_eq!(growth.growing[0].count_change, 299);
    assert_eq!(growth.suspects[0].point, "_G.cache");
    assert_eq!(growth.ledger.first.resident, Some(0));
    assert_eq!(growth.ledger.last.resident, Some(2990 << 20));
    let rate = "600 B a minute over 49 min";
    let verdict = growth.verdict.to_string();
    assert!(verdict.contains(rate), "{verdict}");
}

#[test]
fn what_cannot_be_compared_is_not_added() {
    let mut series = GrowthSeries::default();
    assert!(series.add(&snapshot(1, 1), 10).unwrap().is_none());
    assert_eq!(series.size(), 100);
    let error = series.add(&Snapshot::empty(), 10).unwrap_err();
    assert_eq!(
        error.to_string(),
        "snapshot 2 is empty: there is nothing to compare"
    );
    assert_eq!(series.times().len(), 1);
    let growth = series.add(&snapshot(3, 2), 10).unwrap().unwrap();
    assert_eq!(growth.sizes, [100, 300]);
}

/// What is in a row of a group, and how fast it grows.
fn share(row: &RateRow) -> (String, u64, i64, i64) {
    let name = row.name.to_string();
    (name, row.size, row.size_change, row.bytes_per_minute)
}

/// `_G.large`, `_G.small` and `_G.tiny`, of so many bytes, at this second.
fn three([large, small, tiny]: [u64; 3], second: u64) -> Snapshot {
    let mut builder = HeapBuilder::new();
    let (globals, _) = builder.node(Kind::Table, 0x10).unwrap();
    let root = Label::Root(builder.name(b"_G").unwrap());
    builder
        .edge(NodeId::ROOT, globals, root, Strength::Strong)
        .unwrap();
    for (at, (name, size)) in [("large", large), ("small", small), ("tiny", tiny)]
        .into_iter()
        .enumerate()
    {
        let (table, _) = builder.node(Kind::Table, 0x20 + at as u64).unwrap();
        builder.set_size(table, size);
        let field = Label::Field(builder.name(name.as_bytes()).unwrap());
        builder
            .edge(globals, table, field, Strength::Strong)
            .unwrap();
    }
    let provenance = Provenance {
        engine: Engine::Portable,
        vm: "Lua 5.4".into(),
        taken_at: Some(1000 * second),
        ..Provenance::default()
    };
    Snapshot::new(builder.finish_reached(provenance).unwrap())
}

#[test]
fn shares_are_of_the_largest_and_of_those_that_grow_most() {
    let mut series = GrowthSeries::with_shares(1);
    series.add(&three([5000, 300, 20], 60), 10).unwrap();
    let shares = series.shares();
    let rows: Vec<_> = shares.rows.iter().map(share).collect();
    assert_eq!(rows, [("_G.large".into(), 5000, 0, 0)]);
    assert_eq!(shares.other, 320);
    // The one that grows most is not the largest; another one shrinks.
    series.add(&three([5000, 290, 50], 180), 10).unwrap();
    let shares = series.shares();
    let rows: Vec<_> = shares.rows.iter().map(share).collect();
    let expected = [
        ("_G.large".into(), 5000, 0, 0),
        ("_G.tiny".into(), 50, 30, 15),
    ];
    assert_eq!(rows, expected);
    assert_eq!(shares.other, 290);
    // What is gone has no row.
    series.add(&three([5000, 0, 0], 240), 10).unwrap();
    let shares = series.shares();
    assert_eq!((shares.rows.len(), shares.other), (1, 0));
    // Nobody pays who does not ask.
    let mut series = GrowthSeries::default();
    series.add(&three([5000, 300, 20], 60), 10).unwrap();
    assert!(series.shares().rows.is_empty());
}

/// A name that one snapshot generalises stays so, or what is in the row would be two groups in turn.
#[test]
fn a_fingerprint_is_that_of_the_series() {
    let mut series = GrowthSeries::with_shares(10);
    let mut seen = Vec::new();
    for entries in [3000, 5, 3000, 1] {
        series.add(&snapshot(entries, 0), 10).unwrap();
        let shares = series.shares();
        let sizes = shares.rows.iter().map(|row| row.size);
        assert_eq!(sizes.sum::<u64>() + shares.other, 100 * entries);
        let rows = shares
            .rows
            .iter()
            .map(|row| (row.fingerprint.clone(), row.name.to_string()));
        seen.push(rows.collect::<Vec<_>>());
    }
    assert_eq!(seen[0].len(), 1);
    assert_eq!(seen[0][0].1, "_G.cache.*");
    assert!(seen.iter().all(|rows| *rows == seen[0]), "{seen:?}");
}
