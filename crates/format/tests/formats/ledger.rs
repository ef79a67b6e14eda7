//! The ledger: where a process's memory is.

use crate::file_parts::Parts;
use crate::luasnap::saved;
use luasnap_format::{Ledger, LedgerChange, SaveOptions, growth, read_snapshot};
use luasnap_heap::{
    Census, Engine, Kind, Label, NodeId, ProcessMemory, Provenance, RunOrder, Snapshot, Strength,
    SweepBuilder, increase,
};

const MIB: u64 = 1 << 20;

/// A snapshot of a VM that holds so many bytes, with so many in use and so much garbage.
fn snapshot(total: u64, in_use: u64, garbage: u64, memory: ProcessMemory) -> Snapshot {
    heap(
        in_use,
        garbage,
        Provenance {
            engine: Engine::Native,
            vm: "Lua 5.4".into(),
            total: Some(total),
            blocks: vec![("global state".into(), 1000), ("string table".into(), 24)],
            is_whole: true,
            process_memory: memory,
            ..Provenance::default()
        },
    )
}

/// A heap with two userdata that have finalizers and two cdata, of which one each is garbage, and one userdata
/// without.
fn heap(in_use: u64, garbage: u64, provenance: Provenance) -> Snapshot {
    let mut builder = SweepBuilder::default();
    builder.begin_run(RunOrder::Allocation).unwrap();
    // The last three, and the table that is garbage, have no reference to them.
    let things = [
        (Kind::Table, in_use),
        (Kind::Table, 0),
        (Kind::CFunction, 0),
        (Kind::Userdata, 0),
        (Kind::Userdata, 0),
        (Kind::Cdata, 0),
        (Kind::Userdata, 0),
        (Kind::Cdata, 0),
        (Kind::Table, garbage),
    ];
    for (at, (kind, size)) in (1..).zip(things) {
        builder.add(kind, 16 * at, size).unwrap().unwrap();
    }
    let root = Label::Root(builder.intern(b"[REGISTRY]").unwrap());
    let gc = Label::Field(builder.intern(b"__gc").unwrap());
    for node in 0..=things.len() as u32 {
        builder.begin_edges();
        let edges = match node {
            0 => (1..=6).map(|target| (target, root)).collect(),
            2 => vec![(3, gc)],
            4 | 7 => vec![(2, Label::Metatable)],
            _ => Vec::new(),
        };
        for (target, label) in edges {
            builder
                .edge(NodeId(target), label, Strength::Strong)
                .unwrap();
        }
        builder.end_edges(NodeId(node)).unwrap();
    }
    Snapshot::new(builder.finish(provenance).unwrap())
}

fn ledger(snapshot: &Snapshot) -> Ledger {
    Ledger::new(snapshot, &Census::new(snapshot).unwrap()).unwrap()
}

/// A process with so much in physical memory, of which snapshots hold so much.
fn process(resident: u64, snapshots: u64) -> ProcessMemory {
    ProcessMemory {
        resident: Some(resident),
        peak_resident: Some(resident + MIB),
        limit: Some(512 * MIB),
        snapshots: Some(snapshots),
    }
}

#[test]
fn its_parts_are_the_whole() {
    let snapshot = snapshot(30 * MIB, 20 * MIB, 9 * MIB, process(40 * MIB, 5));
    let ledger = ledger(&snapshot);
    let expected = Ledger {
        resident: Some(40 * MIB),
        peak_resident: Some(41 * MIB),
        limit: Some(512 * MIB),
        vm_total: Some(30 * MIB),
        in_use: Some(20 * MIB),
        garbage: Some(9 * MIB),
        other: Some(1024),
        unaccounted: Some(MIB as i64 - 1024),
        outside: Some(10 * MIB),
        snapshots: Some(5),
        cdata: Some(2),
        finalizers: 2,
        shared: None,
        verdict: None,
    };
    assert_eq!(ledger, expected);
}

