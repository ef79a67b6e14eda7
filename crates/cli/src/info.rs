//! `luasnap info`: what a snapshot counts, and whether that is all that its VM held.

use crate::output::{print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::{SnapshotFile, taken_at};
use crate::table::Columns;
use anyhow::Result;
use clap::Args;
use luasnap_format::{byte_size, grouped, object_name, printable};
use luasnap_heap::{Census, Heap, Kind, Tally, Waste};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what a snapshot counts
///
/// By kind, with what is garbage, what the VM itself holds, and what is wasted: strings that are there
/// several times, tables of empty slots.
#[derive(Args)]
pub struct Info {
    /// The snapshot's file
    file: PathBuf,

    /// How many duplicate strings and sparse tables to list
    #[arg(short = 'n', long, default_value_t = 5)]
    rows: usize,

    /// Write JSON, for programs
    #[arg(long)]
    json: bool,
}

impl Info {
    /// Does it.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(2);
        let file = SnapshotFile::open(&self.file, &progress)?;
        let waste = progress.step("counting", || Waste::new(&file.snapshot))?;
        drop(progress);
        match self.json {
            true => print_json(&as_json(&file, &waste, self.rows))?,
            false => print(as_text(&file, &waste, self.rows)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn as_text(file: &SnapshotFile, waste: &Waste, rows: usize) -> Result<String> {
    let census = &waste.census;
    let mut text = String::new();
    writeln!(text, "{}: {}", file.path.display(), origin(file, census))?;
    writeln!(text)?;
    write!(text, "{}", kinds(census))?;
    write!(text, "{}", beyond_objects(census)?)?;
    write!(text, "{}", wasted(file.snapshot.everything(), waste, rows)?)?;
    Ok(text)
}

/// Where a snapshot comes from, in a line.
fn origin(file: &SnapshotFile, census: &Census) -> String {
    let provenance = file.snapshot.everything().provenance();
    let mut text = census.vm.to_string();
    if let Some(layout) = &census.layout {
        text += &format!(" (structures of {layout})");
    }
    text += &format!(", {} engine", census.engine.name());
    if let Some(process) = provenance.process {
        text += &format!(", process {}", process.id);
    }
    if let Some(time) = provenance.taken_at {
        text += &format!(", {}", taken_at(time));
    }
    text + &format!(", file of {}", byte_size(file.bytes))
}

fn kinds(census: &Census) -> Columns {
    let mut columns = Columns::new(&["kind", ">objects", ">bytes", ">garbage", ">bytes"]);
    let mut row = |name: &str, live: Tally, garbage: Option<Tally>| {
        let number = |tally: Tally| [grouped(tally.count), byte_size(tally.bytes)];
        let garbage = garbage.map_or([String::new(), String::new()], number);
        let [count, bytes] = number(live);
        let [garbage_count, garbage_bytes] = garbage;
        columns.row([name.into(), count, bytes, garbage_count, garbage_bytes]);
    };
    for of_kind in &census.kinds {
        if of_kind.live.count + of_kind.garbage.count > 0 {
            let garbage = census.garbage.map(|_| of_kind.garbage);
            row(kind_name(of_kind.kind), of_kind.live, garbage);
        }
    }
    row("all", census.live, census.garbage);
    columns
}

/// What people call a kind.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::LuaFunction => "Lua function",
        Kind::CFunction => "C function",
        Kind::Prototype => "prototype",
        kind => kind.type_name(),
    }
}

/// What the VM holds besides objects.
fn beyond_objects(census: &Census) -> Result<String> {
    let mut text = String::new();
    if let Some(total) = census.total {
        writeln!(
            text,
            "\nThe VM holds {} ({} bytes).",
            byte_size(total),
            grouped(total)
        )?;
    }
    for (name, bytes) in &census.blocks {
        writeln!(text, "  {:>10}  {name}", byte_size(*bytes))?;
    }
    if census.own.count > 0 {
        writeln!(text, "  {:>10}  snapshots", byte_size(census.own.bytes))?;
    }
    if let Some(bytes) = census.unaccounted {
        let size = byte_size(bytes.unsigned_abs());
        let sign = if bytes < 0 { "-" } else { "" };
        writeln!(text, "  {:>10}  unaccounted for", format!("{sign}{size}"))?;
    }
    Ok(text)
}

fn wasted(heap: &Heap, waste: &Waste, rows: usize) -> Result<String> {
    let mut text = String::new();
    if let Some(strings) = waste.strings.as_ref().filter(|strings| strings.bytes > 0) {
        writeln!(
            text,
            "\nDuplicate strings lose {} ({} more than needed):",
            byte_size(strings.bytes),
            grouped(strings.count),
        )?;
        for repeated in strings.texts.iter().take(rows) {
            writeln!(
                text,
                "  {:>10}  {} times {} bytes, {}",
                byte_size(repeated.lost),
                grouped(repeated.count.into()),
                grouped(repeated.size),
                quoted(heap.source(repeated.node)),
            )?;
        }
    }
    if let Some(tables) = waste.tables.as_ref().filter(|tables| tables.bytes > 0) {
        writeln!(
            text,
            "\nEmpty slots of {} lose {}:",
            count_of(tables.tables.len() as u64, "sparse table", "sparse tables"),
            byte_size(tables.bytes),
        )?;
        for wasted in tables.tables.iter().take(rows) {
            let table = wasted.table;
            writeln!(
                text,
                "  {:>10}  {}: {} of {} array slots and {} of {} hash slots in use",
                byte_size(wasted.lost),
                object_name(heap, table.node),
                grouped(table.array_used.into()),
                grouped(table.array_slots.into()),
                grouped(table.hash_used.into()),
                grouped(table.hash_slots.into()),
            )?;
        }
    }
    Ok(text)
}

/// The beginning of a string.
fn quoted(text: &[u8]) -> String {
    format!("\"{}\"", printable(&text[..text.len().min(40)]))
}

/// `1 table`, `2 tables`.
fn count_of(count: u64, one: &str, many: &str) -> String {
    format!("{} {}", grouped(count), if count == 1 { one } else { many })
}

fn as_json(file: &SnapshotFile, waste: &Waste, rows: usize) -> Value {
    let census = &waste.census;
    let heap = file.snapshot.everything();
    let provenance = heap.provenance();
    let tally = |tally: Tally| json!({ "count": tally.count, "bytes": tally.bytes });
    let kinds: Map<String, Value> = census
        .kinds
        .iter()
        .filter(|of_kind| of_kind.live.count + of_kind.garbage.count > 0)
        .map(|of_kind| {
            let row = json!({
                "count": of_kind.live.count,
                "bytes": of_kind.live.bytes,
                "garbage_count": of_kind.garbage.count,
                "garbage_bytes": of_kind.garbage.bytes,
            });
            (
                kind_name(of_kind.kind).to_lowercase().replace(' ', "_"),
                row,
            )
        })
        .collect();
    let blocks: Map<String, Value> = census
        .blocks
        .iter()
        .map(|(name, bytes)| (name.to_string(), json!(bytes)))
        .collect();
    json!({
        "file": file.path.display().to_string(),
        "file_bytes": file.bytes,
        "vm": census.vm,
        "layout": census.layout,
        "engine": census.engine.name(),
        "process": provenance.process.map(|process| process.id),
        "taken_at_ms": provenance.taken_at,
        "objects": tally(census.live),
        "references": census.references,
        "kinds": kinds,
        "garbage": census.garbage.map(tally),
        "own": tally(census.own),
        "blocks": blocks,
        "total": census.total,
        "accounted": census.accounted,
        "unaccounted": census.unaccounted,
        "duplicate_strings": waste.strings.as_ref().map(|strings| json!({
            "count": strings.count,
            "bytes": strings.bytes,
            "top": strings.texts.iter().take(rows).map(|text| json!({
                "text": String::from_utf8_lossy(heap.source(text.node)),
                "count": text.count,
                "size": text.size,
                "lost": text.lost,
            })).collect::<Vec<_>>(),
        })),
        "sparse_tables": waste.tables.as_ref().map(|tables| json!({
            "count": tables.tables.len(),
            "bytes": tables.bytes,
            "top": tables.tables.iter().take(rows).map(|wasted| json!({
                "address": object_name(heap, wasted.table.node),
                "array_slots": wasted.table.array_slots,
                "array_used": wasted.table.array_used,
                "hash_slots": wasted.table.hash_slots,
                "hash_used": wasted.table.hash_used,
                "lost": wasted.lost,
            })).collect::<Vec<_>>(),
        })),
    })
}
