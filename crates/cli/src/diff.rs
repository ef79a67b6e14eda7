//! `luasnap diff`: growth and leak suspects.

use crate::comparison::{cannot_compare_files, group};
use crate::exit_code::GREW;
use crate::ledger;
use crate::look;
use crate::output::{print, print_json, report_problem};
use crate::progress::Progress;
use crate::snapshot_file::SnapshotFile;
use crate::table::{CellText, Column, Columns};
use anyhow::Result;
use clap::Args;
use luasnap_format::{
    GrowthAnswer, GrowthRow, Name, byte_size, count_of, entries_of, grouped, printable_path,
};
use luasnap_heap::Snapshot;
use serde::Serialize;
use std::fmt::{self, Write};
use std::path::PathBuf;
use std::process::ExitCode;

const MORE_HELP: &str = "\
Exit codes:
  0    done
  2    luasnap was called wrongly
  3    memory grew by more than --fail-on-growth allows
  125  luasnap itself failed, or the snapshots cannot be compared";

/// Compare snapshots, and find leak suspects
///
/// Of two snapshots, lists the groups of objects that changed. Of three or more, also leak suspects: groups
/// that grew from each snapshot to the next, as leaks do and caches that fill do not, with their
/// accumulation point. The fingerprint of a suspect is the same from run to run.
#[derive(Args)]
#[command(after_help = MORE_HELP)]
pub struct Diff {
    /// The snapshot files, in the order in which they were taken
    #[arg(required = true, num_args = 2.., value_name = "FILE")]
    files: Vec<PathBuf>,

    /// Exit with code 3 if all objects together grew by more than this from the first to the last
    /// snapshot: bytes (65536, 64K, 10M, 1G), or percent (5%)
    #[arg(long, value_name = "BYTES|PERCENT", value_parser = limit)]
    fail_on_growth: Option<Limit>,

    /// List this many groups
    #[arg(short = 'n', long = "rows", default_value_t = 20)]
    rows: usize,

    /// Write JSON for programs
    #[arg(long)]
    json: bool,
}

/// How much memory may grow.
#[derive(Clone, Copy, PartialEq, Debug)]
enum Limit {
    Bytes(u64),
    Percent(f64),
}

fn limit(text: &str) -> Result<Limit, String> {
    let wrong = || "give bytes (65536, 64K, 10M, 1G) or percent (5%)".to_owned();
    if let Some(percent) = text.strip_suffix('%') {
        let percent: f64 = percent.parse().map_err(|_| wrong())?;
        return match percent >= 0.0 && percent.is_finite() {
            true => Ok(Limit::Percent(percent)),
            false => Err(wrong()),
        };
    }
    let (digits, unit) = match text.as_bytes().last() {
        Some(b'K' | b'k') => (&text[..text.len() - 1], 1 << 10),
        Some(b'M' | b'm') => (&text[..text.len() - 1], 1 << 20),
        Some(b'G' | b'g') => (&text[..text.len() - 1], 1 << 30),
        _ => (text, 1),
    };
    let bytes: u64 = digits.parse().map_err(|_| wrong())?;
    bytes.checked_mul(unit).map(Limit::Bytes).ok_or_else(wrong)
}

impl fmt::Display for Limit {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Limit::Bytes(bytes) => f.write_str(&byte_size(*bytes)),
            Limit::Percent(percent) => write!(f, "{percent}%"),
        }
    }
}

impl Limit {
    /// Whether the growth from the first to the last size is more than this.
    fn is_passed(self, sizes: &[u64]) -> bool {
        let (Some(&first), Some(&last)) = (sizes.first(), sizes.last()) else {
            return false;
        };
        let grown = last.saturating_sub(first);
        match self {
            Limit::Bytes(bytes) => grown > bytes,
            Limit::Percent(percent) => grown as f64 > first as f64 * percent / 100.0,
        }
    }
}

