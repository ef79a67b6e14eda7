//! Several snapshots that are compared: grouping them, and why they cannot be compared.

use crate::derived;
use crate::failure::Failure;
use crate::snapshot_file::SnapshotFile;
use luasnap_format::{GrowthError, both, printable_path};
use luasnap_heap::{BuildError, CompareError, Snapshot};
use luasnap_words::{Sentence, Spoken};
use std::path::Path;

/// Groups the snapshots, which is most of the work: two at once, as more would take much memory.
pub fn group(snapshots: &[&Snapshot]) -> Result<(), BuildError> {
    for pair in snapshots.chunks(2) {
        match *pair {
            [one, other] => {
                let (one, other) = both(|| one.groups().map(drop), || other.groups().map(drop));
                one.and(other)?;
            }
            _ => derived::group(pair[0])?,
        }
    }
    Ok(())
}

/// Returns a failure that says which of these files cannot be compared, and why.
pub fn cannot_compare_files(files: &[SnapshotFile], error: GrowthError) -> Failure {
    match error {
        GrowthError::Incomparable(error) => {
            let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
            cannot_compare(&paths, error)
        }
        GrowthError::Failed(error) => error.into(),
    }
}

/// Returns a failure that says which of the snapshots in these files cannot be compared, and why.
pub fn cannot_compare(files: &[&Path], error: CompareError) -> Failure {
    let name = |number: usize| printable_path(files[number - 1]).to_string();
    let of_two = |code, first, a: &str, second, b: &str| {
        Sentence::new(code)
            .with("first", name(first))
            .with("a", a)
            .with("second", name(second))
            .with("b", b)
    };
    let sentence = match &error {
        CompareError::Difference(number) => {
            Sentence::new("files.difference").with("file", name(*number))
        }
        CompareError::Vms {
            first,
            a,
            second,
            b,
        } => of_two("files.vms", *first, a, *second, b),
        CompareError::Roots {
            first,
            a,
            second,
            b,
        } => of_two("files.roots", *first, a, *second, b),
        CompareError::Engines {
            first,
            a,
            second,
            b,
        } => of_two("files.engines", *first, a, *second, b),
        error => error.sentence(),
    };
    sentence.into()
}
