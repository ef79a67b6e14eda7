//! What grew from snapshot to snapshot, as rows of an answer for every face alike.

use crate::answer_error::{AnswerError, Result};
use crate::answers::field;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::name::Name;
use crate::answers::short_path::path_of_everything;
use luasnap_heap::{CompareError, GroupGrowth, Growth, Kind, Rank, Snapshot, Suspect};
use rustc_hash::FxHashMap;
use serde::Serialize;

/// A group over several snapshots, as people and programs read it.
#[derive(Clone, Debug, Serialize)]
pub struct GrowthRow {
    /// The name as twelve hexadecimal digits, the same from run to run.
    pub fingerprint: String,
    /// What its members are.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// What it is called.
    pub name: Name,
    /// How many members it has in each snapshot.
    pub counts: Vec<u64>,
    /// The bytes of the members themselves in each.
    pub sizes: Vec<u64>,
    /// How many more members there are in the last than in the first.
    pub count_change: i64,
    /// How many more bytes they have.
    pub size_change: i64,
    /// Whether it grew from each snapshot to the next.
    #[serde(rename = "growing")]
    pub grows_in_every_step: bool,
    /// The shortest path to a member.
    pub example: Name,
}

/// Groups that grow in every step and pile up at one point.
#[derive(Clone, Debug, Serialize)]
pub struct SuspectRow {
    /// The fingerprints of the groups' rows in [`GrowthAnswer::growing`]; the first grew most.
    pub groups: Vec<String>,
    /// The same rows, as indices.
    #[serde(skip)]
    rows: Vec<usize>,
    /// The path to the accumulation point.
    pub point: Name,
    /// What that retains in the last snapshot, in bytes.
    pub retained: u64,
    /// Which part of all objects' bytes that is.
    pub share: f64,
    /// By how many bytes the groups grew.
    pub grown: u64,
    /// The path to one of the objects.
    pub example: Name,
    /// The same from run to run, as long as the same groups pile up at the same place.
    pub fingerprint: String,
}

/// What grew.
#[derive(Clone, Debug, Serialize)]
pub struct GrowthAnswer {
    /// Groups that changed at all, those that grew most first.
    pub changed: Vec<GrowthRow>,
    /// How many those are, with those that are not told.
    pub changed_count: usize,
    /// Groups that grow in every step, those that grew most first.
    pub growing: Vec<GrowthRow>,
    /// Where they pile up, those that grew most first.
    pub suspects: Vec<SuspectRow>,
    /// The bytes of all objects in each snapshot.
    pub sizes: Vec<u64>,
}

/// Why it cannot be told what grew.
#[derive(Debug, thiserror::Error)]
pub enum GrowthError {
    /// The snapshots cannot be compared.
    #[error(transparent)]
    Incomparable(CompareError),
    /// The answer could not be made.
    #[error(transparent)]
    Failed(#[from] AnswerError),
}

impl From<CompareError> for GrowthError {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Failed(error) => GrowthError::Failed(error.into()),
            error => GrowthError::Incomparable(error),
        }
    }
}

/// Tells what grew over snapshots of one program, in order; at most `most` rows
/// of each sort.
///
/// # Errors
/// Snapshots that cannot be compared, or no memory.
pub fn growth(snapshots: &[&Snapshot], most: usize) -> Result<GrowthAnswer, GrowthError> {
    let growth = Growth::new(snapshots)?;
    let last = snapshots[snapshots.len() - 1];
    let words = Words {
        snapshots,
        growth: &growth,
    };
    let suspects = growth.suspects(last).map_err(AnswerError::from)?;
    let growing = || growth.growing().take(most);
    let places = growing().enumerate();
    let places: FxHashMap<u64, usize> = places.map(|(at, row)| (row.fingerprint.0, at)).collect();
    let told = growth.changed().take(most);
    Ok(GrowthAnswer {
        changed: words.rows(told)?,
        changed_count: growth.changed().count(),
        growing: words.rows(growing())?,
        suspects: words.suspects(&suspects[..suspects.len().min(most)], &places)?,
        sizes: (0..snapshots.len())
            .map(|at| growth.rows().map(|row| row.shallow[at]).sum())
            .collect(),
    })
}

impl GrowthAnswer {
    /// The rows of a suspect's groups, the one that grew most first.
    pub fn rows_of<'a>(&'a self, suspect: &'a SuspectRow) -> impl Iterator<Item = &'a GrowthRow> {
        suspect.rows.iter().map(|at| &self.growing[*at])
    }
}

/// Puts what was found into words.
struct Words<'a> {
    snapshots: &'a [&'a Snapshot],
    growth: &'a Growth,
}

impl Words<'_> {
    fn rows<'g>(&self, rows: impl Iterator<Item = GroupGrowth<'g>>) -> Result<Vec<GrowthRow>> {
        rows.map(|row| self.row(&row)).collect()
    }

    fn row(&self, row: &GroupGrowth<'_>) -> Result<GrowthRow> {
        let snapshot = self.snapshots[row.snapshot];
        Ok(GrowthRow {
            kind: row.group.kind,
            name: group_name(snapshot, self.growth.groups(row.snapshot), row.group)?,
            counts: row.counts.to_vec(),
            sizes: row.shallow.to_vec(),
            count_change: row.count_change(),
            size_change: row.shallow_change(),
            grows_in_every_step: row.grows_in_every_step(),
            example: path_of_everything(snapshot, row.group.example)?,
            fingerprint: fingerprint_text(row.fingerprint),
        })
    }

    fn suspects(
        &self,
        suspects: &[Suspect],
        told: &FxHashMap<u64, usize>,
    ) -> Result<Vec<SuspectRow>> {
        suspects
            .iter()
            .map(|suspect| self.suspect(suspect, told))
            .collect()
    }

    fn suspect(&self, suspect: &Suspect, told: &FxHashMap<u64, usize>) -> Result<SuspectRow> {
        let fingerprint = |row: &usize| self.growth.row(*row).fingerprint;
        let place = |row: &usize| told.get(&fingerprint(row).0).copied();
        let is_told = |row: &&usize| told.contains_key(&fingerprint(row).0);
        let groups = suspect.rows.iter().filter(is_told);
        let last = self.snapshots[self.snapshots.len() - 1];
        let path = |rank: Rank| path_of_everything(last, rank);
        Ok(SuspectRow {
            groups: groups
                .map(|row| fingerprint_text(fingerprint(row)))
                .collect(),
            rows: suspect.rows.iter().filter_map(place).collect(),
            point: match suspect.point_rank {
                Some(rank) => path(rank)?,
                None => "the roots".into(),
            },
            retained: suspect.retained.bytes,
            share: suspect.share,
            grown: suspect.grown,
            example: path(suspect.example)?,
            fingerprint: fingerprint_text(suspect.fingerprint),
        })
    }
}
