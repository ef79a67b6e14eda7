//! What grows in a program that is watched.

use luasnap_format::GrowthSeries;
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
