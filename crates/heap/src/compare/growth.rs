//! Growth: how the groups of several snapshots changed from one to the next.

use crate::compare::arrival::Arrivals;
use crate::compare::compare_error::CompareError;
use crate::compare::group_table::GroupTable;
use crate::compare::grouped_alike::grouped_alike;
use crate::compare::growth_step::{GrowthStep, expect_comparable};
use crate::compare::object_changes::ObjectChanges;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push, room};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::shared_sort::sort_by_comparison;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::group::{Group, Groups};
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::snapshot::Snapshot;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// How the groups of several snapshots changed from one to the next.
///
/// A group is identified by its [fingerprint](Fingerprint). A name that is generalised in one
/// snapshot is generalised in all of them, so that a cache is one group even while it is small.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Growth, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// // `_G.sessions`, with tables of 100 bytes.
/// let snapshot = |sessions: u32| -> Result<Snapshot, luasnap_heap::BuildError> {
///     let mut builder = HeapBuilder::new();
///     let (globals, _) = builder.node(Kind::Table, 0x10)?;
///     let (list, _) = builder.node(Kind::Table, 0x20)?;
///     let root = Label::Root(builder.name(b"_G")?);
///     let field = Label::Field(builder.name(b"sessions")?);
///     builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
///     builder.edge(globals, list, field, Strength::Strong)?;
///     for number in 1..=sessions {
///         let (session, _) = builder.node(Kind::Table, 0x20 + 0x10 * u64::from(number))?;
///         builder.set_size(session, 100);
///         builder.edge(list, session, Label::Index(number.into()), Strength::Strong)?;
///     }
///     Ok(Snapshot::new(builder.finish()?))
/// };
/// let snapshots = [snapshot(1)?, snapshot(2)?, snapshot(3)?];
/// let growth = Growth::new(&snapshots.each_ref())?;
///
/// let row = growth.growing().next().expect("the sessions grow in every step");
/// assert_eq!((row.counts, row.shallow), (&[1, 2, 3][..], &[100, 200, 300][..]));
///
/// let suspects = growth.suspects(&snapshots[2])?;
/// assert_eq!(suspects.len(), 1);
/// assert_eq!(suspects[0].grown, 200);
/// assert_eq!(suspects[0].retained.bytes, 300); // by the accumulation point, `_G.sessions`
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Growth {
    steps: Vec<GrowthStep>,
    /// By snapshot.
    groups: Vec<Arc<Groups>>,
    rows: Vec<Row>,
    /// For each row, one value for each snapshot.
    counts: Vec<u64>,
    shallow: Vec<u64>,
    retained: Vec<u64>,
    entries: Vec<u64>,
    /// By group of the last snapshot: the largest member that came.
    arrived: Vec<Option<Rank>>,
    /// What came between the first and the last snapshot; `None` if the objects of the first are not known.
    changes: Option<ObjectChanges>,
}

/// Where a row comes from.
#[derive(Clone, Copy, Debug)]
struct Row {
    fingerprint: Fingerprint,
    /// The last snapshot that has the group, and the group's index there.
    snapshot: u32,
    group: u32,
}

/// A group across all snapshots: a row of a [`Growth`].
#[derive(Clone, Copy, Debug)]
pub struct GroupGrowth<'a> {
    /// The fingerprint of the group's name.
    pub fingerprint: Fingerprint,
    /// The last snapshot that has the group, from 0 on. The group's name and its example belong to the
    /// [groups](Growth::groups) of this snapshot.
    pub snapshot: usize,
    /// The group in that snapshot, ...
    pub group: &'a Group,
    /// ... and its index.
    pub group_index: usize,
    /// The number of members in each snapshot.
    pub counts: &'a [u64],
    /// The sum of their shallow sizes in each snapshot, in bytes.
    pub shallow: &'a [u64],
    /// A lower bound of their retained size in each snapshot, in bytes: see [`Group::retained`].
    pub retained: &'a [u64],
    /// The number of entries of all tables among them in each snapshot.
    pub entries: &'a [u64],
    /// The member that retains most of those that came after the first snapshot, or that grew most since; any
    /// member if none did, and the one that retains most where the first is known as a table alone. A rank in the
    /// [tree](Growth::tree) of [`snapshot`](Self::snapshot).
    pub example: Rank,
}

