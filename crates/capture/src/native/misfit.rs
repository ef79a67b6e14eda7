//! Why a layout is not that of a VM.

use luasnap_heap::BuildError;

/// Why a layout is not that of a VM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum Misfit {
    /// The global state does not say what the API says.
    #[error("its global state has another structure")]
    GlobalState,
    /// An address leads out of what can be read.
    #[error("{0} cannot be read where it should be")]
    Unreadable(&'static str),
    /// An object's tag is none.
    #[error("an object is of an unknown type ({0})")]
    UnknownType(u8),
    /// A list has an object twice, or one that cannot be one.
    #[error("a list has an object twice, or something that is none")]
    BrokenList,
    /// More bytes were found than there are.
    #[error("its objects have more than the {total} bytes that it says it holds")]
    TooLarge {
        /// The VM's own total.
        total: u64,
    },
    /// Another number of bytes was found than there are.
    #[error("its objects have {found} bytes, and it says it holds {total}")]
    Sum {
        /// The sum of what was found.
        found: u64,
        /// The VM's own total.
        total: u64,
    },
    /// A reachable object refers to what is none.
    #[error("an object that is in use refers to something that is none")]
    UnknownReference,
}

/// Why a sweep came to nothing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// The layout is not that of this VM.
    Misfit(Misfit),
    /// The heap could not be built.
    Build(BuildError),
}

impl From<Misfit> for Failure {
    fn from(misfit: Misfit) -> Self {
        Failure::Misfit(misfit)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Failure::Build(error)
    }
}

/// What a sweep gives.
pub(crate) type Swept<T = ()> = Result<T, Failure>;
