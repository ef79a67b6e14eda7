//! A census: how many objects of each kind there are, and whether their sizes add up to what the VM
//! says it holds.

use crate::graph::error::BuildError;
use crate::graph::kind::Kind;
use crate::graph::provenance::Engine;
use crate::graph::tally::Tally;
use crate::reach::reach::{Reach, Through};
use crate::snapshot::Snapshot;
use std::borrow::Cow;

/// The objects of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindCensus {
    /// Their kind.
    pub kind: Kind,
    /// Those that are reachable; of a difference, those that changed.
    pub live: Tally,
    /// Those that nothing holds and the collector has not freed yet. None are known but in a heap
    /// that has [everything](crate::Provenance::is_whole).
    pub garbage: Tally,
}

/// What a snapshot counts, by kind, over everything that it captured.
#[derive(Clone, Debug)]
pub struct Census {
    /// By kind, in the order of [`Kind::ALL`], less [`Kind::Snapshot`].
    pub kinds: Vec<KindCensus>,
    /// All that is reachable.
    pub live: Tally,
    /// How many references there are among all of them.
    pub references: usize,
    /// All that is garbage; `None` where the heap has not everything.
    pub garbage: Option<Tally>,
    /// Our own snapshots and their markers, as the VM holds them: neither live nor garbage.
    pub own: Tally,
    /// Bytes that the VM itself says it holds.
    pub total: Option<u64>,
    /// Bytes that the objects, garbage and our own too, and the blocks have; `None` where sizes are
    /// estimates or the heap has not everything.
    pub accounted: Option<u64>,
    /// What the VM says it holds less what is accounted for.
    pub unaccounted: Option<i64>,
    /// What belongs to the VM and is no object, in bytes, by name.
    pub blocks: Vec<(Cow<'static, str>, u64)>,
    /// How the heap was captured.
    pub engine: Engine,
    /// The VM's family: `Lua 5.4`.
    pub vm: Cow<'static, str>,
    /// The releases whose structures the VM has, where known.
    pub layout: Option<Cow<'static, str>>,
    /// Bytes of memory that the snapshot holds, outside the Lua heap.
    pub memory: usize,
}

impl Census {
    /// Whether everything is there, to the last byte that the VM says it holds.
    pub fn is_exact(&self) -> bool {
        self.unaccounted == Some(0)
    }

    /// Counts what a snapshot has.
    pub fn new(snapshot: &Snapshot) -> Result<Census, BuildError> {
        let reach = reach_of(snapshot)?;
        Ok(Census::count(snapshot, reach.as_ref()))
    }

    /// The same by one who [knows](reach_of) what is reachable.
    pub(crate) fn count(snapshot: &Snapshot, reach: Option<&Reach>) -> Census {
        let heap = snapshot.everything();
        let provenance = heap.provenance();
        let mut kinds = Kind::ALL.map(|kind| KindCensus {
            kind,
            live: Tally::default(),
            garbage: Tally::default(),
        });
        let mut own = Tally::default();
        for node in heap.nodes().skip(1) {
            let (kind, bytes) = (heap.kind(node), heap.size(node));
            if snapshot.is_difference() && !snapshot.is_member(node) {
                continue;
            }
            let of_kind = &mut kinds[kind as usize - 1];
            if kind == Kind::Snapshot {
                own.add(bytes);
            } else if reach.is_none_or(|reach| reach.contains(node)) {
                of_kind.live.add(bytes);
            } else if provenance.is_whole {
                of_kind.garbage.add(bytes);
            }
        }
        let mut kinds = kinds.to_vec();
        kinds.retain(|of_kind| of_kind.kind != Kind::Snapshot);
        let live = Tally::sum(kinds.iter().map(|of_kind| of_kind.live));
        let garbage = Tally::sum(kinds.iter().map(|of_kind| of_kind.garbage));
        let blocks = provenance.blocks.iter().map(|block| block.1);
        let accounted = [live.bytes, garbage.bytes, own.bytes]
            .into_iter()
            .chain(blocks)
            .fold(0, u64::saturating_add);
        let is_exact = provenance.engine == Engine::Native && provenance.is_whole;
        let accounted = is_exact.then_some(accounted);
        Census {
            kinds,
            live,
            references: heap.edge_count(),
            garbage: provenance.is_whole.then_some(garbage),
            own,
            total: provenance.total,
            accounted,
            unaccounted: accounted.and_then(|accounted| {
                Some((provenance.total? as i64).wrapping_sub(accounted as i64))
            }),
            blocks: provenance.blocks.clone(),
            engine: provenance.engine,
            vm: provenance.vm.clone(),
            layout: provenance.layout.clone(),
            memory: snapshot.memory(),
        }
    }
}

/// What of everything in a snapshot is reachable; `None` where all of it is, or it is a difference.
pub(crate) fn reach_of(snapshot: &Snapshot) -> Result<Option<Reach>, BuildError> {
    let heap = snapshot.everything();
    if heap.all_reached || snapshot.is_difference() {
        return Ok(None);
    }
    Reach::new(heap, Through::Everything).map(Some)
}
