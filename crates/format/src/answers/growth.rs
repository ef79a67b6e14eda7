//! What grew from snapshot to snapshot, as rows.

use crate::answer_error::{AnswerError, Result};
use crate::answers::field;
use crate::answers::group_name::{fingerprint_text, group_name};
use crate::answers::ledger::{Ledger, LedgerChange};
use crate::answers::name::Name;
use crate::answers::object_row::{anonymous_example, anonymous_object};
use crate::answers::short_path::{path_of_everything, short_path};
use crate::labels::numbers::byte_size;
use luasnap_heap::{
    Census, CompareError, FINGERPRINT_RULE, GroupGrowth, Growth, Heap, Kind, Label, NodeId, Rank,
    ShortestPathTree, Snapshot, Suspect,
};
use luasnap_words::{Sentence, Spoken, count, displayed_in_english, shown};
use rustc_hash::FxHashMap;
use serde::Serialize;

/// Suspects with less than this part of the growth are small: 1 / 100.
const SMALL_PART: u64 = 100;

/// A group over several snapshots.
#[derive(Clone, Debug, Serialize)]
pub struct GrowthRow {
    /// The example, a node of [`Snapshot::everything`] of the last snapshot; `None` if that has none.
    #[serde(skip)]
    pub example_node: Option<NodeId>,
    /// The fingerprint of the name: 12 hexadecimal digits, the same from run to run.
    pub fingerprint: String,
    /// Those that its members had by older rules.
    #[serde(skip)]
    pub older_fingerprints: Vec<String>,
    /// The kind of its members.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// Whether they are code, and the path to the example leads through code that LuaJIT compiled.
    #[serde(skip)]
    pub(crate) is_behind_trace: bool,
    /// The number of members in each snapshot.
    pub counts: Vec<u64>,
    /// The shallow size of the members together in each snapshot, in bytes.
    pub sizes: Vec<u64>,
    /// How many more members the last snapshot has than the first.
    pub count_change: i64,
    /// How many more bytes the members have in the last snapshot than in the first.
    pub size_change: i64,
    /// How many more entries the tables among them have in the last snapshot than in the first.
    pub entry_change: i64,
    /// Whether it grew from each snapshot to the next.
    #[serde(rename = "growing")]
    pub grows_in_every_step: bool,
    /// In how many of the last steps it grew, without one between them in which it did not.
    pub growing_steps: usize,
    /// The path to the largest member that came, or that grew most.
    pub example: Name,
    /// What that one is, if neither the last step of its path nor the name of the group says it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_is: Option<Sentence>,
}

/// A leak suspect: groups that grow in every step, and their accumulation point.
#[derive(Clone, Debug, Serialize)]
pub struct SuspectRow {
    /// The accumulation point, a node of [`Snapshot::everything`] of the last snapshot; [`NodeId::ROOT`] for
    /// `the roots`.
    #[serde(skip)]
    pub point_node: NodeId,
    /// The fingerprints of the groups' rows in [`GrowthAnswer::growing`]; the first grew most, or holds the others.
    pub groups: Vec<String>,
    /// The same rows, as indices.
    #[serde(skip)]
    pub(crate) rows: Vec<usize>,
    /// The path to the accumulation point; `[REGISTRY].[ref]` for the references of C code.
    pub point: Name,
    /// What the point is, if the last step of its path does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub point_is: Option<Sentence>,
    /// Who holds what accumulates, if it is not the point itself: `C code (luaL_ref)`.
    pub held_by: Option<Sentence>,
    /// The retained size of the accumulation point in the last snapshot, in bytes.
    pub retained: u64,
    /// The retained size as a part of all objects' bytes, from 0 to 1.
    pub share: f64,
    /// By how many bytes the groups grew.
    pub grown: u64,
    /// How many more entries the tables of the groups have.
    pub entries: u64,
    /// Whether that is less than a hundredth of what all suspects grew.
    #[serde(rename = "small")]
    pub is_small: bool,
    /// The path to the largest member that came below the point, of the first group.
    pub example: Name,
    /// What that one is, if the last step of its path does not say it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub example_is: Option<Sentence>,
    /// The fingerprint of the first group, the same from run to run.
    pub fingerprint: String,
}

/// What grew.
#[derive(Clone, Debug, Serialize)]
pub struct GrowthAnswer {
    /// What grows, how fast and where, in a sentence.
    pub verdict: Sentence,
    /// The rule of all fingerprints.
    pub fingerprint_rule: u32,
    /// Groups that changed, those that grew most first.
    pub changed: Vec<GrowthRow>,
    /// The number of groups that changed, including those that are not listed.
    pub changed_count: usize,
    /// Groups that grow in every step, those that grew most first.
    pub growing: Vec<GrowthRow>,
    /// Leak suspects, those that grew most first.
    pub suspects: Vec<SuspectRow>,
    /// The bytes of all objects in each snapshot.
    pub sizes: Vec<u64>,
    /// Where the process's memory is in the first and the last snapshot.
    pub ledger: LedgerChange,
}

