//! Why an answer could not be made or written.

use luasnap_heap::BuildError;
use luasnap_words::{Sentence, Spoken, displayed_in_english, phrase};
use std::collections::TryReserveError;
use std::io;

/// Why an answer could not be made or written.
///
/// A lack of memory in this process and a failing writer are different errors, even if the system says
/// `ENOMEM` for the writer.
#[derive(Debug, thiserror::Error)]
pub enum AnswerError {
    /// There is not enough memory.
    OutOfMemory,
    /// There are more objects or texts than the format can number.
    TooMany(&'static str),
    /// What is derived from the snapshot is too large.
    TooLarge(#[source] BuildError),
    /// The writer failed.
    Io(#[from] io::Error),
}

impl Spoken for AnswerError {
    fn sentence(&self) -> Sentence {
        match self {
            AnswerError::OutOfMemory => Sentence::new("fail.no_memory"),
            AnswerError::TooMany(what) => {
                Sentence::new("answer.too_many").with("what", phrase(what))
            }
            AnswerError::TooLarge(error) => error.sentence(),
            AnswerError::Io(error) => error.sentence(),
        }
    }
}

displayed_in_english!(AnswerError);

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
