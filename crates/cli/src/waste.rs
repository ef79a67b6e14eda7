//! Wasted memory of a snapshot, for people.

use crate::look;
use anyhow::Result;
use luasnap_format::{SparseTableRow, WasteAnswer, byte_size, count_of, grouped};
use std::fmt::Write;

/// Returns the answer for people.
pub fn as_text(waste: &WasteAnswer) -> Result<String> {
    let mut text = String::new();
    if let Some(strings) = waste.strings.as_ref().filter(|strings| strings.bytes > 0) {
        writeln!(
            text,
            "\nDuplicate strings of {} lose {}",
            count_of(strings.texts, "text"),
            byte_size(strings.bytes),
        )?;
        for row in &strings.top {
            writeln!(
                text,
                "  {:>10}  {} strings of {} bytes: \"{}\", one at {}",
                byte_size(row.bytes),
                grouped(row.count),
                grouped(row.size),
                row.text,
                look::name(&row.example),
            )?;
        }
    }
    if let Some(tables) = waste.tables.as_ref().filter(|tables| tables.bytes > 0) {
        writeln!(
            text,
            "\nEmpty slots of {} lose {}",
            count_of(tables.count, "table"),
            byte_size(tables.bytes),
        )?;
        for row in &tables.top {
            let (bytes, slots) = (byte_size(row.bytes), slots_in_use(row));
            writeln!(text, "  {bytes:>10}  {slots}: {}", look::name(&row.path))?;
        }
    }
    Ok(text)
}

/// Returns `1 of 64 hash slots in use` for each part that a table has.
fn slots_in_use(table: &SparseTableRow) -> String {
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
