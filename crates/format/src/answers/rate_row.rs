//! How fast a group grows, as a row.

use crate::answers::field;
use crate::answers::growth::{GrowthRow, a_minute};
use crate::answers::name::Name;
use luasnap_heap::Kind;
use serde::Serialize;

/// How fast a group grows.
#[derive(Clone, Debug, Serialize)]
pub struct RateRow {
    /// The fingerprint of the name: 12 hexadecimal digits, the same from run to run.
    pub fingerprint: String,
    /// The kind of its members.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// The number of members now.
    pub count: u64,
    /// The shallow size of the members together now, in bytes.
    pub size: u64,
    /// How many more members it has than at the first step.
    pub count_change: i64,
    /// By how many bytes it has grown since the first step.
    pub size_change: i64,
    /// The members that come a minute, less those that go.
    pub objects_per_minute: i64,
    /// The bytes that it grows a minute.
    pub bytes_per_minute: i64,
    /// Whether it has grown in every step.
    #[serde(rename = "growing")]
    pub grows_in_every_step: bool,
}

impl RateRow {
    /// Returns how fast a group has grown over so many milliseconds.
    pub(crate) fn new(row: &GrowthRow, elapsed: u64) -> RateRow {
        RateRow {
            fingerprint: row.fingerprint.clone(),
            kind: row.kind,
            name: row.name.clone(),
            count: row.counts.last().copied().unwrap_or(0),
            size: row.sizes.last().copied().unwrap_or(0),
            count_change: row.count_change,
            size_change: row.size_change,
            objects_per_minute: change_a_minute(row.count_change, elapsed),
            bytes_per_minute: change_a_minute(row.size_change, elapsed),
            grows_in_every_step: row.grows_in_every_step,
        }
    }
}

/// Returns what that is a minute, of a change in so many milliseconds.
pub(crate) fn change_a_minute(change: i64, elapsed: u64) -> i64 {
    let rate = a_minute(change.unsigned_abs(), elapsed);
    i64::try_from(rate).unwrap_or(i64::MAX) * change.signum()
}
