//! The files that luasnap writes: they contain heaps, and so a program's secrets.

use anyhow::{Result, anyhow};
use luasnap_format::{AnswerError, FileOptions, Written, printable_path, write_file};
use std::io;
use std::path::Path;

/// Readable by their owner only, and synced: unlike a game's thread, a person can wait for the
/// disk.
const OPTIONS: FileOptions = FileOptions {
    private: true,
    synced: true,
    tidy: true,
};

/// Writes a file; may return a warning about it.
pub fn write_heap(
    path: &Path,
    write: impl FnOnce(&mut dyn io::Write) -> Result<(), AnswerError>,
) -> Result<Option<String>> {
    // The message already includes its causes.
    let written: Written =
        write_file(path, OPTIONS, write).map_err(|error| anyhow!(error.to_string()))?;
    Ok(written.readable_by_others.map(|mode| warning(path, mode)))
}

/// The warning that others can read a file with these permissions.
pub fn warning(path: &Path, mode: u32) -> String {
    format!(
        "warning: '{}' keeps its mode {mode:03o}, by which others can read it, and a heap may \
         have secrets in it: chmod 600 keeps them out",
        printable_path(path)
    )
}
