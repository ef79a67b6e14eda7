//! A census: the objects of each kind, and whether their sizes add up to the VM's own total.

use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::provenance::Engine;
use crate::graph::tally::Tally;
use crate::graph::thread_state::ThreadStatus;
use crate::reach::reach::Reach;
use crate::snapshot::Snapshot;
use std::borrow::Cow;

/// The objects of one kind.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct KindCensus {
    /// Their kind.
    pub kind: Kind,
    /// The reachable ones; in a difference, those that changed.
    pub live: Tally,
    /// The unreachable ones, which the collector has not freed yet. Known only in a heap that has
    /// [everything](crate::Provenance::is_whole).
    pub garbage: Tally,
}

/// The objects of a snapshot by kind, and the VM's memory, over everything that was captured.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Census, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// let mut builder = HeapBuilder::new();
/// let name = builder.name(b"_G")?;
/// for (kind, address, size) in [(Kind::Table, 0x10, 56), (Kind::Userdata, 0x20, 400)] {
///     let (node, _) = builder.node(kind, address)?;
///     builder.set_size(node, size);
///     builder.edge(NodeId::ROOT, node, Label::Root(name), Strength::Strong)?;
/// }
/// let census = Census::new(&Snapshot::new(builder.finish()?))?;
///
/// assert_eq!((census.live.count, census.live.bytes), (2, 456));
/// let userdata = census.kinds.iter().find(|of_kind| of_kind.kind == Kind::Userdata);
/// assert_eq!(userdata.map(|of_kind| of_kind.live.bytes), Some(400));
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct Census {
    /// By kind, in the order of [`Kind::ALL`], without [`Kind::Snapshot`].
    pub kinds: Vec<KindCensus>,
    /// All reachable objects.
    pub live: Tally,
    /// The number of references in the heap.
    pub references: usize,
    /// All garbage; `None` if the heap does not have everything.
    pub garbage: Option<Tally>,
    /// The module's own snapshots and their markers in the VM: neither live nor garbage.
    pub own: Tally,
    /// The VM's own total, in bytes.
    pub total: Option<u64>,
    /// Bytes of all objects (garbage and the module's own included) and of the blocks. `None` if sizes are
    /// estimates or if the heap does not have everything.
    pub accounted: Option<u64>,
    /// Bytes unaccounted for: the VM's own total less `accounted`.
    pub unaccounted: Option<i64>,
    /// Memory of the VM that is not in objects: name and bytes.
    pub blocks: Vec<(Cow<'static, str>, u64)>,
    /// How the heap was captured.
    pub engine: Engine,
    /// Why the native engine could not be used, if it was to be.
    pub engine_reason: Option<Cow<'static, str>>,
    /// The VM's family: `Lua 5.4`.
    pub vm: Cow<'static, str>,
    /// The releases whose structures the VM has, if known.
    pub layout: Option<Cow<'static, str>>,
    /// The number of reachable coroutines of each [status](ThreadStatus::ALL); none where that is not known.
    pub coroutines: [u64; ThreadStatus::ALL.len()],
    /// Bytes of memory that the snapshot takes, outside the Lua heap.
    pub memory: usize,
}

impl Census {
    /// Whether every byte of the VM's own total is accounted for.
    pub fn is_exact(&self) -> bool {
        self.unaccounted == Some(0)
    }

    /// Counts the objects of a snapshot.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn new(snapshot: &Snapshot) -> Result<Census, BuildError> {
        let reach = reach_of(snapshot)?;
        Ok(Census::count(snapshot, reach.as_ref()))
    }

    /// Counts the objects of a snapshot, for callers that already know what is reachable: `reach`
    /// is that of [everything](Snapshot::everything).
    pub fn with_reach(snapshot: &Snapshot, reach: &Reach) -> Census {
        Census::count(snapshot, Some(reach))
    }

    /// Counts the objects of a snapshot, for callers that have the result of [`reach_of`].
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
        let mut coroutines = [0; ThreadStatus::ALL.len()];
        for of in heap.threads() {
            let is_live = match snapshot.is_difference() {
                true => snapshot.is_member(of.node),
                false => reach.is_none_or(|reach| reach.contains(of.node)),
            };
            if is_live && heap.coroutine(of.node).is_some() {
                coroutines[of.status as usize] += 1;
            }
        }
        let mut kinds = kinds.to_vec();
        kinds.retain(|of_kind| of_kind.kind != Kind::Snapshot);
        let live = Tally::sum(kinds.iter().map(|of_kind| of_kind.live));
        let garbage = Tally::sum(kinds.iter().map(|of_kind| of_kind.garbage));
        Census {
            kinds,
            live,
            references: heap.edge_count(),
            garbage: provenance.is_whole.then_some(garbage),
            own,
            total: provenance.total,
            accounted: accounted(heap),
            unaccounted: unaccounted(heap),
            blocks: provenance.blocks.clone(),
            engine: provenance.engine,
            engine_reason: provenance.engine_reason.clone(),
            vm: provenance.vm.clone(),
            layout: provenance.layout.clone(),
            coroutines,
            memory: snapshot.memory(),
        }
    }
}

/// Returns the bytes of all objects and blocks of a heap; `None` if sizes are estimates or if the heap does not have
/// everything.
fn accounted(heap: &Heap) -> Option<u64> {
    let provenance = heap.provenance();
    let objects = heap.nodes().skip(1).map(|node| heap.size(node));
    let blocks = provenance.blocks.iter().map(|block| block.1);
    let is_exact = provenance.engine == Engine::Native && provenance.is_whole;
    is_exact.then(|| objects.chain(blocks).fold(0, u64::saturating_add))
}

/// Returns the bytes of a heap that are [unaccounted](Census::unaccounted) for, which takes no census: whatever is
/// reachable.
pub fn unaccounted(heap: &Heap) -> Option<i64> {
    let (total, accounted) = (heap.provenance().total?, accounted(heap)?);
    Some((total as i64).wrapping_sub(accounted as i64))
}

/// Returns the reachable nodes of everything in a snapshot; `None` if all are, and for a difference.
pub(crate) fn reach_of(snapshot: &Snapshot) -> Result<Option<Reach>, BuildError> {
    let heap = snapshot.everything();
    if heap.all_reached || snapshot.is_difference() {
        return Ok(None);
    }
    snapshot.reach().map(Some)
}
