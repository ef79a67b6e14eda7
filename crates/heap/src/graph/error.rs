//! Why a heap, or something derived from it, could not be built.

use luasnap_words::{Sentence, Spoken, displayed_in_english};
use std::collections::TryReserveError;

/// Why a heap, or something derived from it, could not be built.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BuildError {
    /// There is not enough memory.
    OutOfMemory,
    /// Node ids have 32 bits.
    TooManyNodes,
    /// Edge offsets have 32 bits.
    TooManyEdges,
    /// Name ids have 32 bits.
    TooManyNames,
    /// The stack of a coroutine is full. To see a value on it, the portable engine has to push one
    /// more.
    FullStack,
}

impl Spoken for BuildError {
    fn sentence(&self) -> Sentence {
        Sentence::new(match self {
            BuildError::OutOfMemory => "fail.no_memory",
            BuildError::TooManyNodes => "build.too_many_nodes",
            BuildError::TooManyEdges => "build.too_many_edges",
            BuildError::TooManyNames => "build.too_many_names",
            BuildError::FullStack => "build.full_stack",
        })
    }
}

displayed_in_english!(BuildError);

impl From<TryReserveError> for BuildError {
    fn from(_: TryReserveError) -> Self {
        BuildError::OutOfMemory
    }
}
