//! What grew, for people: the answer of `diff`, and the last one of `watch`.

use crate::failure::Result;
use crate::ledger;
use crate::look;
use crate::table::{CellText, Column, Columns};
use luasnap_format::{GrowthAnswer, GrowthRow, byte_size, grouped};
use luasnap_words::{Sentence, count};
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
    let percent = format!("{:+.1}%", 100.0 * change as f64 / first.max(1) as f64);
    writeln!(
        text,
        "{:>10}  {}",
        signed_bytes(change),
        look::sentence(&Sentence::new("growth.total").with("percent", percent))
    )?;
    let ledger = ledger::change_as_text(&answer.ledger);
    if !ledger.is_empty() {
        write!(text, "\n{ledger}")?;
    }
    writeln!(text)?;
    if answer.changed.is_empty() {
        writeln!(text, "{}", look::words("growth.no_change"))?;
        return Ok(text);
    }
    let is_series = names.len() > 2;
    if is_series {
        let what = look::words("growth.changes");
        writeln!(text, "{}\n{what}", suspects(answer)?)?;
    }
    write!(text, "{}", changes(&answer.changed, is_series))?;
    let more = answer.changed_count - answer.changed.len();
    if more > 0 {
        let groups = count(more as u64, "more group");
        let more = Sentence::new("growth.more_groups").with("groups", groups);
        writeln!(text, "{}", look::sentence(&more))?;
    }
    Ok(text)
}

fn suspects(answer: &GrowthAnswer) -> Result<String> {
    let mut text = String::new();
    if answer.suspects.is_empty() {
        writeln!(text, "{}", look::words("growth.no_suspect"))?;
        return Ok(text);
    }
    let large = answer.suspects.iter().filter(|suspect| !suspect.is_small);
    for (at, suspect) in large.enumerate() {
        text += if at > 0 { "\n" } else { "" };
        let held_by = suspect.held_by.clone();
        let held_by = held_by.map(|who| Sentence::new("growth.held_by").with("who", who));
        let more = match suspect.grown {
            0 => count(suspect.entries, "entry"),
            bytes => byte_size(bytes).into(),
        };
        let found = Sentence::new("growth.suspect")
            .with("point", look::name(&suspect.point))
            .with("is", look::is(suspect.point_is.as_ref()))
            .with("holder", held_by)
            .with("more", Sentence::new("growth.more").with("amount", more))
            .with("retained", byte_size(suspect.retained))
            .with("share", format!("{:.1}%", 100.0 * suspect.share));
        writeln!(text, "{}", look::sentence(&found))?;
        text += &suspect_groups(answer.rows_of(suspect));
        let is = look::is(suspect.example_is.as_ref());
        let example = look::example(&look::name(&suspect.example), &is);
        writeln!(text, "  {example}")?;
        let number = Sentence::new("growth.fingerprint");
        let number = number.with("number", suspect.fingerprint.to_string());
        writeln!(text, "  {}", look::sentence(&number))?;
    }
    let small = || answer.suspects.iter().filter(|suspect| suspect.is_small);
    if small().count() > 0 {
        let bytes = small().map(|suspect| suspect.grown);
        let bytes = bytes.fold(0, u64::saturating_add);
        let others = Sentence::new("growth.small")
            .with("count", grouped(small().count() as u64))
            .with("bytes", byte_size(bytes));
        writeln!(text, "\n{}", look::sentence(&others))?;
    }
    Ok(text)
}

/// Returns what the example of a group is, to be written behind the group's name.
fn example_is(row: &GrowthRow) -> String {
    match (&row.example_is, row.counts.last()) {
        (is, Some(1)) => look::is(is.as_ref()),
        (Some(is), _) => {
            let is = Sentence::new("growth.example_is").with("is", is.clone());
            look::sentence(&is)
        }
        (None, _) => String::new(),
    }
}

fn suspect_groups<'a>(rows: impl Iterator<Item = &'a GrowthRow>) -> String {
    let mut columns = Columns::without_head(&[
        Column::Number("head.bytes"),
        Column::Number("head.count"),
        Column::Word("head.type"),
        Column::Text("head.group"),
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
        Column::Number("head.bytes"),
        Column::Number("head.count"),
        Column::Number("head.count_now"),
        Column::Word("head.type"),
        Column::Text("head.group"),
    ];
    if is_series {
        names.insert(3, Column::Word("head.every_step"));
    }
    let has_entries = !Columns::are_narrow() && rows.iter().any(|row| row.entry_change != 0);
    if has_entries {
        names.insert(2, Column::Number("head.entries"));
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
            let word = match row.grows_in_every_step {
                true => look::words("growth.in_this_step"),
                false => String::new(),
            };
            cells.insert(3, word.into());
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
