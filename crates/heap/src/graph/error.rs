//! Why a heap, or something derived from it, could not be built.

use std::collections::TryReserveError;

/// Why a heap, or something derived from it, could not be built.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum BuildError {
    /// There is not enough memory.
    #[error("not enough memory")]
    OutOfMemory,
    /// Node ids have 32 bits.
    #[error("the heap has more objects than a snapshot can number (4,294,967,295)")]
    TooManyNodes,
    /// Edge offsets have 32 bits.
    #[error("the heap has more references than a snapshot can number (4,294,967,295)")]
    TooManyEdges,
    /// Name ids have 32 bits.
    #[error("the heap has more names than a snapshot can number (4,294,967,295)")]
    TooManyNames,
    /// The stack of a coroutine is full. To see a value on it, the portable engine has to push one
    /// more.
    #[error(
        "the stack of a coroutine is full, and a Lua built with LUA_USE_APICHECK does not allow to \
         read it then: drop the coroutine, or take a snapshot of everything"
    )]
    FullStack,
}

impl From<TryReserveError> for BuildError {
    fn from(_: TryReserveError) -> Self {
        BuildError::OutOfMemory
    }
}
