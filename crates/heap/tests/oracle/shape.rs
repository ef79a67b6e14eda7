//! Heaps of any size and of given shapes, also for the benches.

use luasnap_heap::{Heap, Kind, Label, NameId, NodeId, Provenance, Strength, SweepBuilder};

/// The size of every table of a shape, in bytes.
pub const TABLE: u64 = 56;

/// A heap of `tables` tables besides the synthetic root. `targets` adds what a node refers to.
pub fn heap(tables: u32, mut targets: impl FnMut(u32, &mut Vec<u32>)) -> Heap {
    let mut builder = SweepBuilder::default();
    for at in 1..=u64::from(tables) {
        builder.add(Kind::Table, 0x1000 + 64 * at, TABLE).unwrap();
    }
    let mut found = Vec::new();
    for source in 0..=tables {
        targets(source, &mut found);
        builder.begin_edges();
        for (at, target) in (1..).zip(found.drain(..)) {
            let label = match source {
                0 => Label::Root(NameId::EMPTY),
                _ => Label::Index(at),
            };
            builder
                .edge(NodeId(target), label, Strength::Strong)
                .unwrap();
        }
        builder.end_edges(NodeId(source)).unwrap();
    }
    builder.finish(Provenance::default()).unwrap()
}

/// Each table refers to the next one.
pub fn list(tables: u32) -> Heap {
    heap(tables, |at, targets| {
        targets.extend(Some(at + 1).filter(|next| *next <= tables));
    })
}

/// One table refers to all others.
pub fn star(tables: u32) -> Heap {
    heap(tables, |at, targets| match at {
        0 => targets.push(1),
        1 => targets.extend(2..=tables),
        _ => {}
    })
}

/// A list whose tables have one metatable, the last table of the heap.
pub fn one_metatable(tables: u32) -> Heap {
    heap(tables, |at, targets| {
        targets.extend(Some(at + 1).filter(|next| *next < tables));
        if at != 0 && at != tables {
            targets.push(tables);
        }
    })
}

/// A list in the first half of the heap whose last table refers to the second half, as does another
/// root: the last table of the heap.
pub fn shared_items(tables: u32) -> Heap {
    let last = tables / 2;
    heap(tables, |at, targets| match at {
        0 => targets.extend([1, tables]),
        _ if at < last => targets.push(at + 1),
        _ if at == last || at == tables => targets.extend(last + 1..tables),
        _ => {}
    })
}

/// Four references per table, one of them from an earlier table, so that everything is reachable.
#[allow(dead_code, reason = "only the benches use it")]
pub fn random(tables: u32) -> Heap {
    let mut state = 0x2545_F491_4F6C_DD1D_u64;
    let mut below = move |end: u32| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        ((u128::from(state) * u128::from(end)) >> 64) as u32
    };
    // By table: the next one to which the same table refers.
    let mut first = vec![0u32; tables as usize + 1];
    let mut next = vec![0u32; tables as usize + 1];
    for at in 1..=tables {
        let retainer = below(at) as usize;
        next[at as usize] = std::mem::replace(&mut first[retainer], at);
    }
    heap(tables, move |at, targets| {
        let mut held = first[at as usize];
        while held != 0 {
            targets.push(held);
            held = next[held as usize];
        }
        let others = if at == 0 { 0 } else { 3 };
        targets.extend((0..others).map(|_| 1 + below(tables)));
    })
}
