//! `luasnap info`: a summary of a snapshot.

use crate::exit_code::OF_READERS;
use crate::failure::Result;
use crate::kept_answers::KeptAnswers;
use crate::ledger;
use crate::look;
use crate::output::{AnswerAboutFile, print, print_json};
use crate::progress::Progress;
use crate::snapshot_file::{SnapshotFile, file_size, taken_at};
use crate::table::{Column, Columns};
use crate::waste;
use clap::Args;
use luasnap_format::{
    Info as Summary, NewAnswers, block_words, byte_size, grouped, printable_path, status_words,
};
use luasnap_heap::{Census, Kind, Tally, ThreadStatus};
use luasnap_words::Sentence;
use serde::Serialize;
use std::fmt::Write;
use std::path::{Path, PathBuf};
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

    /// Neither read nor keep answers in the file
    #[arg(long)]
    no_cache: bool,
}

impl Info {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let kept = KeptAnswers::of(&self.file, !self.no_cache);
        if let Some(info) = kept.info(self.rows) {
            self.print(file_size(&self.file), &info)?;
            return Ok(ExitCode::SUCCESS);
        }
        let progress = Progress::new(2);
        let file = SnapshotFile::open(&self.file, &progress)?;
        let rows = kept.rows_to_find(self.rows, Summary::STORED);
        let found = progress.step(Sentence::new("progress.counting"), || {
            Summary::new(&file.snapshot, rows)
        })?;
        drop(progress);
        match found.clone().first(self.rows) {
            Some(info) => self.print(file.bytes, &info)?,
            None => self.print(file.bytes, &found)?,
        }
        kept.keep(&NewAnswers {
            info: Some(&found).filter(|_| rows == Summary::STORED),
            ..NewAnswers::default()
        });
        Ok(ExitCode::SUCCESS)
    }

    fn print(&self, file_bytes: Option<u64>, info: &Summary) -> Result<()> {
        match self.json {
            true => {
                let answer = Answer { file_bytes, info };
                print_json(&AnswerAboutFile::new(&self.file, &answer))
            }
            false => print(as_text(&self.file, file_bytes, info)?),
        }
    }
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    file_bytes: Option<u64>,
    #[serde(flatten)]
    info: &'a Summary,
}

fn as_text(path: &Path, file_bytes: Option<u64>, info: &Summary) -> Result<String> {
    let mut text = String::new();
    let census = &info.census;
    let file = printable_path(path).to_string();
    let head = Sentence::new("info.head").with("file", file);
    let head = head.with("origin", origin(info, file_bytes));
    writeln!(text, "{}", look::sentence(&head))?;
    writeln!(text, "{}", ledger::as_text(info.ledger()))?;
    write!(text, "{}", kinds(census))?;
    write!(text, "{}", coroutines(census))?;
    write!(text, "{}", memory(census)?)?;
    write!(text, "{}", waste::as_text(&info.waste)?)?;
    if !info.weak_tables.is_empty() {
        writeln!(text, "\n{}", look::words("info.weak"))?;
    }
    for row in &info.weak_tables {
        let table = look::path_and_what(&row.path, row.what.as_ref());
        let said = Sentence::new("info.weak_table").with("table", table);
        let said = said.with("words", row.words.clone());
        writeln!(text, "  {}", look::sentence(&said))?;
    }
    Ok(text)
}

/// Returns where a snapshot comes from, in a line.
fn origin(info: &Summary, file_bytes: Option<u64>) -> String {
    let census = &info.census;
    let said = |code, name, value: String| look::sentence(&Sentence::new(code).with(name, value));
    let mut text = census.vm.to_string();
    if let Some(layout) = &census.layout {
        text += &said("info.layout", "layout", layout.to_string());
    }
    if let Some(name) = &info.state_name {
        text += &said("info.state", "name", name.clone());
    }
    text += &said("info.engine", "engine", census.engine.name().to_owned());
    if let Some(process) = info.process {
        text += &said("info.process", "process", process.to_string());
    }
    if let Some(time) = info.taken_at_ms {
        text += &said("info.taken", "time", taken_at(time));
    }
    if let Some(bytes) = file_bytes {
        text += &said("info.file", "bytes", byte_size(bytes));
    }
    text
}

fn kinds(census: &Census) -> String {
    let has_garbage = census.garbage.is_some_and(|garbage| garbage.count > 0);
    let mut names = vec![
        Column::Word("head.kind"),
        Column::Number("head.objects"),
        Column::Number("head.bytes"),
    ];
    if has_garbage {
        names.extend([
            Column::Number("head.garbage"),
            Column::Number("head.its_bytes"),
        ]);
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
            row(&kind_name(of_kind.kind), of_kind.live, of_kind.garbage);
        }
    }
    row(
        &look::words("info.all"),
        census.live,
        census.garbage.unwrap_or_default(),
    );
    columns.text()
}

/// Returns the name of a kind.
fn kind_name(kind: Kind) -> String {
    match kind {
        Kind::LuaFunction => look::words("info.lua_function"),
        Kind::CFunction => look::words("info.c_function"),
        Kind::Prototype => look::words("info.prototype"),
        kind => kind.type_name().to_owned(),
    }
}

/// Returns how many coroutines are doing what, in a line; empty if there are none.
fn coroutines(census: &Census) -> String {
    let counted = ThreadStatus::ALL.iter().zip(census.coroutines);
    let counted: Vec<String> = counted
        .filter(|(_, count)| *count > 0)
        .map(|(status, count)| {
            format!(
                "{} {}",
                grouped(count),
                look::sentence(&status_words(*status))
            )
        })
        .collect();
    match counted.is_empty() {
        true => String::new(),
        false => {
            let states = counted.join(&look::words("text.comma"));
            let states = Sentence::new("info.coroutines").with("states", states);
            format!("\n{}\n", look::sentence(&states))
        }
    }
}

/// Returns what the VM's memory consists of; empty if its total is not known.
fn memory(census: &Census) -> Result<String> {
    let mut text = String::new();
    let Some(total) = census.total else {
        return Ok(text);
    };
    let held = Sentence::new("info.vm")
        .with("size", byte_size(total))
        .with("bytes", grouped(total));
    writeln!(text, "\n{}", look::sentence(&held))?;
    if census.accounted.is_none() {
        return Ok(text);
    }
    let mut row = |bytes: u64, what: &str| writeln!(text, "  {:>10}  {what}", byte_size(bytes));
    row(census.live.bytes, &look::words("info.in_use"))?;
    let garbage = census.garbage.unwrap_or_default();
    for (bytes, what) in [
        (garbage.bytes, "info.garbage"),
        (census.own.bytes, "info.snapshots"),
    ] {
        if bytes > 0 {
            row(bytes, &look::words(what))?;
        }
    }
    for (name, bytes) in &census.blocks {
        row(*bytes, &look::sentence(&block_words(name)))?;
    }
    if let Some(bytes) = census.unaccounted {
        let size = byte_size(bytes.unsigned_abs());
        let sign = if bytes < 0 { "-" } else { "" };
        let what = look::words("info.unaccounted");
        writeln!(text, "  {:>10}  {what}", format!("{sign}{size}"))?;
    }
    Ok(text)
}
