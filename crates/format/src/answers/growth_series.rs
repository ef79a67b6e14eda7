//! What grows in a program that is watched, from step to step.

use crate::answer_error::Result;
use crate::answers::growth::{GrowthAnswer, GrowthError, ledger};
use crate::answers::ledger::Ledger;
use luasnap_heap::{CompareError, GroupTable, Snapshot};

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
}

impl GrowthSeries {
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
        let answer = match self.tables.is_empty() {
            true => None,
            false => Some(GrowthAnswer::of_tables(
                &self.tables,
                snapshot,
                self.ledger.clone(),
                most,
            )?),
        };
        let table = GroupTable::new(snapshot, self.tables.last())?;
        if self.tables.is_empty() {
            self.ledger = ledger(snapshot)?;
        }
        self.tables
            .try_reserve(1)
            .map_err(|_| CompareError::Failed(luasnap_heap::BuildError::OutOfMemory))?;
        self.tables.push(table);
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
