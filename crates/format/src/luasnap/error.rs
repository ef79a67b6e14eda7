//! Why a snapshot file could not be read.

use crate::labels::printable::printable_path;
use luasnap_heap::{BuildError, ColumnError};
use luasnap_words::{Sentence, Spoken, displayed_in_english, phrase};
use std::io;
use std::path::PathBuf;

/// A snapshot file that could not be read.
#[derive(Debug, thiserror::Error)]
pub struct OpenError {
    /// The file.
    pub path: PathBuf,
    /// Why it could not be read.
    pub source: LoadError,
}

/// Why bytes could not be read as a snapshot.
#[derive(Debug, thiserror::Error)]
pub enum LoadError {
    /// The system failed to read the bytes.
    Io(#[from] io::Error),
    /// The file is empty.
    Empty,
    /// The bytes are not a snapshot file.
    Foreign,
    /// The file was written by a later version, which this one cannot read.
    Newer {
        /// The version of luasnap that wrote it.
        writer: String,
        /// The version of the format.
        format: u32,
        /// The last version of the format that this luasnap reads.
        newest: u32,
    },
    /// The end is missing.
    Truncated {
        /// The part in which the file ends.
        part: &'static str,
        /// The number of missing bytes.
        bytes: u64,
        /// Whether more may be missing: the part that says how many is cut off as well.
        at_least: bool,
    },
    /// Some bytes have changed since they were written.
    Damaged {
        /// The damaged part.
        part: &'static str,
    },
    /// The checksums are right, but no luasnap wrote this.
    Malformed {
        /// The malformed part.
        part: &'static str,
        /// What is wrong.
        problem: Problem,
    },
    /// Memory ran out.
    OutOfMemory,
}

/// What is wrong with a file whose checksums are right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// A section is unknown to this luasnap, and may not be skipped.
    UnknownSection(u16),
    /// A section has an encoding that is unknown to this luasnap.
    UnknownEncoding(u8),
    /// A section comes twice.
    Twice,
    /// The lengths in the table do not add up to the file's.
    Lengths,
    /// There are bytes after the end.
    TrailingBytes,
    /// The file claims more content than a file of its length can have.
    TooMuch,
    /// The compressed bytes cannot be decompressed.
    Compression,
    /// The number of values is not the one in the table.
    WrongLength,
    /// A value has no meaning.
    Value(&'static str),
    /// Columns do not fit together.
    Columns(ColumnError),
}

impl LoadError {
    pub(super) fn malformed(part: &'static str, problem: Problem) -> LoadError {
        LoadError::Malformed { part, problem }
    }
}

impl From<BuildError> for LoadError {
    fn from(_: BuildError) -> Self {
        // The file bounds what is built, so only memory can run out.
        LoadError::OutOfMemory
    }
}

impl From<std::collections::TryReserveError> for LoadError {
    fn from(_: std::collections::TryReserveError) -> Self {
        LoadError::OutOfMemory
    }
}

impl From<ColumnError> for LoadError {
    fn from(error: ColumnError) -> Self {
        match error {
            ColumnError::Build(error) => error.into(),
            error => LoadError::malformed("heap", Problem::Columns(error)),
        }
    }
}

impl Spoken for OpenError {
    fn sentence(&self) -> Sentence {
        Sentence::new("load.cannot_read")
            .with("file", printable_path(&self.path).to_string())
            .with("reason", self.source.sentence())
    }
}

impl Spoken for LoadError {
    fn sentence(&self) -> Sentence {
        match self {
            LoadError::Io(error) => error.sentence(),
            LoadError::Empty => Sentence::new("load.empty"),
            LoadError::Foreign => Sentence::new("load.foreign"),
            LoadError::Newer {
                writer,
                format,
                newest,
            } => Sentence::new("load.newer")
                .with("writer", writer)
                .with("format", *format)
                .with("version", env!("CARGO_PKG_VERSION"))
                .with("newest", *newest),
            LoadError::Truncated {
                part,
                bytes,
                at_least,
            } => Sentence::new("load.truncated")
                .with("part", phrase(part))
                .with("missing", missing(*bytes, *at_least)),
            LoadError::Damaged { part } => Sentence::new("load.damaged").with("part", phrase(part)),
            LoadError::Malformed { part, problem } => Sentence::new("load.malformed")
                .with("part", phrase(part))
                .with("problem", problem.sentence()),
            LoadError::OutOfMemory => Sentence::new("fail.no_memory"),
        }
    }
}

impl Spoken for Problem {
    fn sentence(&self) -> Sentence {
        match *self {
            Problem::UnknownSection(number) => {
                Sentence::new("problem.unknown_section").with("number", number)
            }
            Problem::UnknownEncoding(number) => {
                Sentence::new("problem.unknown_encoding").with("number", number)
            }
            Problem::Twice => Sentence::new("problem.twice"),
            Problem::Lengths => Sentence::new("problem.lengths"),
            Problem::TrailingBytes => Sentence::new("problem.trailing_bytes"),
            Problem::TooMuch => Sentence::new("problem.too_much"),
            Problem::Compression => Sentence::new("problem.compression"),
            Problem::WrongLength => Sentence::new("problem.wrong_length"),
            Problem::Value(what) => Sentence::new("problem.value").with("what", phrase(what)),
            Problem::Columns(error) => error.sentence(),
        }
    }
}

displayed_in_english!(OpenError, LoadError, Problem);

fn missing(bytes: u64, at_least: bool) -> Sentence {
    let missing = Sentence::new(match bytes {
        1 => "load.byte",
        _ => "load.bytes",
    });
    let missing = missing.with("bytes", bytes);
    match at_least {
        true => Sentence::new("load.or_more").with("missing", missing),
        false => missing,
    }
}
