//! How much a file may hold.
//!
//! Columns in which everything is alike compress to nearly nothing, so a small file could ask for
//! any amount of memory. To tell an honest one from one that does harm, a file is never smaller
//! than a 256th of the memory that its sections need: a writer pads it where it would be. That
//! costs an honest file nothing, or a few bytes for a thousand objects that are all alike.

use crate::luasnap::section::Entry;

/// Memory for each byte of a file.
const MEMORY_PER_BYTE: u64 = 256;
/// Memory that the smallest of files may ask for.
const TO_SPARE: u64 = 1 << 16;

/// Bytes of memory that the sections need.
fn memory<'a>(entries: impl Iterator<Item = &'a Entry>) -> u64 {
    entries.fold(0u64, |sum, entry| {
        sum.saturating_add(entry.count.saturating_mul(entry.section.memory()))
    })
}

/// Whether a file of that many bytes may have these sections.
pub(super) fn are_proven<'a>(file_len: u64, entries: impl Iterator<Item = &'a Entry>) -> bool {
    memory(entries) <= file_len.saturating_mul(MEMORY_PER_BYTE) + TO_SPARE
}

/// How many bytes a file of `file_len` with these sections lacks.
pub(super) fn lacking<'a>(file_len: u64, entries: impl Iterator<Item = &'a Entry>) -> u64 {
    let memory = memory(entries).saturating_sub(TO_SPARE);
    memory.div_ceil(MEMORY_PER_BYTE).saturating_sub(file_len)
}
