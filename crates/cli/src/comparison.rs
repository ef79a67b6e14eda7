//! Several snapshots that are compared: grouping them, and why they cannot be compared.

use crate::snapshot_file::SnapshotFile;
use anyhow::anyhow;
use luasnap_format::{GrowthError, printable_path};
use luasnap_heap::{BuildError, CompareError, Snapshot};
use std::panic::resume_unwind;
use std::path::Path;
use std::thread;

/// Groups the snapshots, which is most of the work: two at once, as more would take much memory.
pub fn group(snapshots: &[&Snapshot]) -> Result<(), BuildError> {
    for pair in snapshots.chunks(2) {
        thread::scope(|scope| {
            let other = pair.get(1).map(|snapshot| {
                let group = || snapshot.groups().map(drop);
                thread::Builder::new().spawn_scoped(scope, group)
            });
            pair[0].groups()?;
            match other {
                Some(Ok(other)) => other.join().unwrap_or_else(|panic| resume_unwind(panic)),
                // Without a thread it is grouped when it is compared.
                Some(Err(_)) | None => Ok(()),
            }
        })?;
    }
    Ok(())
}

/// Returns an error that says which of these files cannot be compared, and why.
pub fn cannot_compare_files(files: &[SnapshotFile], error: GrowthError) -> anyhow::Error {
    match error {
        GrowthError::Incomparable(error) => {
            let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
            cannot_compare(&paths, error)
        }
        GrowthError::Failed(error) => error.into(),
    }
}

/// Returns an error that says which of the snapshots in these files cannot be compared, and why.
pub fn cannot_compare(files: &[&Path], error: CompareError) -> anyhow::Error {
    let name = |number: usize| printable_path(files[number - 1]);
    match error {
        CompareError::Difference(number) => anyhow!(
            "{} is the difference of two snapshots: compare whole ones",
            name(number)
        ),
        CompareError::Vms {
            first,
            a,
            second,
            b,
        } => anyhow!(
            "{} is of {a}, and {} of {b}: their objects and sizes cannot be compared",
            name(first),
            name(second)
        ),
        CompareError::Roots {
            first,
            a,
            second,
            b,
        } => anyhow!(
            "{} shows what {a} holds, and {} what {b} holds: take both with the same root",
            name(first),
            name(second)
        ),
        CompareError::Engines {
            first,
            a,
            second,
            b,
        } => anyhow!(
            "{} was captured by the {a} engine, and {} by the {b} one: take both by the same",
            name(first),
            name(second)
        ),
        error => anyhow!(error),
    }
}