#[test]
fn what_is_unknown_is_not_guessed() {
    let known = |provenance| ledger(&heap(100, 7, provenance));
    let nothing = Ledger {
        finalizers: 1,
        ..Ledger::default()
    };
    assert_eq!(known(Provenance::default()), nothing);
    // The portable engine's sizes are estimates, and it sees no strings.
    let portable = known(Provenance {
        total: Some(1000),
        process_memory: process(5000, 0),
        ..Provenance::default()
    });
    assert_eq!(
        (portable.vm_total, portable.outside),
        (Some(1000), Some(4000))
    );
    assert_eq!(
        (portable.in_use, portable.garbage, portable.other),
        (None, None, None)
    );
    // More than is in memory: some of it is swapped out.
    let swapped = ledger(&snapshot(30 * MIB, MIB, 0, process(20 * MIB, 0)));
    assert_eq!((swapped.outside, swapped.verdict), (Some(0), None));
    assert_eq!(ledger(&Snapshot::empty()), Ledger::default());
    // Of a difference, what changed.
    let grown = increase(
        &snapshot(30 * MIB, MIB, 0, process(20 * MIB, 0)),
        &snapshot(30 * MIB, MIB, 0, process(20 * MIB, 0)),
    );
    assert_eq!(ledger(&grown.unwrap()), Ledger::default());
}

#[test]
fn it_says_what_most_of_it_is() {
    let verdict = |total, in_use, garbage, resident, snapshots| {
        ledger(&snapshot(
            total,
            in_use,
            garbage,
            process(resident, snapshots),
        ))
        .verdict
        .map(|verdict| verdict.to_string())
    };
    assert_eq!(
        verdict(160 * MIB, 28 * MIB, 131 * MIB, 200 * MIB, 0).as_deref(),
        Some("131.0 MiB of the VM's 160.0 MiB are garbage the collector has not reached: no leak")
    );
    assert_eq!(
        verdict(MIB, MIB / 2, 0, 200 * MIB, 0).as_deref(),
        Some(
            "199.0 MiB of the process's 200.0 MiB are outside the Lua VM: \
             the allocator, C libraries, other VMs"
        )
    );
    // Half is not most; a program has so much by itself; snapshots are luasnap's own.
    assert_eq!(verdict(160 * MIB, 80 * MIB, 80 * MIB, 200 * MIB, 0), None);
    assert_eq!(verdict(2 * MIB, MIB, MIB / 2, 15 * MIB, 0), None);
    assert_eq!(verdict(MIB, MIB / 4, MIB * 3 / 4, 2 * MIB, 0), None);
    assert_eq!(verdict(20 * MIB, 19 * MIB, 0, 60 * MIB, 30 * MIB), None);
}

/// There the texts of long strings are not in the VM's total.
#[test]
fn of_lua_5_5_it_names_texts() {
    let provenance = Provenance {
        vm: "Lua 5.5".into(),
        total: Some(MIB),
        process_memory: process(100 * MIB, 0),
        ..Provenance::default()
    };
    let large = ledger(&heap(0, 0, provenance));
    let end = "are outside the Lua VM's count: texts of long strings, the allocator, C libraries, other VMs";
    assert!(
        large
            .verdict
            .as_ref()
            .is_some_and(|text| text.to_string().ends_with(end))
    );
    let change = LedgerChange::new(
        Ledger {
            resident: Some(MIB),
            ..large.clone()
        },
        large,
        "Lua 5.5",
    );
    assert_eq!(change.verdict, None, "the first had as much outside");
}

