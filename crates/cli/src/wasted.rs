//! What of a snapshot's memory is wasted, in words.

use anyhow::Result;
use luasnap_format::{byte_size, grouped, path_of_everything, printable};
use luasnap_heap::{Heap, NodeId, Rank, RepeatedText, Snapshot, SparseTable, Waste, WastedSlots};
use serde_json::{Value, json};
use std::fmt::Write;

/// Strings and tables that waste most, with a path to each.
pub struct Wasted<'a> {
    heap: &'a Heap,
    waste: &'a Waste,
    /// By the rows of duplicate strings, and of sparse tables.
    paths: [Vec<String>; 2],
}

impl<'a> Wasted<'a> {
    /// So many rows of each sort.
    pub fn new(snapshot: &'a Snapshot, waste: &'a Waste, rows: usize) -> Result<Wasted<'a>> {
        let strings = waste.strings.iter().flat_map(|found| &found.texts);
        let tables = waste.tables.iter().flat_map(|found| &found.tables);
        let strings: Vec<NodeId> = strings.map(|text| text.node).take(rows).collect();
        let tables: Vec<NodeId> = tables.map(|found| found.table.node).take(rows).collect();
        Ok(Wasted {
            heap: snapshot.everything(),
            waste,
            paths: [paths(snapshot, &strings)?, paths(snapshot, &tables)?],
        })
    }

    fn strings(&self) -> impl Iterator<Item = (&RepeatedText, &String)> {
        let strings = self.waste.strings.iter().flat_map(|found| &found.texts);
        strings.zip(&self.paths[0])
    }

    fn tables(&self) -> impl Iterator<Item = (&WastedSlots, &String)> {
        let tables = self.waste.tables.iter().flat_map(|found| &found.tables);
        tables.zip(&self.paths[1])
    }

    /// For people.
    pub fn as_text(&self) -> Result<String> {
        let mut text = String::new();
        let strings = self.waste.strings.as_ref();
        if let Some(strings) = strings.filter(|strings| strings.bytes > 0) {
            writeln!(
                text,
                "\nDuplicate strings of {} lose {}",
                count_of(strings.texts.len() as u64, "text", "texts"),
                byte_size(strings.bytes),
            )?;
            for (repeated, path) in self.strings() {
                writeln!(
                    text,
                    "  {:>10}  {} strings of {} bytes: {}, one at {path}",
                    byte_size(repeated.lost),
                    grouped(repeated.count.into()),
                    grouped(repeated.size),
                    quoted(self.heap.source(repeated.node)),
                )?;
            }
        }
        let tables = self.waste.tables.as_ref();
        if let Some(tables) = tables.filter(|tables| tables.bytes > 0) {
            writeln!(
                text,
                "\nEmpty slots of {} lose {}",
                count_of(tables.tables.len() as u64, "table", "tables"),
                byte_size(tables.bytes),
            )?;
            for (wasted, path) in self.tables() {
                let table = wasted.table;
                writeln!(
                    text,
                    "  {:>10}  {}: {path}",
                    byte_size(wasted.lost),
                    slots_in_use(&table)
                )?;
            }
        }
        Ok(text)
    }

    /// For programs.
    pub fn as_json(&self) -> Value {
        let (strings, tables) = (&self.waste.strings, &self.waste.tables);
        let string = |(text, path): (&RepeatedText, &String)| {
            json!({
                "text": String::from_utf8_lossy(beginning(self.heap.source(text.node))),
                "count": text.count,
                "size": text.size,
                "bytes": text.lost,
                "example": path,
            })
        };
        let table = |(found, path): (&WastedSlots, &String)| {
            let address = self.heap.address(found.table.node);
            json!({
                "address": format!("{address:#x}"),
                "array_slots": found.table.array_slots,
                "array_used": found.table.array_used,
                "hash_slots": found.table.hash_slots,
                "hash_used": found.table.hash_used,
                "bytes": found.lost,
                "path": path,
            })
        };
        json!({
            "strings": strings.as_ref().map(|found| json!({
                "count": found.count,
                "bytes": found.bytes,
                "top": self.strings().map(string).collect::<Vec<_>>(),
            })),
            "tables": tables.as_ref().map(|found| json!({
                "count": found.tables.len(),
                "bytes": found.bytes,
                "top": self.tables().map(table).collect::<Vec<_>>(),
            })),
        })
    }
}

/// The shortest path to each; of garbage, that it is.
fn paths(snapshot: &Snapshot, nodes: &[NodeId]) -> Result<Vec<String>> {
    let ranks = snapshot.everything_tree()?.ranks_of(nodes)?;
    let path = |rank: Option<Rank>| match rank {
        Some(rank) => path_of_everything(snapshot, rank),
        None => Ok("garbage".to_owned()),
    };
    Ok(ranks.into_iter().map(path).collect::<Result<_, _>>()?)
}

/// `1 of 64 hash slots in use`, for each part that a table has.
fn slots_in_use(table: &SparseTable) -> String {
    let parts = [
        ("array", table.array_used, table.array_slots),
        ("hash", table.hash_used, table.hash_slots),
    ];
    let parts = parts.iter().filter(|(_, _, slots)| *slots > 0);
    let parts: Vec<String> = parts
        .map(|(name, used, slots)| {
            let [used, slots] = [*used, *slots].map(|number| grouped(number.into()));
            format!("{used} of {slots} {name} slots in use")
        })
        .collect();
    parts.join(", ")
}

/// The beginning of a string.
fn beginning(text: &[u8]) -> &[u8] {
    &text[..text.len().min(40)]
}

fn quoted(text: &[u8]) -> String {
    format!("\"{}\"", printable(beginning(text)))
}

/// `1 table`, `2 tables`.
fn count_of(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}