impl Diff {
    /// Runs the command.
    pub fn execute(self) -> Result<ExitCode> {
        let progress = Progress::new(self.files.len() + 2);
        let files = self
            .files
            .iter()
            .map(|path| SnapshotFile::open(path, &progress))
            .collect::<Result<Vec<_>>>()?;
        let snapshots: Vec<&Snapshot> = files.iter().map(|file| &file.snapshot).collect();
        progress.step("grouping", || group(&snapshots))?;
        let answer = progress
            .step("comparing", || {
                luasnap_format::growth(&snapshots, self.rows)
            })
            .map_err(|error| cannot_compare_files(&files, error))?;
        drop(progress);
        match self.json {
            true => print_json(&Answer::new(&files, &answer))?,
            false => print(as_text(&files, &answer)?)?,
        }
        Ok(match self.fail_on_growth {
            Some(limit) if limit.is_passed(&answer.sizes) => {
                report_problem(format_args!("memory grew by more than {limit}"));
                ExitCode::from(GREW)
            }
            _ => ExitCode::SUCCESS,
        })
    }
}

fn as_text(files: &[SnapshotFile], answer: &GrowthAnswer) -> Result<String> {
    let mut text = String::new();
    if !answer.changed.is_empty() {
        writeln!(text, "{}\n", answer.verdict)?;
    }
    for (file, bytes) in files.iter().zip(&answer.sizes) {
        writeln!(
            text,
            "{:>10}  {}",
            byte_size(*bytes),
            printable_path(&file.path)
        )?;
    }
    let first = answer.sizes.first().copied().unwrap_or(0);
    let last = answer.sizes.last().copied().unwrap_or(0);
    let change = last as i64 - first as i64;
    writeln!(
        text,
        "{:>10}  from the first to the last ({:+.1}%)",
        signed_bytes(change),
        100.0 * change as f64 / first.max(1) as f64
    )?;
    let ledger = ledger::change_as_text(&answer.ledger);
    if !ledger.is_empty() {
        write!(text, "\n{ledger}")?;
    }
    writeln!(text)?;
    if answer.changed.is_empty() {
        writeln!(text, "Nothing changed.")?;
        return Ok(text);
    }
    let is_series = files.len() > 2;
    if is_series {
        writeln!(text, "{}\nWhat changed:", suspects(answer)?)?;
    }
    write!(text, "{}", changes(&answer.changed, is_series))?;
    let more = answer.changed_count - answer.changed.len();
    if more > 0 {
        let groups = count_of(more as u64, "more group");
        writeln!(text, "... and {groups} changed")?;
    }
    Ok(text)
}

fn suspects(answer: &GrowthAnswer) -> Result<String> {
    let mut text = String::new();
    if answer.suspects.is_empty() {
        writeln!(text, "No group grew in every step.")?;
        return Ok(text);
    }
    let large = answer.suspects.iter().filter(|suspect| !suspect.is_small);
    for (at, suspect) in large.enumerate() {
        text += if at > 0 { "\n" } else { "" };
        let held_by = suspect.held_by.map(|who| format!(", held by {who}"));
        let entries = match suspect.grown {
            0 => format!("{} more", entries_of(suspect.entries)),
            bytes => format!("{} more", byte_size(bytes)),
        };
        writeln!(
            text,
            "Leak suspect, accumulation point {}{}{}: {entries}, of {} retained ({:.1}% of all)",
            look::name(&suspect.point),
            is(&suspect.point_is),
            held_by.unwrap_or_default(),
            byte_size(suspect.retained),
            100.0 * suspect.share,
        )?;
        text += &suspect_groups(answer.rows_of(suspect));
        writeln!(
            text,
            "  e.g. {}{}",
            look::name(&suspect.example),
            is(&suspect.example_is)
        )?;
        writeln!(text, "  fingerprint {}", suspect.fingerprint)?;
    }
    let small = || answer.suspects.iter().filter(|suspect| suspect.is_small);
    if small().count() > 0 {
        let bytes = small().map(|suspect| suspect.grown).sum();
        writeln!(
            text,
            "\n{} more, {} in all",
            grouped(small().count() as u64),
            byte_size(bytes)
        )?;
    }
    Ok(text)
}

/// Returns what an object is, to be written behind its path; empty if the path says it.
fn is(what: &Option<Name>) -> String {
    match what {
        Some(what) => format!(" ({what})"),
        None => String::new(),
    }
}

