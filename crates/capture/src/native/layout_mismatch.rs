//! Why a layout does not fit a VM.

use luasnap_heap::BuildError;
use luasnap_words::{Sentence, Spoken, displayed_in_english, phrase};

/// What is wrong, in words. A reference to them, which takes one register where the words take two: what nearly every
/// step of a sweep returns is a `Swept`, which has to fit two.
pub(crate) type What = &'static &'static str;

/// A number of bytes below 2^56.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Missing([u8; 7]);

/// Why a layout does not fit a VM.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub(crate) enum LayoutMismatch {
    /// The global state does not say what the API says.
    GlobalState,
    /// An address leads out of readable memory.
    Unreadable(What),
    /// An object's tag is unknown.
    UnknownType(u8),
    /// A list has an object twice, or something that cannot be an object.
    BrokenList,
    /// More bytes were found than the VM says it holds.
    TooLarge {
        /// The VM's own total.
        total: u64,
    },
    /// The bytes that were found are not the VM's own total.
    Sum {
        /// The sum of what was found.
        found: u64,
        /// By how much the VM's own total is more.
        missing: Missing,
    },
    /// The names of the metamethods are not what they are in every Lua.
    Metamethods,
    /// No zero byte follows a string's text.
    Text,
    /// A string is not where the string table has it by its hash, or not in that table.
    StringTable,
    /// A table would not find one of its own keys.
    Key,
    /// A field refers to something that is not an object of the right kind.
    Kind(What),
    /// A value's tag is unknown.
    UnknownValue,
    /// Numbers have another width.
    Numbers,
    /// Most of what should be metatables lack the fields of metatables.
    Metatables,
    /// A reachable object refers to something that is not an object.
    UnknownReference,
}

impl LayoutMismatch {
    /// `found` bytes were found, of at least as many (`total`) that the VM says it holds.
    pub(crate) fn sum(found: u64, total: u64) -> LayoutMismatch {
        let [bytes @ .., _] = total.saturating_sub(found).to_le_bytes();
        let missing = Missing(bytes);
        LayoutMismatch::Sum { found, missing }
    }

    /// How many of a capture's steps a layout passed: more of them mean that it comes nearer.
    pub(super) fn checks_passed(self) -> u8 {
        match self {
            LayoutMismatch::GlobalState => 0,
            LayoutMismatch::Unreadable(_)
            | LayoutMismatch::UnknownType(_)
            | LayoutMismatch::BrokenList
            | LayoutMismatch::Text => 1,
            LayoutMismatch::TooLarge { .. } => 2,
            LayoutMismatch::Metamethods | LayoutMismatch::StringTable => 3,
            LayoutMismatch::Sum { .. } => 5,
            _ => 4,
        }
    }
}

impl Missing {
    fn bytes(self) -> u64 {
        let mut bytes = [0; 8];
        bytes[..7].copy_from_slice(&self.0);
        u64::from_le_bytes(bytes)
    }
}

impl Spoken for LayoutMismatch {
    fn sentence(&self) -> Sentence {
        match *self {
            LayoutMismatch::GlobalState => Sentence::new("mismatch.global_state"),
            LayoutMismatch::Unreadable(what) => {
                Sentence::new("mismatch.unreadable").with("what", phrase(what))
            }
            LayoutMismatch::UnknownType(tag) => {
                Sentence::new("mismatch.unknown_type").with("tag", tag)
            }
            LayoutMismatch::BrokenList => Sentence::new("mismatch.broken_list"),
            LayoutMismatch::TooLarge { total } => {
                Sentence::new("mismatch.too_large").with("total", total)
            }
            LayoutMismatch::Sum { found, missing } => Sentence::new("mismatch.sum")
                .with("found", found)
                .with("total", found + missing.bytes()),
            LayoutMismatch::Metamethods => Sentence::new("mismatch.metamethods"),
            LayoutMismatch::Text => Sentence::new("mismatch.text"),
            LayoutMismatch::StringTable => Sentence::new("mismatch.string_table"),
            LayoutMismatch::Key => Sentence::new("mismatch.key"),
            LayoutMismatch::Kind(what) => Sentence::new("mismatch.kind").with("what", phrase(what)),
            LayoutMismatch::UnknownValue => Sentence::new("mismatch.unknown_value"),
            LayoutMismatch::Numbers => Sentence::new("mismatch.numbers"),
            LayoutMismatch::Metatables => Sentence::new("mismatch.metatables"),
            LayoutMismatch::UnknownReference => Sentence::new("mismatch.unknown_reference"),
        }
    }
}

displayed_in_english!(LayoutMismatch);

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

/// Two registers.
const _: () = assert!(size_of::<Swept<Option<luasnap_heap::NodeId>>>() == 16);
