//! Why an answer could not be made or written.

use crate::reason::reason;
use luasnap_heap::BuildError;
use std::collections::TryReserveError;
use std::io;

/// Why an answer could not be made or written.
///
/// Memory that is lacking here, and a place that takes no more, even where its system says `ENOMEM`,
/// are told apart from the first moment on.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// This process has no memory left for it.
    #[error("not enough memory")]
    OutOfMemory,
    /// There is more of something than can be numbered.
    #[error("the snapshot has more {0} than can be written in this format")]
    TooMany(&'static str),
    /// What was derived from the snapshot is too large.
    #[error(transparent)]
    TooLarge(BuildError),
    /// What it was written to did not take it.
    #[error("{}", reason(.0))]
    Io(#[from] io::Error),
}

/// What making or writing an answer gives.
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
