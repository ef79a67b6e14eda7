//! What grew at each path pattern between two snapshots.

use crate::compare::compare_error::CompareError;
use crate::compare::grouped_alike::grouped_alike;
use crate::compare::growth_step::{GrowthStep, expect_comparable};
use crate::groups::path_tallies::PathTallies;
use crate::groups::pattern_set::PatternSet;
use crate::snapshot::Snapshot;

/// Returns how many objects and bytes each path pattern has more in `after` than in `before`. Where it has less, there
/// is nothing; so the sum is that of what grew.
///
/// # Errors
///
/// [`CompareError`] as of [`Growth::new`](crate::Growth::new).
pub fn path_growth(before: &Snapshot, after: &Snapshot) -> Result<PathTallies, CompareError> {
    let steps = [before, after].map(|of| GrowthStep::Whole(of.clone()));
    expect_comparable(&steps)?;
    let mut general = PatternSet::default();
    for groups in grouped_alike(&steps)? {
        general.add(&groups.pattern_set)?;
    }
    let [before, mut grown] = [
        PathTallies::folded(before.placed()?, &general)?,
        PathTallies::folded(after.placed()?, &general)?,
    ];
    grown.grown_since(&before)?;
    Ok(grown)
}