/// Returns what the example of a group is, to be written behind the group's name.
fn example_is(row: &GrowthRow) -> String {
    match (&row.example_is, row.counts.last()) {
        (Some(is), Some(1)) => format!(" ({is})"),
        (Some(is), _) => format!(" (e.g. {is})"),
        (None, _) => String::new(),
    }
}

fn suspect_groups<'a>(rows: impl Iterator<Item = &'a GrowthRow>) -> String {
    let mut columns = Columns::without_head(&[
        Column::Number("bytes"),
        Column::Number("count"),
        Column::Word("type"),
        Column::Text("group"),
    ]);
    for row in rows {
        columns.row([
            format!("  {}", signed_bytes(row.size_change)),
            signed(row.count_change),
            row.kind.type_name().to_owned(),
            look::name(&row.name),
        ]);
    }
    columns.text()
}

fn changes(rows: &[GrowthRow], is_series: bool) -> String {
    let mut names = vec![
        Column::Number("bytes"),
        Column::Number("count"),
        Column::Number("count now"),
        Column::Word("type"),
        Column::Text("group"),
    ];
    if is_series {
        names.insert(3, Column::Word("every step"));
    }
    let has_entries = !Columns::are_narrow() && rows.iter().any(|row| row.entry_change != 0);
    if has_entries {
        names.insert(2, Column::Number("entries"));
    }
    let mut columns = Columns::new(&names);
    for row in rows {
        let mut cells: Vec<CellText> = vec![
            CellText::change(signed_bytes(row.size_change), row.size_change),
            CellText::change(signed(row.count_change), row.count_change),
            grouped(row.counts.last().copied().unwrap_or(0)).into(),
            CellText::kind(row.kind),
            format!("{}{}", look::name(&row.name), example_is(row)).into(),
        ];
        if is_series {
            let word = if row.grows_in_every_step { "grew" } else { "" };
            cells.insert(3, word.to_owned().into());
        }
        if has_entries {
            let entries = match row.entry_change {
                0 => String::new(),
                change => signed(change),
            };
            cells.insert(2, CellText::change(entries, row.entry_change));
        }
        columns.row(cells);
    }
    columns.text()
}

fn signed(change: i64) -> String {
    let sign = if change < 0 { "-" } else { "+" };
    format!("{sign}{}", grouped(change.unsigned_abs()))
}

fn signed_bytes(change: i64) -> String {
    let sign = if change < 0 { "-" } else { "+" };
    format!("{sign}{}", byte_size(change.unsigned_abs()))
}

/// The answer for programs.
#[derive(Serialize)]
struct Answer<'a> {
    files: Vec<String>,
    #[serde(flatten)]
    growth: &'a GrowthAnswer,
}

impl<'a> Answer<'a> {
    fn new(files: &[SnapshotFile], growth: &'a GrowthAnswer) -> Answer<'a> {
        let files = files.iter().map(|file| file.path.display().to_string());
        Answer {
            files: files.collect(),
            growth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn limits_are_read_and_kept() {
        for (text, expected) in [
            ("0", Limit::Bytes(0)),
            ("65536", Limit::Bytes(65536)),
            ("64K", Limit::Bytes(65536)),
            ("10m", Limit::Bytes(10 << 20)),
            ("1G", Limit::Bytes(1 << 30)),
            ("5%", Limit::Percent(5.0)),
            ("0.5%", Limit::Percent(0.5)),
        ] {
            assert_eq!(limit(text), Ok(expected), "{text}");
        }
        for text in [
            "",
            "%",
            "K",
            "-1",
            "1T",
            "5 %",
            "-5%",
            "inf%",
            "99999999999999999999",
            "99999999999999999G",
        ] {
            assert!(limit(text).is_err(), "{text}");
        }
        assert!(!Limit::Bytes(10).is_passed(&[100, 500, 110]));
        assert!(Limit::Bytes(10).is_passed(&[100, 111]));
        assert!(!Limit::Percent(5.0).is_passed(&[100, 105]));
        assert!(Limit::Percent(5.0).is_passed(&[100, 106]));
        assert!(!Limit::Percent(0.0).is_passed(&[100, 90]));
    }
}