/// Why growth could not be found.
#[derive(Debug, thiserror::Error)]
pub enum GrowthError {
    /// The snapshots cannot be compared.
    Incomparable(#[source] CompareError),
    /// The answer could not be made.
    Failed(#[from] AnswerError),
}

impl Spoken for GrowthError {
    fn sentence(&self) -> Sentence {
        match self {
            GrowthError::Incomparable(error) => error.sentence(),
            GrowthError::Failed(error) => error.sentence(),
        }
    }
}

displayed_in_english!(GrowthError);

impl From<CompareError> for GrowthError {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Failed(error) => GrowthError::Failed(error.into()),
            error => GrowthError::Incomparable(error),
        }
    }
}

/// Returns what grew over snapshots of one program, in the order in which they were taken. Lists at most
/// `most` rows of each sort.
///
/// # Errors
///
/// [`GrowthError::Incomparable`] if the snapshots cannot be compared; [`GrowthError::Failed`] if memory
/// runs out.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `_G.cache`, with tables of 100 bytes.
/// let snapshot = |entries: u32| -> Result<Snapshot, luasnap_heap::BuildError> {
///     let mut builder = HeapBuilder::new();
///     let (globals, _) = builder.node(Kind::Table, 0x10)?;
///     let (cache, _) = builder.node(Kind::Table, 0x20)?;
///     let root = Label::Root(builder.name(b"_G")?);
///     let field = Label::Field(builder.name(b"cache")?);
///     builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
///     builder.edge(globals, cache, field, Strength::Strong)?;
///     for number in 1..=entries {
///         let (entry, _) = builder.node(Kind::Table, 0x20 + 0x10 * u64::from(number))?;
///         builder.set_size(entry, 100);
///         builder.edge(cache, entry, Label::Index(number.into()), Strength::Strong)?;
///     }
///     Ok(Snapshot::new(builder.finish()?))
/// };
/// let snapshots = [snapshot(1)?, snapshot(2)?, snapshot(3)?];
/// let growth = luasnap_format::growth(&snapshots.each_ref(), 10)?;
///
/// assert_eq!(growth.growing[0].name, "_G.cache.[*]");
/// assert_eq!(growth.growing[0].counts, [1, 2, 3]);
/// assert_eq!(growth.suspects[0].point, "_G.cache");
/// assert_eq!(growth.suspects[0].grown, 200);
/// # Ok(())
/// # }
/// ```
pub fn growth(snapshots: &[&Snapshot], most: usize) -> Result<GrowthAnswer, GrowthError> {
    let growth = Growth::new(snapshots)?;
    let suspects = growth.suspects(snapshots[snapshots.len() - 1]);
    let suspects = suspects.map_err(AnswerError::from)?;
    Ok(answer(snapshots, &growth, &suspects, most)?)
}

/// Returns the answer for callers that have found growth and suspects already.
pub(crate) fn answer(
    snapshots: &[&Snapshot],
    growth: &Growth,
    suspects: &[Suspect],
    most: usize,
) -> Result<GrowthAnswer> {
    let last = snapshots[snapshots.len() - 1];
    GrowthAnswer::new((growth, suspects), last, ledger(snapshots[0])?, most)
}

/// What takes less than this, in milliseconds, has no rate that lasts.
pub(crate) const A_SECOND: u64 = 1000;

/// Returns where the process's memory is in a snapshot.
pub(crate) fn ledger(snapshot: &Snapshot) -> Result<Ledger> {
    Ledger::new(snapshot, &Census::new(snapshot)?)
}

impl GrowthAnswer {
    /// Returns what grew from earlier snapshots to the last one, by a comparison with it. `first` is the ledger of the first
    /// one.
    pub(crate) fn of(
        growth: &Growth,
        last: &Snapshot,
        first: Ledger,
        most: usize,
    ) -> Result<GrowthAnswer> {
        let suspects = growth.suspects(last)?;
        GrowthAnswer::new((growth, &suspects), last, first, most)
    }

    /// Returns what grew until the last snapshot, with the suspects. `first` is the ledger of the first one.
    fn new(
        (growth, suspects): (&Growth, &[Suspect]),
        last: &Snapshot,
        first: Ledger,
        most: usize,
    ) -> Result<GrowthAnswer> {
        let words = Words { growth, last };
        let growing = || growth.growing().take(most);
        let places = growing().enumerate();
        let places: FxHashMap<u64, usize> =
            places.map(|(at, row)| (row.fingerprint.0, at)).collect();
        let vm = &last.everything().provenance().vm;
        let listed = growth.changed().take(most);
        let mut answer = GrowthAnswer {
            verdict: Sentence::new("growth.nothing"),
            fingerprint_rule: FINGERPRINT_RULE,
            changed: words.rows(listed)?,
            changed_count: growth.changed().count(),
            growing: words.rows(growing())?,
            suspects: words.suspects(&suspects[..suspects.len().min(most)], &places)?,
            sizes: growth.sizes().collect(),
            ledger: LedgerChange::new(first, ledger(last)?, vm),
        };
        answer.verdict = answer.sentence(&times(growth));
        Ok(answer)
    }

