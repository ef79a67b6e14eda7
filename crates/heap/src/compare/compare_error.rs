//! Why snapshots cannot be compared.

use crate::graph::error::BuildError;
use crate::snapshot::Snapshot;

/// Why snapshots cannot be compared.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum CompareError {
    /// Growth needs at least two snapshots.
    #[error("growth is found between snapshots: two are needed at least, not {0}")]
    TooFew(usize),
    /// A snapshot is empty: it was freed, or it is the difference of an empty one.
    #[error("snapshot {0} is empty: there is nothing to compare")]
    Empty(usize),
    /// A snapshot is a difference.
    #[error(
        "snapshot {0} is the difference of two others: growth is found between whole snapshots"
    )]
    Difference(usize),
    /// The snapshots are of different families of VMs.
    #[error(
        "snapshot {first} is of {a}, snapshot {second} of {b}: \
         their objects and sizes cannot be compared"
    )]
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
    #[error(
        "snapshot {first} shows what {a} holds, snapshot {second} what {b} holds: \
         take both with the same root"
    )]
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
    #[error(
        "snapshot {first} was captured by the {a} engine, snapshot {second} by the {b} one: \
         one estimates sizes and sees objects alone, so take both with the same engine"
    )]
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
    #[error(transparent)]
    Failed(#[from] BuildError),
}

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