impl GroupGrowth<'_> {
    /// Returns how many more members the last snapshot has than the first.
    pub fn count_change(&self) -> i64 {
        change(self.counts)
    }

    /// Returns by how many bytes the sum of the shallow sizes grew from the first to the last
    /// snapshot.
    pub fn shallow_change(&self) -> i64 {
        change(self.shallow)
    }

    /// Returns how many more entries the tables of the group have in the last snapshot than in the first.
    pub fn entry_change(&self) -> i64 {
        change(self.entries)
    }

    /// Whether the group grew from each snapshot to the next: more members, more bytes or more entries, and
    /// fewer of none. The memory of a table that gains entries in each step grows only now and then.
    pub fn grows_in_every_step(&self) -> bool {
        self.growing_steps() == self.counts.len() - 1
    }

    /// Returns in how many of the last steps the group grew, without one between them in which it did not.
    pub fn growing_steps(&self) -> usize {
        let columns = [self.counts, self.shallow, self.entries];
        let grew = |at: &usize| {
            columns.iter().all(|values| values[at - 1] <= values[*at])
                && columns.iter().any(|values| values[at - 1] < values[*at])
        };
        (1..self.counts.len()).rev().take_while(grew).count()
    }

    /// Whether the group has more members after each step.
    pub(crate) fn multiplies(&self) -> bool {
        self.counts.windows(2).all(|counts| counts[0] < counts[1])
    }

    fn is_changed(&self) -> bool {
        let differs = |values: &[u64]| values.windows(2).any(|pair| pair[0] != pair[1]);
        differs(self.counts) || differs(self.shallow) || differs(self.entries)
    }
}

fn change(values: &[u64]) -> i64 {
    match values {
        [first, .., last] => (*last as i64).wrapping_sub(*first as i64),
        _ => 0,
    }
}

impl Growth {
    /// Compares whole snapshots of one VM, in the order in which they were taken.
    ///
    /// # Errors
    ///
    /// [`CompareError`] if there are fewer than two snapshots, if one is empty or a difference, or if they are
    /// of different VMs, roots or engines; [`CompareError::Failed`] if memory runs out.
    pub fn new(snapshots: &[&Snapshot]) -> Result<Growth, CompareError> {
        let whole = snapshots.iter().map(|of| GrowthStep::Whole((*of).clone()));
        Growth::of_steps(whole.collect())
    }

    /// Compares the groups that earlier snapshots of a VM had, in the order in which they were taken, with those of
    /// the last snapshot. [`GroupTable`] has an example.
    ///
    /// What it finds is what [`new`](Self::new) finds of the whole snapshots, but for what tables leave out: groups
    /// beyond some thousands, and which objects are new, so that examples are those that retain most.
    ///
    /// # Errors
    ///
    /// As of [`new`](Self::new).
    pub fn of_tables(tables: &[GroupTable], last: &Snapshot) -> Result<Growth, CompareError> {
        let tables = tables.iter().cloned().map(GrowthStep::Table);
        Growth::of_steps(tables.chain([GrowthStep::Whole(last.clone())]).collect())
    }

    fn of_steps(steps: Vec<GrowthStep>) -> Result<Growth, CompareError> {
        expect_comparable(&steps)?;
        let mut growth = Growth {
            groups: grouped_alike(&steps)?,
            steps,
            ..Growth::default()
        };
        growth.count()?;
        growth.sort()?;
        let [first, .., GrowthStep::Whole(last)] = &growth.steps[..] else {
            return Ok(growth);
        };
        let changes = match first {
            GrowthStep::Whole(first) => Some(ObjectChanges::new(last, first)?),
            GrowthStep::Table(_) => None,
        };
        let groups = &growth.groups[growth.groups.len() - 1];
        growth.arrived = Arrivals::new(last, changes.as_ref())?.examples(groups)?;
        growth.changes = changes;
        Ok(growth)
    }

    /// Returns the number of snapshots.
    pub fn snapshot_count(&self) -> usize {
        self.groups.len()
    }

    /// Returns the number of groups in all snapshots together.
    pub fn len(&self) -> usize {
        self.rows.len()
    }

    /// Whether there are no groups.
    pub fn is_empty(&self) -> bool {
        self.rows.is_empty()
    }