    fn sentence(&self, times: &[Option<u64>]) -> Sentence {
        // What takes moments has no rate that lasts.
        let elapsed = elapsed(times).filter(|elapsed| *elapsed >= A_SECOND);
        let rate = |bytes: u64| {
            let elapsed = elapsed?;
            let rate = Sentence::new("growth.rate");
            let rate = rate.with("bytes", byte_size(a_minute(bytes, elapsed)));
            Some(rate.with("time", duration(elapsed)))
        };
        if let Some(suspect) = self.suspects.first() {
            let is = |is: &Sentence| Sentence::new("growth.is").with("what", shown(is.clone()));
            let holder = suspect.held_by.as_ref();
            let holder =
                holder.map(|who| Sentence::new("growth.held_by_brackets").with("who", who.clone()));
            let point = Sentence::new("growth.point")
                .with("name", suspect.point.to_string())
                .with("is", suspect.point_is.as_ref().map(is))
                .with("holder", holder);
            let what = self.rows_of(suspect).next().and_then(|row| {
                match (row.count_change, row.entry_change) {
                    (0, 0) => None,
                    (0, entries) => {
                        let entries = count(entries.unsigned_abs(), "entry");
                        Some(Sentence::new("growth.entries").with("entries", entries))
                    }
                    (members, _) => {
                        let members = count(members.unsigned_abs(), row.kind.type_name());
                        let what = Sentence::new("growth.members").with("members", members);
                        Some(what.with("name", row.name.to_string()))
                    }
                }
            });
            // One step is no series.
            let code = match self.sizes.len() {
                2 => "growth.grew",
                _ => "growth.grows",
            };
            return Sentence::new(code)
                .with("point", point)
                .with("bytes", byte_size(suspect.grown))
                .with("rate", rate(suspect.grown))
                .with("what", what);
        }
        match self.changed.first().filter(|row| row.size_change > 0) {
            Some(row) => {
                let bytes = row.size_change.unsigned_abs();
                Sentence::new("growth.grew_most")
                    .with("name", row.name.to_string())
                    .with("bytes", byte_size(bytes))
                    .with("rate", rate(bytes))
                    .with("since", since(row, times))
            }
            None => Sentence::new("growth.nothing"),
        }
    }

    /// Returns the rows of a suspect's groups, the one that grew most first.
    pub fn rows_of<'a>(&'a self, suspect: &'a SuspectRow) -> impl Iterator<Item = &'a GrowthRow> {
        suspect.rows.iter().map(|at| &self.growing[*at])
    }
}

/// Says since when a group has grown in each step, if not from the beginning; nothing for a single step.
fn since(row: &GrowthRow, times: &[Option<u64>]) -> Option<Sentence> {
    let steps = row.growing_steps;
    if steps < 2 {
        return None;
    }
    let elapsed = elapsed(&times[times.len() - 1 - steps..]).filter(|time| *time >= A_SECOND);
    let time = elapsed.map(|time| Sentence::new("growth.since_time").with("time", duration(time)));
    let since = Sentence::new("growth.since").with("steps", steps.to_string());
    Some(since.with("time", time))
}

/// Returns the time from the first to the last snapshot, in milliseconds, if both know theirs.
pub(crate) fn elapsed_over(snapshots: &[&Snapshot]) -> Option<u64> {
    let time = |of: &&Snapshot| of.everything().provenance().taken_at;
    elapsed(&[
        snapshots.first().and_then(time),
        snapshots.last().and_then(time),
    ])
}

/// Returns when each snapshot was taken, in milliseconds since 1970, where that is known.
fn times(growth: &Growth) -> Vec<Option<u64>> {
    let heaps = (0..growth.snapshot_count()).map(|at| growth.heap(at));
    heaps.map(|heap| heap.provenance().taken_at).collect()
}

/// Returns the time from the first to the last of several moments, in milliseconds, if both are known and differ.
pub(crate) fn elapsed(times: &[Option<u64>]) -> Option<u64> {
    let (first, last) = (times.first()?, times.last()?);
    let elapsed = (*last)?.checked_sub((*first)?);
    elapsed.filter(|elapsed| *elapsed > 0)
}

