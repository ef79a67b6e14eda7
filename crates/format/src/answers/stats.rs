//! What a snapshot counts.

use luasnap_heap::{Census, Kind, KindCensus, Tally};
use serde::Serialize;
use std::collections::BTreeMap;

/// What a snapshot counts, by kind, and what the VM's memory consists of.
#[derive(Clone, Debug, Serialize)]
pub struct Stats {
    /// `native` or `portable`.
    pub engine: &'static str,
    /// Whether everything is there, to the last byte that the VM says it holds.
    pub exact: bool,
    /// The VM's family: `Lua 5.4`.
    pub vm: String,
    /// The releases whose structures the VM has, where known.
    pub layout: Option<String>,
    /// All that is reachable.
    pub objects: Sum,
    /// How many references there are among all of them.
    pub references: u64,
    /// By kind, those of which there are some.
    pub kinds: BTreeMap<&'static str, KindRow>,
    /// What nothing holds and the collector has not freed yet, where known.
    pub garbage: Option<Sum>,
    /// Our own snapshots, as the VM holds them.
    pub own: Sum,
    /// What belongs to the VM and is no object: bytes by name.
    pub blocks: BTreeMap<String, u64>,
    /// Bytes that the VM itself says it holds.
    pub total: Option<u64>,
    /// Bytes that were found.
    pub accounted: Option<u64>,
    /// What the VM says it holds less what was found.
    pub unaccounted: Option<i64>,
    /// Bytes of memory that the snapshot holds, outside the Lua heap.
    pub memory: u64,
}

/// Objects, and their shallow sizes together in bytes.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct Sum {
    /// How many they are.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
}

/// The objects of one kind.
#[derive(Clone, Copy, Debug, Serialize)]
pub struct KindRow {
    /// How many are reachable.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many are garbage.
    pub garbage_count: u64,
    /// Their bytes.
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
    /// What a census counted.
    pub fn new(census: &Census) -> Stats {
        let has_some = |of_kind: &&KindCensus| of_kind.live.count + of_kind.garbage.count > 0;
        let kinds = census.kinds.iter().filter(has_some);
        Stats {
            engine: census.engine.name(),
            exact: census.is_exact(),
            vm: census.vm.to_string(),
            layout: census.layout.as_ref().map(ToString::to_string),
            objects: census.live.into(),
            references: census.references as u64,
            kinds: kinds
                .map(|of_kind| (name(of_kind.kind), row(of_kind)))
                .collect(),
            garbage: census.garbage.map(Sum::from),
            own: census.own.into(),
            blocks: blocks(census),
            total: census.total,
            accounted: census.accounted,
            unaccounted: census.unaccounted,
            memory: census.memory as u64,
        }
    }
}

/// What belongs to the VM and is no object: bytes by name.
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

/// What a kind is called: a word that can be a field.
fn name(kind: Kind) -> &'static str {
    match kind {
        Kind::LuaFunction => "lua_function",
        Kind::CFunction => "c_function",
        Kind::Prototype => "prototype",
        kind => kind.type_name(),
    }
}
