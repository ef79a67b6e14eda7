//! Wasted memory of a snapshot, for people.

use crate::failure::Result;
use crate::look;
use luasnap_format::{SparseTableRow, WasteAnswer, byte_size, grouped};
use luasnap_words::{Sentence, count};
use std::fmt::Write;

/// Returns the answer for people.
pub fn as_text(waste: &WasteAnswer) -> Result<String> {
    let mut text = String::new();
    if let Some(strings) = waste.strings.as_ref().filter(|strings| strings.bytes > 0) {
        let lost = Sentence::new("waste.strings")
            .with("texts", count(strings.texts, "text"))
            .with("bytes", byte_size(strings.bytes));
        writeln!(text, "\n{}", look::sentence(&lost))?;
        for row in &strings.top {
            let what = Sentence::new("waste.string")
                .with("count", grouped(row.count))
                .with("size", grouped(row.size))
                .with("text", row.text.to_string())
                .with("example", look::name(&row.example));
            let (bytes, what) = (byte_size(row.bytes), look::sentence(&what));
            writeln!(text, "  {bytes:>10}  {what}")?;
        }
    }
    if let Some(tables) = waste.tables.as_ref().filter(|tables| tables.bytes > 0) {
        let lost = Sentence::new("waste.tables")
            .with("tables", count(tables.count, "table"))
            .with("bytes", byte_size(tables.bytes));
        writeln!(text, "\n{}", look::sentence(&lost))?;
        for row in &tables.top {
            let what = Sentence::new("waste.table")
                .with("slots", slots_in_use(row))
                .with("table", look::name(&row.path));
            let (bytes, what) = (byte_size(row.bytes), look::sentence(&what));
            writeln!(text, "  {bytes:>10}  {what}")?;
        }
    }
    Ok(text)
}

/// Returns `1 of 64 hash slots in use` for each part that a table has.
fn slots_in_use(table: &SparseTableRow) -> String {
    let parts = [
        ("waste.array", table.array_used, table.array_slots),
        ("waste.hash", table.hash_used, table.hash_slots),
    ];
    let parts = parts.iter().filter(|(_, _, slots)| *slots > 0);
    let parts: Vec<String> = parts
        .map(|(code, used, slots)| {
            let [used, slots] = [*used, *slots].map(|number| grouped(number.into()));
            look::sentence(&Sentence::new(code).with("used", used).with("slots", slots))
        })
        .collect();
    parts.join(&look::words("text.comma"))
}
