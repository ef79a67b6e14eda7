//! `luasnap info`: a summary of a snapshot.

use crate::exit_code::OF_READERS;
use crate::ledger;
use crate::look;
use crate::output::{AnswerAboutFile, print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::{SnapshotFile, taken_at};
use crate::table::{Column, Columns};
use crate::waste;
use anyhow::Result;
use clap::Args;
use luasnap_format::{
    Ledger, Stats, WasteAnswer, WeaknessRow, byte_size, grouped, printable_path, status_words,
    weakness,
};
use luasnap_heap::{Census, Kind, Tally, ThreadStatus, Waste};
use serde::Serialize;
use std::fmt::Write;
use std::path::PathBuf;
use std::process::ExitCode;

/// Summarize a snapshot
///
/// Shows objects and shallow sizes by kind, garbage, what the VM's memory consists of and what is
/// unaccounted for, and wasted memory: equal strings, and tables whose slots are mostly empty.
#[derive(Args)]
#[command(after_help = OF_READERS)]
pub struct Info {
    /// The snapshot file
    file: PathBuf,

    /// List this many texts and this many tables that waste memory
    #[arg(short = 'n', long, default_value_t = 5)]
    rows: usize,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,
}

impl Info {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(2);
        let file = SnapshotFile::open(&self.file, &progress)?;
        let found = progress.step("counting", || Waste::new(&file.snapshot))?;
        let waste = luasnap_format::waste(&file.snapshot, &found, self.rows)?;
        let stats = Stats::new(&file.snapshot, &found.census)?;
        let weak = weakness(&file.snapshot, self.rows)?;
        drop(progress);
        match self.json {
            true => {
                let answer = Answer::new(&file, &stats, &waste, &weak);
                print_json(&AnswerAboutFile::new(&file.path, &answer))?;
            }
            false => print(as_text(&file, &found.census, &stats.ledger, &waste, &weak)?)?,
        }
        Ok(ExitCode::SUCCESS)
    }
}

fn as_text(
    file: &SnapshotFile,
    census: &Census,
    ledger: &Ledger,
    waste: &WasteAnswer,
    weak: &[WeaknessRow],
) -> Result<String> {
    let mut text = String::new();
    let path = printable_path(&file.path);
    writeln!(text, "{path}: {}", origin(file, census))?;
    writeln!(text, "{}", ledger::as_text(ledger))?;
    write!(text, "{}", kinds(census))?;
    write!(text, "{}", coroutines(census))?;
    write!(text, "{}", memory(census)?)?;
    write!(text, "{}", waste::as_text(waste)?)?;
    if !weak.is_empty() {
        writeln!(text, "\nWeak tables that keep entries for ever")?;
    }
    for row in weak {
        let table = look::path_and_what(&row.path, row.what.as_ref());
        writeln!(text, "  {table}: {}", row.words)?;
    }
    Ok(text)
}

/// Returns where a snapshot comes from, in a line.
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

/// Returns the name of a kind.
fn kind_name(kind: Kind) -> &'static str {
    match kind {
        Kind::LuaFunction => "Lua function",
        Kind::CFunction => "C function",
        Kind::Prototype => "prototype",
        kind => kind.type_name(),
    }
}

/// Returns how many coroutines are doing what, in a line; empty if there are none.
fn coroutines(census: &Census) -> String {
    let counted = ThreadStatus::ALL.iter().zip(census.coroutines);
    let counted: Vec<String> = counted
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| format!("{} {}", grouped(count), status_words(*status)))
        .collect();
    match counted.is_empty() {
        true => String::new(),
        false => format!("\ncoroutines: {}\n", counted.join(", ")),
    }
}

/// Returns what the VM's memory consists of; empty if its total is not known.
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

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    file_bytes: Option<u64>,
    process: Option<u32>,
    taken_at_ms: Option<u64>,
    #[serde(flatten)]
    stats: &'a Stats,
    waste: &'a WasteAnswer,
    weak_tables: &'a [WeaknessRow],
}

impl<'a> Answer<'a> {
    fn new(
        file: &SnapshotFile,
        stats: &'a Stats,
        waste: &'a WasteAnswer,
        weak_tables: &'a [WeaknessRow],
    ) -> Answer<'a> {
        let provenance = file.snapshot.everything().provenance();
        Answer {
            file_bytes: file.bytes,
            process: provenance.process.map(|process| process.id),
            taken_at_ms: provenance.taken_at,
            stats,
            waste,
            weak_tables,
        }
    }
}