    /// Returns a row by its index. Rows whose shallow size grew most come first, those that shrank most
    /// last; among equals, those that got most members, then most entries.
    pub fn row(&self, at: usize) -> GroupGrowth<'_> {
        let row = self.rows[at];
        let steps = self.groups.len();
        let values = at * steps..(at + 1) * steps;
        let group = &self.groups[row.snapshot as usize].groups()[row.group as usize];
        let is_last = row.snapshot as usize + 1 == steps;
        let arrived = self.arrived.get(row.group as usize).copied().flatten();
        GroupGrowth {
            fingerprint: row.fingerprint,
            snapshot: row.snapshot as usize,
            group,
            group_index: row.group as usize,
            counts: &self.counts[values.clone()],
            shallow: &self.shallow[values.clone()],
            retained: &self.retained[values.clone()],
            entries: &self.entries[values],
            example: arrived.filter(|_| is_last).unwrap_or(group.example),
        }
    }

    /// Returns all rows, in order.
    pub fn rows(&self) -> impl ExactSizeIterator<Item = GroupGrowth<'_>> + DoubleEndedIterator {
        (0..self.rows.len()).map(|at| self.row(at))
    }

    /// Returns the rows in which anything changed, in order.
    pub fn changed(&self) -> impl DoubleEndedIterator<Item = GroupGrowth<'_>> {
        self.rows().filter(GroupGrowth::is_changed)
    }

    /// Returns the rows that [grow in every step](GroupGrowth::grows_in_every_step), in order.
    pub fn growing(&self) -> impl Iterator<Item = GroupGrowth<'_>> {
        self.rows().filter(GroupGrowth::grows_in_every_step)
    }

    /// Returns the groups of a snapshot, by its number from 0 on.
    pub fn groups(&self, snapshot: usize) -> &Groups {
        &self.groups[snapshot]
    }

    /// Returns the heap that the groups of a snapshot are named in, by its number from 0 on: everything that the
    /// snapshot has, or the examples that are left of it.
    pub fn heap(&self, snapshot: usize) -> &Heap {
        self.steps[snapshot].heap()
    }

    /// Returns the shortest paths in the [heap](Self::heap) of a snapshot, by its number from 0 on.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn tree(&self, snapshot: usize) -> Result<&ShortestPathTree, BuildError> {
        self.steps[snapshot].tree()
    }

    /// Returns the bytes of all objects in each snapshot.
    pub fn sizes(&self) -> impl ExactSizeIterator<Item = u64> + '_ {
        let steps = self.steps.iter().zip(&self.groups);
        steps.map(|(step, groups)| step.bytes(groups))
    }

    /// Returns the fingerprints that the members of a row's group had by older rules, where they are known: see
    /// [`Groups::older_fingerprints`].
    pub fn older_fingerprints(&self, row: &GroupGrowth<'_>) -> Vec<Fingerprint> {
        match &self.steps[row.snapshot] {
            GrowthStep::Whole(snapshot) => {
                self.groups[row.snapshot].older_fingerprints(snapshot.everything(), row.group_index)
            }
            GrowthStep::Table(_) => Vec::new(),
        }
    }

    /// Returns the best example among objects of the last snapshot that `point` dominates; `None` if none of them
    /// came.
    pub(crate) fn example_below(
        &self,
        last: &Snapshot,
        members: &[NodeId],
        point: NodeId,
    ) -> Result<Option<NodeId>, BuildError> {
        Ok(Arrivals::new(last, self.changes.as_ref())?.example_below(members, point))
    }

    /// Returns the bytes of memory that it takes, including what is shared with the snapshots.
    pub fn memory(&self) -> usize {
        self.groups.iter().map(|of| of.memory()).sum::<usize>()
            + held(&self.rows)
            + held(&self.counts)
            + held(&self.shallow)
            + held(&self.retained)
            + held(&self.entries)
            + held(&self.arrived)
            + self.changes.as_ref().map_or(0, ObjectChanges::memory)
    }

    /// Makes the rows and their values.
    fn count(&mut self) -> Result<(), BuildError> {
        let steps = self.groups.len();
        let mut index: FxHashMap<Fingerprint, u32> = FxHashMap::default();
        // The last snapshot comes first, since rows refer to its groups.
        for (snapshot, groups) in self.groups.iter().enumerate().rev() {
            for (at, group) in groups.groups().iter().enumerate() {
                index.try_reserve(1)?;
                let new = self.rows.len() as u32;
                let row = *index.entry(group.fingerprint).or_insert(new);
                if row == new {
                    let row = Row {
                        fingerprint: group.fingerprint,
                        snapshot: snapshot as u32,
                        group: at as u32,
                    };
                    push(&mut self.rows, row)?;
                    let columns = [
                        &mut self.counts,
                        &mut self.shallow,
                        &mut self.retained,
                        &mut self.entries,
                    ];
                    for values in columns {
                        values.try_reserve(steps)?;
                        values.resize(values.len() + steps, 0);
                    }
                }
                // Names that a VM has twice can make two groups with one fingerprint.
                let place = row as usize * steps + snapshot;
                self.counts[place] += u64::from(group.count);
                self.shallow[place] = self.shallow[place].saturating_add(group.shallow);
                self.entries[place] = self.entries[place].saturating_add(group.entries);
                self.retained[place] = self.retained[place].saturating_add(group.retained);
            }
        }
        Ok(())
    }

    fn sort(&mut self) -> Result<(), BuildError> {
        let mut order: Vec<u32> = room(self.len())?;
        order.extend(0..self.len() as u32);
        let key = |at: u32| {
            let row = self.row(at as usize);
            let grown = (row.shallow_change(), row.count_change(), row.entry_change());
            (std::cmp::Reverse(grown), row.fingerprint)
        };
        sort_by_comparison(&mut order, |&a, &b| key(a).cmp(&key(b)))?;
        let steps = self.groups.len();
        let sorted = |values: &[u64]| {
            let mut sorted: Vec<u64> = room(values.len())?;
            for &at in &order {
                let start = at as usize * steps;
                sorted.extend_from_slice(&values[start..start + steps]);
            }
            Ok::<_, BuildError>(sorted)
        };
        let (counts, shallow) = (sorted(&self.counts)?, sorted(&self.shallow)?);
        let (retained, entries) = (sorted(&self.retained)?, sorted(&self.entries)?);
        (self.retained, self.entries) = (retained, entries);
        (self.counts, self.shallow) = (counts, shallow);
        let mut rows = room(order.len())?;
        rows.extend(order.iter().map(|&at| self.rows[at as usize]));
        self.rows = rows;
        Ok(())
    }
}
