//! Why a layout does not fit a VM.

use luasnap_heap::BuildError;

/// Why a layout does not fit a VM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum LayoutMismatch {
    /// The global state does not say what the API says.
    #[error("its global state has another structure")]
    GlobalState,
    /// An address leads out of readable memory.
    #[error("{0} cannot be read where it should be")]
    Unreadable(&'static str),
    /// An object's tag is unknown.
    #[error("an object is of an unknown type ({0})")]
    UnknownType(u8),
    /// A list has an object twice, or something that cannot be an object.
    #[error("a list has an object twice, or something that is not an object")]
    BrokenList,
    /// More bytes were found than the VM says it holds.
    #[error("its objects have more than the {total} bytes that it says it holds")]
    TooLarge {
        /// The VM's own total.
        total: u64,
    },
    /// The bytes that were found are not the VM's own total.
    #[error("its objects have {found} bytes, and it says it holds {total}")]
    Sum {
        /// The sum of what was found.
        found: u64,
        /// The VM's own total.
        total: u64,
    },
    /// The names of the metamethods are not what they are in every Lua.
    #[error("what should be the names of its metamethods reads otherwise")]
    Metamethods,
    /// No zero byte follows a string's text.
    #[error("a string's text does not end where its length says")]
    Text,
    /// A string is not where the string table has it by its hash, or not in that table.
    #[error("its table of strings has strings elsewhere than their hashes say")]
    StringTable,
    /// A table would not find one of its own keys.
    #[error("a table's key is not where its hash says")]
    Key,
    /// A field refers to something that is not an object of the right kind.
    #[error("{0} is something else")]
    Kind(&'static str),
    /// A value's tag is unknown.
    #[error("a value is of an unknown type")]
    UnknownValue,
    /// Numbers have another width.
    #[error("its numbers have another width")]
    Numbers,
    /// Most of what should be metatables lack the fields of metatables.
    #[error("what should be metatables have no fields of metatables")]
    Metatables,
    /// A reachable object refers to something that is not an object.
    #[error("an object that is in use refers to something that is not an object")]
    UnknownReference,
}

/// Why a sweep failed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Failure {
    /// The layout is not that of this VM.
    LayoutMismatch(LayoutMismatch),
    /// The heap could not be built.
    Build(BuildError),
}

impl From<LayoutMismatch> for Failure {
    fn from(mismatch: LayoutMismatch) -> Self {
        Failure::LayoutMismatch(mismatch)
    }
}

impl From<BuildError> for Failure {
    fn from(error: BuildError) -> Self {
        Failure::Build(error)
    }
}

/// Result of a sweep, or of a part of it.
pub(crate) type Swept<T = ()> = Result<T, Failure>;
