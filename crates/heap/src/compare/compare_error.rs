//! Why snapshots cannot be compared.

use crate::graph::error::BuildError;
use crate::snapshot::Snapshot;
use luasnap_words::{Sentence, Spoken, displayed_in_english};

/// Why snapshots cannot be compared.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CompareError {
    /// Growth needs at least two snapshots.
    TooFew(usize),
    /// A snapshot is empty: it was freed, or it is the difference of an empty one.
    Empty(usize),
    /// A snapshot is a difference.
    Difference(usize),
    /// The snapshots are of different families of VMs.
    Vms {
        /// The number of one snapshot, from 1 on.
        first: usize,
        /// Its VM.
        a: String,
        /// The number of the other.
        second: usize,
        /// Its VM.
        b: String,
    },
    /// The snapshots begin at different roots.
    Roots {
        /// The number of one snapshot, from 1 on.
        first: usize,
        /// Its root.
        a: String,
        /// The number of the other.
        second: usize,
        /// Its root.
        b: String,
    },
    /// The snapshots were captured by different engines.
    Engines {
        /// The number of one snapshot, from 1 on.
        first: usize,
        /// The name of its engine.
        a: &'static str,
        /// The number of the other.
        second: usize,
        /// The name of its engine.
        b: &'static str,
    },
    /// The snapshots could not be analysed.
    Failed(#[from] BuildError),
}

impl Spoken for CompareError {
    fn sentence(&self) -> Sentence {
        let of_one = |code, number: &usize| Sentence::new(code).with("number", *number);
        let of_two = |code, first: &usize, a: &str, second: &usize, b: &str| {
            Sentence::new(code)
                .with("first", *first)
                .with("a", a)
                .with("second", *second)
                .with("b", b)
        };
        match self {
            CompareError::TooFew(number) => of_one("compare.too_few", number),
            CompareError::Empty(number) => of_one("compare.empty", number),
            CompareError::Difference(number) => of_one("compare.difference", number),
            CompareError::Vms {
                first,
                a,
                second,
                b,
            } => of_two("compare.vms", first, a, second, b),
            CompareError::Roots {
                first,
                a,
                second,
                b,
            } => of_two("compare.roots", first, a, second, b),
            CompareError::Engines {
                first,
                a,
                second,
                b,
            } => of_two("compare.engines", first, a, second, b),
            CompareError::Failed(error) => error.sentence(),
        }
    }
}

displayed_in_english!(CompareError);

/// Checks that a snapshot, the first of those that are compared, has objects and is no difference.
pub(crate) fn expect_whole(snapshot: &Snapshot) -> Result<(), CompareError> {
    if snapshot.is_difference() {
        return Err(CompareError::Difference(1));
    }
    match snapshot.everything().root_range().is_empty() {
        true => Err(CompareError::Empty(1)),
        false => Ok(()),
    }
}
