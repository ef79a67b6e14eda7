//! The census of a snapshot, as an answer.

use crate::answer_error::Result;
use crate::answers::ledger::Ledger;
use luasnap_heap::{Census, Kind, KindCensus, Snapshot, Tally, ThreadStatus};
use serde::Serialize;
use std::collections::BTreeMap;

/// Objects by kind, and what the VM's memory consists of.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// `native` or `portable`.
    pub engine: &'static str,
    /// Why the native engine, which is used where it can be, was not; left out if it was, or if the portable one was
    /// asked for.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub engine_reason: Option<String>,
    /// Whether every byte of the VM's own total is accounted for.
    pub exact: bool,
    /// The VM's family: `Lua 5.4`.
    pub vm: String,
    /// The releases whose structures the VM has, if known.
    pub layout: Option<String>,
    /// All reachable objects.
    pub objects: Sum,
    /// The number of references.
    pub references: u64,
    /// By kind, without kinds of which there are no objects.
    pub kinds: BTreeMap<&'static str, KindRow>,
    /// Reachable coroutines by status, without those of which there are none; not the main thread. Left out if
    /// there are none, or if it is not known.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub coroutines: BTreeMap<&'static str, u64>,
    /// Unreachable objects that the collector has not freed yet, if known.
    pub garbage: Option<Sum>,
    /// The module's own snapshots in the VM.
    pub own: Sum,
    /// Memory of the VM that is not in objects: bytes by name.
    pub blocks: BTreeMap<String, u64>,
    /// The VM's own total, in bytes.
    pub total: Option<u64>,
    /// Bytes accounted for.
    pub accounted: Option<u64>,
    /// Bytes unaccounted for: `total` less `accounted`.
    pub unaccounted: Option<i64>,
    /// Bytes of memory that the snapshot takes, outside the Lua heap.
    pub memory: u64,
    /// Where the process's memory is.
    pub ledger: Ledger,
}

/// A number of objects, and the sum of their shallow sizes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sum {
    /// The number of objects.
    pub count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub bytes: u64,
}

/// The objects of one kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KindRow {
    /// The number of reachable ones.
    pub count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub bytes: u64,
    /// The number of unreachable ones.
    pub garbage_count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub garbage_bytes: u64,
}

impl From<Tally> for Sum {
    fn from(tally: Tally) -> Sum {
        Sum {
            count: tally.count,
            bytes: tally.bytes,
        }
    }
}

impl Stats {
    /// Returns the census of a snapshot as an answer.
    ///
    /// # Examples
    ///
    /// ```
    /// use luasnap_format::Stats;
    /// use luasnap_heap::{Census, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
    /// # fn main() -> Result<(), Box<dyn std::error::Error>> {
    /// // `_G.cache` has two tables of 100 bytes.
    /// let mut builder = HeapBuilder::new();
    /// let (globals, _) = builder.node(Kind::Table, 0x10)?;
    /// let (cache, _) = builder.node(Kind::Table, 0x20)?;
    /// let root = Label::Root(builder.name(b"_G")?);
    /// let field = Label::Field(builder.name(b"cache")?);
    /// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
    /// builder.edge(globals, cache, field, Strength::Strong)?;
    /// for (index, address) in [(1, 0x30), (2, 0x40)] {
    ///     let (entry, _) = builder.node(Kind::Table, address)?;
    ///     builder.set_size(entry, 100);
    ///     builder.edge(cache, entry, Label::Index(index), Strength::Strong)?;
    /// }
    /// let snapshot = Snapshot::new(builder.finish()?);
    ///
    /// let stats = Stats::new(&snapshot, &Census::new(&snapshot)?)?;
    /// assert_eq!((stats.objects.count, stats.objects.bytes), (4, 200));
    /// assert_eq!(stats.kinds["table"].count, 4);
    /// # Ok(())
    /// # }
    /// ```
    ///
    /// # Errors
    ///
    /// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
    pub fn new(snapshot: &Snapshot, census: &Census) -> Result<Stats> {
        Ok(Stats::of(census, Ledger::new(snapshot, census)?))
    }

    /// Returns a census and a ledger as an answer.
    pub(crate) fn of(census: &Census, ledger: Ledger) -> Stats {
        let has_some = |of_kind: &&KindCensus| of_kind.live.count + of_kind.garbage.count > 0;
        let kinds = census.kinds.iter().filter(has_some);
        Stats {
            engine: census.engine.name(),
            engine_reason: census.engine_reason.as_ref().map(ToString::to_string),
            exact: census.is_exact(),
            vm: census.vm.to_string(),
            layout: census.layout.as_ref().map(ToString::to_string),
            objects: census.live.into(),
            references: census.references as u64,
            kinds: kinds
                .map(|of_kind| (name(of_kind.kind), row(of_kind)))
                .collect(),
            coroutines: ThreadStatus::ALL
                .iter()
                .zip(census.coroutines)
                .filter(|(_, count)| *count > 0)
                .map(|(status, count)| (status.name(), count))
                .collect(),
            garbage: census.garbage.map(Sum::from),
            own: census.own.into(),
            blocks: blocks(census),
            total: census.total,
            accounted: census.accounted,
            unaccounted: census.unaccounted,
            memory: census.memory as u64,
            ledger,
        }
    }
}

/// Returns the memory of the VM that is not in objects: bytes by name.
pub(crate) fn blocks(census: &Census) -> BTreeMap<String, u64> {
    let blocks = census.blocks.iter();
    blocks
        .map(|(name, bytes)| (name.to_string(), *bytes))
        .collect()
}

fn row(of_kind: &KindCensus) -> KindRow {
    KindRow {
        count: of_kind.live.count,
        bytes: of_kind.live.bytes,
        garbage_count: of_kind.garbage.count,
        garbage_bytes: of_kind.garbage.bytes,
    }
}

/// Returns the name of a kind as a field.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::LuaFunction => "lua_function",
        Kind::CFunction => "c_function",
        Kind::Prototype => "prototype",
        kind => kind.type_name(),
    }
}
