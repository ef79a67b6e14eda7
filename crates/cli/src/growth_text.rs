//! What grew, for people: the answer of `diff`, and the last one of `watch`.

use crate::ledger;
use crate::look;
use crate::table::{CellText, Column, Columns};
use anyhow::Result;
use luasnap_format::{GrowthAnswer, GrowthRow, Name, byte_size, count_of, entries_of, grouped};
use std::fmt::Write;

/// Returns what grew, for people. `names` says what each snapshot is.
pub fn growth_text(names: &[String], answer: &GrowthAnswer) -> Result<String> {
    let mut text = String::new();
    if !answer.changed.is_empty() {
        writeln!(text, "{}\n", look::sentence(&answer.verdict))?;
    }
    for (name, bytes) in names.iter().zip(&answer.sizes) {
        writeln!(text, "{:>10}  {name}", byte_size(*bytes))?;
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
    let is_series = names.len() > 2;
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

/// Returns a change with its sign.
pub fn signed(change: i64) -> String {
    let sign = if change < 0 { "-" } else { "+" };
    format!("{sign}{}", grouped(change.unsigned_abs()))
}

/// Returns a change of bytes with its sign.
pub fn signed_bytes(change: i64) -> String {
    let sign = if change < 0 { "-" } else { "+" };
    format!("{sign}{}", byte_size(change.unsigned_abs()))
}
