//! Snapshots without texts or names, in memory.

use crate::answer_error::{AnswerError, Result};
use crate::luasnap::error::LoadError;
use crate::luasnap::reader::read_snapshot;
use crate::luasnap::save_options::SaveOptions;
use crate::luasnap::writer::write_snapshot;
use luasnap_heap::Snapshot;
use luasnap_words::Spoken;
use std::io;

/// Returns a snapshot as it would be read from a file that was saved with these options, so that there is one rule for
/// what is left out.
pub(crate) fn redacted(snapshot: &Snapshot, options: SaveOptions) -> Result<Snapshot> {
    let mut file = Vec::new();
    write_snapshot(&mut file, snapshot, options)?;
    read_snapshot(&file).map_err(|error| match error {
        LoadError::OutOfMemory => AnswerError::OutOfMemory,
        error => AnswerError::Io(io::Error::other(error.sentence())),
    })
}