/// Returns what that is a minute, of a number that came in so many milliseconds.
pub(crate) fn a_minute(number: u64, elapsed: u64) -> u64 {
    let a_minute = u128::from(number) * 60_000 / u128::from(elapsed.max(1));
    a_minute.min(u64::MAX.into()) as u64
}

/// Returns a time, given in milliseconds, in a readable unit: `12 s`, `5 min`, `3.5 h`.
pub fn duration(milliseconds: u64) -> Sentence {
    let seconds = milliseconds / 1000;
    let (code, number) = match seconds {
        0..120 => ("time.seconds", seconds.to_string()),
        120..7200 => ("time.minutes", (seconds / 60).to_string()),
        _ => ("time.hours", format!("{:.1}", seconds as f64 / 3600.0)),
    };
    Sentence::new(code).with("number", number)
}

fn is_code(kind: Kind) -> bool {
    matches!(kind, Kind::LuaFunction | Kind::Prototype)
}

/// Whether the path to an object leads through a trace of LuaJIT.
fn is_behind_trace(heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> bool {
    let mut upward = std::iter::successors(Some(rank), |rank| tree.parent(*rank));
    upward.any(|rank| heap.label(tree.edge(rank)) == Label::Trace)
}

/// Makes rows of what was found.
struct Words<'a> {
    growth: &'a Growth,
    last: &'a Snapshot,
}

impl Words<'_> {
    fn rows<'g>(&self, rows: impl Iterator<Item = GroupGrowth<'g>>) -> Result<Vec<GrowthRow>> {
        rows.map(|row| self.row(&row)).collect()
    }

    fn row(&self, row: &GroupGrowth<'_>) -> Result<GrowthRow> {
        let (heap, tree) = (
            self.growth.heap(row.snapshot),
            self.growth.tree(row.snapshot)?,
        );
        let groups = self.growth.groups(row.snapshot);
        let older = self.growth.older_fingerprints(row);
        let is_last = row.snapshot + 1 == self.growth.snapshot_count();
        let example = tree.node(row.example);
        Ok(GrowthRow {
            example_node: is_last.then_some(example),
            kind: row.group.kind,
            name: group_name(heap, tree, groups, row.group)?,
            is_behind_trace: is_code(row.group.kind) && is_behind_trace(heap, tree, row.example),
            counts: row.counts.to_vec(),
            sizes: row.shallow.to_vec(),
            count_change: row.count_change(),
            size_change: row.shallow_change(),
            entry_change: row.entry_change(),
            grows_in_every_step: row.grows_in_every_step(),
            growing_steps: row.growing_steps(),
            example: short_path(heap, tree, row.example)?,
            example_is: anonymous_example(heap, tree, groups, (row.group.name, row.example))?,
            fingerprint: fingerprint_text(row.fingerprint),
            older_fingerprints: older.into_iter().map(fingerprint_text).collect(),
        })
    }

    fn suspects(
        &self,
        suspects: &[Suspect],
        listed: &FxHashMap<u64, usize>,
    ) -> Result<Vec<SuspectRow>> {
        let all = suspects
            .iter()
            .map(Suspect::weight)
            .fold(0, u64::saturating_add);
        suspects
            .iter()
            .map(|suspect| {
                let is_small = suspect.weight() < all.div_ceil(SMALL_PART);
                self.suspect(suspect, listed, is_small)
            })
            .collect()
    }

    fn suspect(
        &self,
        suspect: &Suspect,
        listed: &FxHashMap<u64, usize>,
        is_small: bool,
    ) -> Result<SuspectRow> {
        let fingerprint = |row: &usize| self.growth.row(*row).fingerprint;
        let place = |row: &usize| listed.get(&fingerprint(row).0).copied();
        let is_listed = |row: &&usize| listed.contains_key(&fingerprint(row).0);
        let groups = suspect.rows.iter().filter(is_listed);
        let last = self.last;
        let path = |rank: Rank| path_of_everything(last, rank);
        Ok(SuspectRow {
            point_node: suspect.point,
            groups: groups
                .map(|row| fingerprint_text(fingerprint(row)))
                .collect(),
            rows: suspect.rows.iter().filter_map(place).collect(),
            point: match suspect.point_rank {
                Some(_) if suspect.by_reference => "[REGISTRY].[ref]".into(),
                Some(rank) => path(rank)?,
                None => "the roots".into(),
            },
            point_is: match suspect.point_rank {
                Some(rank) if !suspect.by_reference => anonymous_object(last, rank)?,
                _ => None,
            },
            held_by: suspect.by_reference.then(|| Sentence::new("growth.c_code")),
            retained: suspect.retained.bytes,
            share: suspect.share,
            grown: suspect.grown,
            entries: suspect.entries,
            is_small,
            example: path(suspect.example)?,
            example_is: anonymous_object(last, suspect.example)?,
            fingerprint: fingerprint_text(suspect.fingerprint),
        })
    }
}
