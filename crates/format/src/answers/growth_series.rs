//! What grows in a program that is watched, from step to step.

use crate::answer_error::Result;
use crate::answers::group_shares::GroupShares;
use crate::answers::growth::{GrowthAnswer, GrowthError, ledger};
use crate::answers::ledger::Ledger;
use luasnap_heap::{CompareError, GroupTable, Growth, Snapshot};

/// The most steps that are kept. Of more, those in the middle become fewer.
const MOST_STEPS: usize = 32;

/// What is known of the earlier snapshots of a program that is watched: tables of their groups, not their heaps. It
/// takes no more memory for many steps than for some.
///
/// # Examples
///
/// ```
/// use luasnap_format::GrowthSeries;
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
/// let mut series = GrowthSeries::default();
/// assert!(series.add(&snapshot(1)?, 10)?.is_none());
/// series.add(&snapshot(2)?, 10)?;
/// let growth = series.add(&snapshot(3)?, 10)?.expect("there are several");
///
/// assert_eq!(growth.growing[0].counts, [1, 2, 3]);
/// assert_eq!(growth.suspects[0].point, "_G.cache");
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct GrowthSeries {
    tables: Vec<GroupTable>,
    /// Of the first snapshot.
    ledger: Ledger,
    /// How many groups of the last snapshot have a share of their own, of each sort.
    most_shares: Option<usize>,
    /// Of the last snapshot.
    shares: GroupShares,
}

impl GrowthSeries {
    /// Returns a series that also knows how the bytes of its last snapshot are [spread](Self::shares) over groups: the
    /// `most` largest, and the `most` that grew most.
    pub fn with_shares(most: usize) -> GrowthSeries {
        GrowthSeries {
            most_shares: Some(most),
            ..GrowthSeries::default()
        }
    }

    /// Adds the next snapshot, and returns what grew since the first one; `None` for the first one. Lists at most `most`
    /// rows of each sort.
    ///
    /// # Errors
    ///
    /// [`GrowthError::Incomparable`] if the snapshot cannot be compared with those before; [`GrowthError::Failed`]
    /// if memory runs out. The snapshot is not added then.
    pub fn add(
        &mut self,
        snapshot: &Snapshot,
        most: usize,
    ) -> Result<Option<GrowthAnswer>, GrowthError> {
        let growth = match self.tables.is_empty() {
            true => None,
            false => Some(Growth::of_tables(&self.tables, snapshot)?),
        };
        let answer = match &growth {
            Some(growth) => {
                let first = self.ledger.clone();
                Some(GrowthAnswer::of(growth, snapshot, first, most)?)
            }
            None => None,
        };
        let shares = self.shares_of(snapshot, growth.as_ref())?;
        drop(growth);
        let table = GroupTable::new(snapshot, self.tables.last())?;
        if self.tables.is_empty() {
            self.ledger = ledger(snapshot)?;
        }
        self.tables
            .try_reserve(1)
            .map_err(|_| CompareError::Failed(luasnap_heap::BuildError::OutOfMemory))?;
        self.tables.push(table);
        self.shares = shares;
        if self.tables.len() > MOST_STEPS {
            self.thin_out();
        }
        Ok(answer)
    }

    /// Returns when the snapshots that are still compared were taken, in milliseconds since 1970, where that is known.
    pub fn times(&self) -> impl ExactSizeIterator<Item = Option<u64>> + '_ {
        self.tables.iter().map(GroupTable::taken_at)
    }

    /// Returns the bytes of all objects in use in the last snapshot; 0 before the first one.
    pub fn size(&self) -> u64 {
        self.tables.last().map_or(0, GroupTable::bytes)
    }

    /// Returns how the bytes of the last snapshot are spread over groups, if the series is to [know](Self::with_shares); a
    /// name that any snapshot of the series generalises is generalised.
    pub fn shares(&self) -> &GroupShares {
        &self.shares
    }

    fn shares_of(&self, snapshot: &Snapshot, growth: Option<&Growth>) -> Result<GroupShares> {
        let taken_at = snapshot.everything().provenance().taken_at;
        let elapsed = self.elapsed_until(taken_at).unwrap_or(0);
        match (self.most_shares, growth) {
            (None, _) => Ok(GroupShares::default()),
            (Some(most), None) => GroupShares::of_first(snapshot, most),
            (Some(most), Some(growth)) => GroupShares::of_growth(growth, most, elapsed),
        }
    }

    /// Returns the time from the first snapshot to this one, in milliseconds, if both are known.
    pub(crate) fn elapsed_until(&self, taken_at: Option<u64>) -> Option<u64> {
        let first = self.times().next().flatten();
        taken_at?.checked_sub(first?)
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.tables.iter().map(GroupTable::memory).sum()
    }

    /// Forgets the step whose neighbours are nearest to each other, but neither the first nor the last.
    fn thin_out(&mut self) {
        let time = |at: usize| self.tables[at].taken_at();
        let between = |at: &usize| match (time(at - 1), time(at + 1)) {
            (Some(before), Some(after)) => after.saturating_sub(before),
            _ => 0,
        };
        if let Some(at) = (1..self.tables.len() - 1).min_by_key(between) {
            self.tables.remove(at);
        }
    }
}
