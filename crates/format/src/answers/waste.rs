//! Memory that could be spared.

use crate::answer_error::{AnswerError, Result};
use crate::answers::field;
use crate::answers::name::Name;
use crate::answers::short_path::path_of_everything;
use crate::answers::stats::{Sum, blocks};
use luasnap_heap::{Kind, NodeId, Rank, RepeatedText, Snapshot, Waste, WastedSlots};
use serde::Serialize;
use std::collections::BTreeMap;

/// How much of a text is told, in bytes.
const BEGINNING: usize = 40;

/// What a snapshot knows of memory that could be spared.
#[derive(Clone, Debug, Serialize)]
pub struct WasteAnswer {
    /// Texts that are there several times; `None` where nobody looked.
    pub strings: Option<DuplicateStrings>,
    /// Tables that keep far more slots than they use; `None` where nobody looked.
    pub tables: Option<SparseTableList>,
    /// What nothing holds and the collector has not freed yet, where known.
    pub garbage: Option<Sum>,
    /// What belongs to the VM and is no object: bytes by name.
    pub blocks: BTreeMap<String, u64>,
    /// Bytes that the VM itself says it holds.
    pub total: Option<u64>,
    /// What the VM says it holds less what was found.
    pub unaccounted: Option<i64>,
}

/// Texts that are there several times.
#[derive(Clone, Debug, Serialize)]
pub struct DuplicateStrings {
    /// How many strings could be done without.
    pub count: u64,
    /// Their bytes.
    pub bytes: u64,
    /// How many texts those are.
    #[serde(skip)]
    pub texts: u64,
    /// The texts that lose most.
    pub top: Vec<RepeatedTextRow>,
}

/// A text that is there several times.
#[derive(Clone, Debug, Serialize)]
pub struct RepeatedTextRow {
    /// Its first 40 bytes.
    pub text: Name,
    /// How many strings have it.
    pub count: u64,
    /// Bytes of each of them.
    pub size: u64,
    /// Bytes of all but one.
    pub bytes: u64,
    /// The shortest path to one of them.
    pub example: Name,
}

/// Tables that keep far more slots than they use.
#[derive(Clone, Debug, Serialize)]
pub struct SparseTableList {
    /// How many they are.
    pub count: u64,
    /// The bytes of their empty slots.
    pub bytes: u64,
    /// The tables that lose most.
    pub top: Vec<SparseTableRow>,
}

/// A table that keeps far more slots than it uses.
#[derive(Clone, Debug, Serialize)]
pub struct SparseTableRow {
    /// Its address.
    #[serde(serialize_with = "field::address")]
    pub address: u64,
    /// That it is a table.
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

/// Tells what was found, with at most `rows` of each sort.
///
/// # Errors
/// Only for lack of memory.
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
    Ok(WasteAnswer {
        strings: strings.transpose()?,
        tables: tables.transpose()?,
        garbage: census.garbage.map(Sum::from),
        blocks: blocks(census),
        total: census.total,
        unaccounted: census.unaccounted,
    })
}

fn repeated(snapshot: &Snapshot, texts: &[RepeatedText]) -> Result<Vec<RepeatedTextRow>> {
    let heap = snapshot.everything();
    let paths = paths(snapshot, texts.iter().map(|text| text.node))?;
    let row = |(text, example): (&RepeatedText, Name)| {
        let whole = heap.source(text.node);
        RepeatedTextRow {
            // Strings that are names are kept whole, however long they are.
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

/// The shortest path to each; of garbage, that it is.
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
