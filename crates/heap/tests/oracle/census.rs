//! The census against naive sums.

use crate::everything::{everything, provenance};
use luasnap_heap::{
    Census, Engine, HeapBuilder, Kind, Label, NameId, NodeId, Provenance, Snapshot, Strength,
    Tally, increase,
};
use proptest::prelude::*;

proptest! {
    #[test]
    fn every_object_is_counted_once(graph in everything(40)) {
        let reached = graph.reached();
        let census = Census::new(&Snapshot::new(graph.heap())).unwrap();
        let tally = |belongs: &dyn Fn(usize, Kind) -> bool| {
            let mut tally = Tally::default();
            for (node, &(kind, size, _)) in (1..).zip(&graph.things) {
                if belongs(node, kind) {
                    tally.count += 1;
                    tally.bytes += size;
                }
            }
            tally
        };
        let is_own = |kind| kind == Kind::Snapshot;
        for of_kind in &census.kinds {
            let live = tally(&|node, kind| kind == of_kind.kind && reached.contains(&node));
            let garbage = tally(&|node, kind| kind == of_kind.kind && !reached.contains(&node));
            prop_assert_eq!((of_kind.live, of_kind.garbage), (live, garbage));
        }
        prop_assert_eq!(census.kinds.len(), Kind::ALL.len() - 1);
        prop_assert_eq!(census.live, tally(&|node, kind| !is_own(kind) && reached.contains(&node)));
        let garbage = tally(&|node, kind| !is_own(kind) && !reached.contains(&node));
        prop_assert_eq!(census.garbage, Some(garbage));
        prop_assert_eq!(census.own, tally(&|_, kind| is_own(kind)));
        let accounted = tally(&|_, _| true).bytes + 1300;
        prop_assert_eq!(census.accounted, Some(accounted));
        prop_assert_eq!(census.unaccounted, Some(1_000_000 - accounted as i64));
        prop_assert_eq!(census.blocks, provenance().blocks);
    }
}

fn portable(tables: u64) -> Snapshot {
    let mut builder = HeapBuilder::new();
    for at in 1..=tables {
        let (table, _) = builder.node(Kind::Table, 16 * at).unwrap();
        builder.set_size(table, 56);
        let label = Label::Root(NameId::EMPTY);
        builder
            .edge(NodeId::ROOT, table, label, Strength::Strong)
            .unwrap();
    }
    Snapshot::new(builder.finish_reached(Provenance::default()).unwrap())
}

#[test]
fn of_estimates_no_sum_is_made() {
    let snapshot = portable(3);
    let census = Census::new(&snapshot).unwrap();
    let three = Tally {
        count: 3,
        bytes: 168,
    };
    assert_eq!(census.live, three);
    assert_eq!(
        (census.kinds[0].kind, census.kinds[0].live),
        (Kind::Table, three)
    );
    assert_eq!((census.garbage, census.own), (None, Tally::default()));
    assert_eq!((census.accounted, census.unaccounted), (None, None));
    assert_eq!(census.engine, Engine::Portable);
    assert_eq!(census.memory, snapshot.memory());
}

#[test]
fn of_a_difference_what_changed() {
    let more = increase(&portable(3), &portable(5)).unwrap();
    assert_eq!(Census::new(&more).unwrap().live.count, 2);
    let nothing = Census::new(&Snapshot::empty()).unwrap();
    assert_eq!(nothing.live, Tally::default());
}
