//! Why a snapshot file could not be read.

use crate::labels::printable::printable_path;
use crate::reason::reason;
use luasnap_heap::{BuildError, ColumnError};
use std::io;
use std::path::PathBuf;

/// A snapshot file that could not be read.
#[derive(Debug, thiserror::Error)]
#[error("cannot read '{}': {source}", printable_path(path))]
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
    #[error("{}", reason(.0))]
    Io(#[from] io::Error),
    /// The file is empty.
    #[error("it is empty")]
    Empty,
    /// The bytes are not a snapshot file.
    #[error("it is not a luasnap file")]
    Foreign,
    /// The file was written by a later version, which this one cannot read.
    #[error(
        "it was written by luasnap {writer} in format {format}; this luasnap {} reads formats up \
         to {newest}: use luasnap {writer} or later",
        env!("CARGO_PKG_VERSION")
    )]
    Newer {
        /// The version of luasnap that wrote it.
        writer: String,
        /// The version of the format.
        format: u32,
        /// The last version of the format that this luasnap reads.
        newest: u32,
    },
    /// The end is missing.
    #[error("it is cut off in its {part}: {} are missing", missing(*.bytes, *.at_least))]
    Truncated {
        /// The part in which the file ends.
        part: &'static str,
        /// The number of missing bytes.
        bytes: u64,
        /// Whether more may be missing: the part that says how many is cut off as well.
        at_least: bool,
    },
    /// Some bytes have changed since they were written.
    #[error("its {part} is damaged: the checksum is wrong")]
    Damaged {
        /// The damaged part.
        part: &'static str,
    },
    /// The checksums are right, but no luasnap wrote this.
    #[error("its {part} makes no sense: {problem}")]
    Malformed {
        /// The malformed part.
        part: &'static str,
        /// What is wrong.
        problem: Problem,
    },
    /// Memory ran out.
    #[error("not enough memory")]
    OutOfMemory,
}

/// What is wrong with a file whose checksums are right.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Problem {
    /// A section is unknown to this luasnap, and may not be skipped.
    #[error("section {0} is unknown and may not be skipped")]
    UnknownSection(u16),
    /// A section has an encoding that is unknown to this luasnap.
    #[error("its encoding {0} is unknown")]
    UnknownEncoding(u8),
    /// A section comes twice.
    #[error("it comes twice")]
    Twice,
    /// The lengths in the table do not add up to the file's.
    #[error("the lengths of the sections do not add up to that of the file")]
    Lengths,
    /// There are bytes after the end.
    #[error("something follows it")]
    TrailingBytes,
    /// The file claims more content than a file of its length can have.
    #[error("a file of this length cannot have that much in it")]
    TooMuch,
    /// The compressed bytes cannot be decompressed.
    #[error("it cannot be decompressed")]
    Compression,
    /// The number of values is not the one in the table.
    #[error("it is longer or shorter than the table says")]
    WrongLength,
    /// A value has no meaning.
    #[error("{0} is wrong")]
    Value(&'static str),
    /// Columns do not fit together.
    #[error("{0}")]
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

fn missing(bytes: u64, at_least: bool) -> String {
    let unit = if bytes == 1 { "byte" } else { "bytes" };
    let more = if at_least { " or more" } else { "" };
    format!("{bytes} {unit}{more}")
}