#[test]
fn it_says_what_most_of_the_growth_is() {
    let change = |last: Snapshot| {
        let first = snapshot(20 * MIB, 19 * MIB, 0, process(40 * MIB, MIB));
        let change = LedgerChange::new(ledger(&first), ledger(&last), "Lua 5.4");
        change.verdict.map(|verdict| verdict.to_string())
    };
    assert_eq!(
        change(snapshot(20 * MIB, 19 * MIB, 0, process(40 * MIB, MIB))),
        None
    );
    assert_eq!(
        change(snapshot(22 * MIB, 21 * MIB, 0, process(50 * MIB, 2 * MIB))).as_deref(),
        Some(
            "7.0 MiB of the 10.0 MiB by which the process grew are outside the Lua VM: \
             the allocator, C libraries, other VMs"
        )
    );
    // A VM that shrank leaves more outside than the process grew by.
    assert!(
        change(snapshot(10 * MIB, 9 * MIB, 0, process(45 * MIB, MIB)))
            .is_some_and(|text| text.starts_with("5.0 MiB of the 5.0 MiB by which the process"))
    );
    assert_eq!(
        change(snapshot(
            30 * MIB,
            20 * MIB,
            9 * MIB,
            process(50 * MIB, MIB)
        ))
        .as_deref(),
        Some(
            "9.0 MiB of the 10.0 MiB by which the VM grew are garbage the collector has not reached: \
             no leak"
        )
    );
    assert_eq!(
        change(snapshot(30 * MIB, 29 * MIB, 0, process(50 * MIB, MIB))),
        None
    );
    assert_eq!(
        change(snapshot(20 * MIB, 19 * MIB, 0, process(50 * MIB, 11 * MIB))),
        None
    );
    assert_eq!(change(Snapshot::empty()), None);
}

#[test]
fn growth_has_that_of_the_first_and_the_last() {
    let snapshots = [1, 2, 3].map(|at| snapshot(at * MIB, 900, 0, process(10 * at * MIB, 0)));
    let growth = growth(&snapshots.each_ref(), 5).unwrap();
    assert_eq!(growth.ledger.first, ledger(&snapshots[0]));
    assert_eq!(growth.ledger.last, ledger(&snapshots[2]));
    assert!(growth.ledger.verdict.is_some());
}

#[test]
fn it_is_the_same_in_a_file_whatever_is_left_out() {
    let snapshot = snapshot(30 * MIB, 20 * MIB, 9 * MIB, process(40 * MIB, 5));
    for (strings, names) in [(true, true), (false, true), (true, false), (false, false)] {
        let file = saved(&snapshot, SaveOptions { strings, names });
        assert_eq!(ledger(&read_snapshot(&file).unwrap()), ledger(&snapshot));
    }
}

/// Adds facts to a file, each a number and a value.
fn with_facts(file: &[u8], facts: &[(u16, &[u8])]) -> Vec<u8> {
    let mut parts = Parts::of(file);
    let part = parts.section(1);
    for (number, value) in facts {
        part.blocks[0].extend_from_slice(&number.to_le_bytes());
        part.blocks[0].extend_from_slice(&(value.len() as u32).to_le_bytes());
        part.blocks[0].extend_from_slice(value);
    }
    part.count = part.blocks[0].len() as u64;
    parts.file()
}

#[test]
fn forged_facts_of_memory_are_refused_or_do_no_harm() {
    let file = saved(
        &snapshot(30 * MIB, 20 * MIB, 9 * MIB, ProcessMemory::default()),
        SaveOptions::default(),
    );
    for number in 15..=18 {
        for value in [&b""[..], &[1; 4], &[1; 7], &[1; 9]] {
            let error = read_snapshot(&with_facts(&file, &[(number, value)])).unwrap_err();
            assert_eq!(
                error.to_string(),
                "its section of facts makes no sense: a fact is wrong",
                "{number} {value:?}"
            );
        }
    }
    for extreme in [0, u64::MAX, 1 << 63] {
        let bytes = extreme.to_le_bytes();
        let all: Vec<(u16, &[u8])> = [5, 15, 16, 17, 18, 999]
            .map(|number| (number, &bytes[..]))
            .into();
        let read = read_snapshot(&with_facts(&file, &all)).unwrap();
        let forged = ledger(&read);
        assert_eq!(
            (forged.resident, forged.limit),
            (Some(extreme), Some(extreme))
        );
        LedgerChange::new(ledger(&snapshot(1, 0, 0, process(1, 0))), forged, "");
    }
}
