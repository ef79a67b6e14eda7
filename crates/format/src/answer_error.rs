//! Why an answer could not be made or written.

use crate::reason::reason;
use luasnap_heap::BuildError;
use std::collections::TryReserveError;
use std::io;

/// Why an answer could not be made or written.
///
/// A lack of memory in this process and a failing writer are different errors, even if the system says
/// `ENOMEM` for the writer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is not enough memory.
    #[error("not enough memory")]
    OutOfMemory,
    /// There are more objects or texts than the format can number.
    #[error("the snapshot has more {0} than can be written in this format")]
    TooMany(&'static str),
    /// What is derived from the snapshot is too large.
    #[error(transparent)]
    TooLarge(BuildError),
    /// The writer failed.
    #[error("{}", reason(.0))]
    Io(#[from] io::Error),
}

/// The result of making or writing an answer.
pub(crate) type Result<T = (), E = AnswerError> = std::result::Result<T, E>;

impl From<BuildError> for AnswerError {
    fn from(error: BuildError) -> Self {
        match error {
            BuildError::OutOfMemory => AnswerError::OutOfMemory,
            error => AnswerError::TooLarge(error),
        }
    }
}

impl From<TryReserveError> for AnswerError {
    fn from(_: TryReserveError) -> Self {
        AnswerError::OutOfMemory
    }
}

impl From<hashbrown::TryReserveError> for AnswerError {
    fn from(_: hashbrown::TryReserveError) -> Self {
        AnswerError::OutOfMemory
    }
}
