//! A bound on the memory that a file may ask for.
//!
//! Columns of equal values compress to nearly nothing, so a small file could ask for any amount of
//! memory. To tell honest files from harmful ones, a file is never smaller than a 256th of the
//! memory that its sections need: the writer pads it if necessary. This costs an honest file
//! nothing, or a few bytes for a thousand equal objects.

use crate::luasnap::section::Entry;

/// The most memory for each byte of a file, in bytes.
const MEMORY_PER_BYTE: u64 = 256;
/// Memory that any file may ask for in addition, in bytes.
const TO_SPARE: u64 = 1 << 16;

/// Returns the bytes of memory that the sections need.
fn memory<'a>(entries: impl Iterator<Item = &'a Entry>) -> u64 {
    entries.fold(0u64, |sum, entry| {
        sum.saturating_add(entry.count.saturating_mul(entry.section.memory()))
    })
}

/// Whether a file of this length may have these sections.
pub(super) fn is_size_plausible<'a>(
    file_len: u64,
    entries: impl Iterator<Item = &'a Entry>,
) -> bool {
    memory(entries) <= file_len.saturating_mul(MEMORY_PER_BYTE) + TO_SPARE
}

/// Returns the number of bytes that a file of `file_len` with these sections is too short.
pub(super) fn padding_needed<'a>(file_len: u64, entries: impl Iterator<Item = &'a Entry>) -> u64 {
    let memory = memory(entries).saturating_sub(TO_SPARE);
    memory.div_ceil(MEMORY_PER_BYTE).saturating_sub(file_len)
}
