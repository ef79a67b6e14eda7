//! `luasnap info`: what a snapshot counts, and whether that is all that its VM held.

use crate::exit_code::OF_READERS;
use crate::output::{print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::{SnapshotFile, taken_at};
use crate::table::{Column, Columns};
use crate::wasted::Wasted;
use anyhow::Result;
use clap::Args;
use luasnap_format::{byte_size, grouped, printable_path};
use luasnap_heap::{Census, Kind, KindCensus, Tally, Waste};
use serde_json::{Map, Value, json};
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Say what a snapshot counts
///
/// Objects by kind, what is garbage, what the VM's memory consists of, and what of it is wasted: texts
/// that there are several strings of, tables whose slots are mostly empty.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Info {
    /// The snapshot's file
    file: PathBuf,

    /// How many texts and how many tables that waste memory to list
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
            true => print_json(&as_json(&file, &waste, self.rows)?)?,
            false => print(as_text(&file, &waste, self.rows)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn as_text(file: &SnapshotFile, waste: &Waste, rows: usize) -> Result<String> {
    let census = &waste.census;
    let mut text = String::new();
    let path = printable_path(&file.path);
    writeln!(text, "{path}: {}\n", origin(file, census))?;
    write!(text, "{}", kinds(census))?;
    write!(text, "{}", memory(census)?)?;
    write!(
        text,
        "{}",
        Wasted::new(&file.snapshot, waste, rows)?.as_text()?
    )?;
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
        text += &format!(", taken {}", taken_at(time));
    }
    if let Some(bytes) = file.bytes {
        text += &format!(", file of {}", byte_size(bytes));
    }
    text
}

fn kinds(census: &Census) -> String {
    let has_garbage = census.garbage.is_some_and(|garbage| garbage.count > 0);
    let mut names = vec![
        Column::Word("kind"),
        Column::Number("objects"),
        Column::Number("bytes"),
    ];
    if has_garbage {
        names.extend([Column::Number("garbage"), Column::Number("its bytes")]);
    }
    let mut columns = Columns::new(&names);
    let mut row = |name: &str, live: Tally, garbage: Tally| {
        let mut cells = vec![name.to_owned(), grouped(live.count), byte_size(live.bytes)];
        if has_garbage {
            cells.extend([grouped(garbage.count), byte_size(garbage.bytes)]);
        }
        columns.row(cells);
    };
    for of_kind in &census.kinds {
        if of_kind.live.count + of_kind.garbage.count > 0 {
            row(kind_name(of_kind.kind), of_kind.live, of_kind.garbage);
        }
    }
    row("all", census.live, census.garbage.unwrap_or_default());
    columns.text()
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

/// What the VM's memory is, as it says itself; nothing where it is not known.
fn memory(census: &Census) -> Result<String> {
    let mut text = String::new();
    let Some(total) = census.total else {
        return Ok(text);
    };
    writeln!(
        text,
        "\nThe VM holds {} ({} bytes)",
        byte_size(total),
        grouped(total)
    )?;
    if census.accounted.is_none() {
        return Ok(text);
    }
    let mut row = |bytes: u64, what: &str| writeln!(text, "  {:>10}  {what}", byte_size(bytes));
    row(census.live.bytes, "objects in use")?;
    let garbage = census.garbage.unwrap_or_default();
    for (bytes, what) in [(garbage.bytes, "garbage"), (census.own.bytes, "snapshots")] {
        if bytes > 0 {
            row(bytes, what)?;
        }
    }
    for (name, bytes) in &census.blocks {
        row(*bytes, name)?;
    }
    if let Some(bytes) = census.unaccounted {
        let size = byte_size(bytes.unsigned_abs());
        let sign = if bytes < 0 { "-" } else { "" };
        writeln!(text, "  {:>10}  unaccounted for", format!("{sign}{size}"))?;
    }
    Ok(text)
}

fn as_json(file: &SnapshotFile, waste: &Waste, rows: usize) -> Result<Value> {
    let census = &waste.census;
    let provenance = file.snapshot.everything().provenance();
    let blocks = census.blocks.iter();
    let blocks = blocks.map(|(name, bytes)| (name.to_string(), json!(bytes)));
    Ok(json!({
        "file": file.path.display().to_string(),
        "file_bytes": file.bytes,
        "vm": census.vm,
        "layout": census.layout,
        "engine": census.engine.name(),
        "process": provenance.process.map(|process| process.id),
        "taken_at_ms": provenance.taken_at,
        "objects": tally_as_json(census.live),
        "references": census.references,
        "kinds": kinds_as_json(census),
        "garbage": census.garbage.map(tally_as_json),
        "own": tally_as_json(census.own),
        "blocks": blocks.collect::<Map<_, _>>(),
        "total": census.total,
        "accounted": census.accounted,
        "unaccounted": census.unaccounted,
        "waste": Wasted::new(&file.snapshot, waste, rows)?.as_json(),
    }))
}

fn tally_as_json(tally: Tally) -> Value {
    json!({ "count": tally.count, "bytes": tally.bytes })
}

fn kinds_as_json(census: &Census) -> Map<String, Value> {
    let kinds = census.kinds.iter();
    let kinds = kinds.filter(|of_kind| of_kind.live.count + of_kind.garbage.count > 0);
    let row = |of_kind: &KindCensus| {
        let name = kind_name(of_kind.kind).to_lowercase().replace(' ', "_");
        let row = json!({
            "count": of_kind.live.count,
            "bytes": of_kind.live.bytes,
            "garbage_count": of_kind.garbage.count,
            "garbage_bytes": of_kind.garbage.bytes,
        });
        (name, row)
    };
    kinds.map(row).collect()
}
