//! Wasted memory, as an answer.

use crate::answer_error::{AnswerError, Result};
use crate::answers::field;
use crate::answers::name::Name;
use crate::answers::short_path::path_of_everything;
use crate::answers::stats::{Sum, blocks};
use luasnap_heap::{Census, Kind, NodeId, Rank, RepeatedText, Snapshot, Waste, WastedSlots};
use serde::Serialize;
use std::collections::BTreeMap;

/// The number of bytes of a text that are shown.
const BEGINNING: usize = 40;

/// Wasted memory of a snapshot.
#[derive(Clone, Debug, Serialize)]
pub struct WasteAnswer {
    /// Texts that exist several times; `None` if unknown.
    pub strings: Option<DuplicateStrings>,
    /// Tables that keep far more slots than they use; `None` if unknown.
    pub tables: Option<SparseTableList>,
    /// Unreachable objects that the collector has not freed yet, if known.
    pub garbage: Option<Sum>,
    /// Memory of the VM that is not in objects: bytes by name.
    pub blocks: BTreeMap<String, u64>,
    /// The VM's own total, in bytes.
    pub total: Option<u64>,
    /// Bytes unaccounted for.
    pub unaccounted: Option<i64>,
}

/// Texts that exist several times.
#[derive(Clone, Debug, Serialize)]
pub struct DuplicateStrings {
    /// The number of redundant strings.
    pub count: u64,
    /// The sum of their shallow sizes, in bytes.
    pub bytes: u64,
    /// The number of these texts.
    #[serde(skip)]
    pub texts: u64,
    /// The texts that waste most.
    pub top: Vec<RepeatedTextRow>,
}

/// A text that exists several times.
#[derive(Clone, Debug, Serialize)]
pub struct RepeatedTextRow {
    /// Its first 40 bytes.
    pub text: Name,
    /// The number of strings with this text.
    pub count: u64,
    /// Shallow size of one of them, in bytes.
    pub size: u64,
    /// Wasted bytes: those of all strings but the largest.
    pub bytes: u64,
    /// The shortest path to one of them.
    pub example: Name,
}

/// Tables that keep far more slots than they use.
#[derive(Clone, Debug, Serialize)]
pub struct SparseTableList {
    /// The number of tables.
    pub count: u64,
    /// The bytes of their empty slots.
    pub bytes: u64,
    /// The tables that waste most.
    pub top: Vec<SparseTableRow>,
}

/// A table that keeps far more slots than it uses.
#[derive(Clone, Debug, Serialize)]
pub struct SparseTableRow {
    /// Its address.
    #[serde(serialize_with = "field::address")]
    pub address: u64,
    /// Always [`Kind::Table`].
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// Slots of its array part, ...
    pub array_slots: u32,
    /// ... and how many of them are in use.
    pub array_used: u32,
    /// Slots of its hash part, ...
    pub hash_slots: u32,
    /// ... and how many of them are in use.
    pub hash_used: u32,
    /// The bytes of its empty slots.
    pub bytes: u64,
    /// The shortest path to it.
    pub path: Name,
}

/// Returns waste as an answer, with at most `rows` texts and tables.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`] if memory runs out.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Engine, HeapBuilder, Kind, Label, NodeId, Provenance};
/// use luasnap_heap::{Snapshot, Strength, Waste};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut builder = HeapBuilder::new();
/// let text = builder.name(b"Welcome to the arena!")?;
/// let name = builder.name(b"motd")?;
/// for address in [0x10, 0x60] {
///     let (string, _) = builder.node(Kind::String, address)?;
///     builder.set_size(string, 70);
///     builder.set_count(string, 1); // the number of its text
///     builder.set_source(string, text);
///     builder.edge(NodeId::ROOT, string, Label::Root(name), Strength::Strong)?;
/// }
/// let engine = Engine::Native; // the portable one sees no strings
/// let heap = builder.finish_reached(Provenance { engine, ..Provenance::default() })?;
/// let snapshot = Snapshot::new(heap);
///
/// let waste = luasnap_format::waste(&snapshot, &Waste::new(&snapshot)?, 5)?;
/// let strings = waste.strings.expect("strings are known");
/// assert_eq!((strings.count, strings.bytes), (1, 70));
/// assert_eq!(strings.top[0].text, "Welcome to the arena!");
/// # Ok(())
/// # }
/// ```
pub fn waste(snapshot: &Snapshot, waste: &Waste, rows: usize) -> Result<WasteAnswer> {
    let census = &waste.census;
    let strings = waste.strings.as_ref().map(|found| {
        let texts = &found.texts[..found.texts.len().min(rows)];
        Ok::<_, AnswerError>(DuplicateStrings {
            count: found.count,
            bytes: found.bytes,
            texts: found.texts.len() as u64,
            top: repeated(snapshot, texts)?,
        })
    });
    let tables = waste.tables.as_ref().map(|found| {
        let tables = &found.tables[..found.tables.len().min(rows)];
        Ok::<_, AnswerError>(SparseTableList {
            count: found.tables.len() as u64,
            bytes: found.bytes,
            top: sparse(snapshot, tables)?,
        })
    });
    Ok(WasteAnswer::of(
        census,
        strings.transpose()?,
        tables.transpose()?,
    ))
}

impl WasteAnswer {
    /// Returns what was found, beside what the census says.
    pub(crate) fn of(
        census: &Census,
        strings: Option<DuplicateStrings>,
        tables: Option<SparseTableList>,
    ) -> WasteAnswer {
        WasteAnswer {
            strings,
            tables,
            garbage: census.garbage.map(Sum::from),
            blocks: blocks(census),
            total: census.total,
            unaccounted: census.unaccounted,
        }
    }
}

fn repeated(snapshot: &Snapshot, texts: &[RepeatedText]) -> Result<Vec<RepeatedTextRow>> {
    let heap = snapshot.everything();
    let paths = paths(snapshot, texts.iter().map(|text| text.node))?;
    let row = |(text, example): (&RepeatedText, Name)| {
        let whole = heap.source(text.node);
        RepeatedTextRow {
            // Strings that are names are stored whole, however long they are.
            text: whole[..whole.len().min(BEGINNING)].to_vec().into(),
            count: text.count.into(),
            size: text.size,
            bytes: text.lost,
            example,
        }
    };
    Ok(texts.iter().zip(paths).map(row).collect())
}

fn sparse(snapshot: &Snapshot, tables: &[WastedSlots]) -> Result<Vec<SparseTableRow>> {
    let heap = snapshot.everything();
    let paths = paths(snapshot, tables.iter().map(|found| found.table.node))?;
    let row = |(found, path): (&WastedSlots, Name)| SparseTableRow {
        address: heap.address(found.table.node),
        kind: Kind::Table,
        array_slots: found.table.array_slots,
        array_used: found.table.array_used,
        hash_slots: found.table.hash_slots,
        hash_used: found.table.hash_used,
        bytes: found.lost,
        path,
    };
    Ok(tables.iter().zip(paths).map(row).collect())
}

/// Returns the shortest path to each node; `garbage` for unreachable ones.
fn paths(snapshot: &Snapshot, nodes: impl Iterator<Item = NodeId>) -> Result<Vec<Name>> {
    let nodes: Vec<NodeId> = nodes.collect();
    if nodes.is_empty() {
        return Ok(Vec::new());
    }
    let ranks = snapshot.everything_tree()?.ranks_of(&nodes)?;
    let path = |rank: Option<Rank>| match rank {
        Some(rank) => path_of_everything(snapshot, rank),
        None => Ok("garbage".into()),
    };
    ranks.into_iter().map(path).collect()
}
