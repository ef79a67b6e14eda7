//! Growth: how the groups of several snapshots changed from one to the next.

use crate::compare::arrival::Arrivals;
use crate::compare::grouped_alike::grouped_alike;
use crate::compare::object_changes::ObjectChanges;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push, room};
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::group::{Group, Groups};
use crate::reach::shortest_path_tree::Rank;
use crate::snapshot::Snapshot;
use rustc_hash::FxHashMap;
use std::sync::Arc;

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
    /// What came between the first and the last snapshot.
    changes: ObjectChanges,
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
    /// member if none did. A rank in the tree of everything of [`snapshot`](Self::snapshot).
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
        are_comparable(snapshots)?;
        let mut growth = Growth {
            groups: grouped_alike(snapshots)?,
            ..Growth::default()
        };
        growth.count()?;
        growth.sort()?;
        let [first, .., last] = snapshots else {
            return Ok(growth);
        };
        let groups = &growth.groups[growth.groups.len() - 1];
        growth.changes = ObjectChanges::new(last, first)?;
        growth.arrived = Arrivals::new(last, &growth.changes)?.examples(groups)?;
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

    /// Returns the best example among objects of the last snapshot that `point` dominates; `None` if none of them
    /// came.
    pub(crate) fn example_below(
        &self,
        last: &Snapshot,
        members: &[NodeId],
        point: NodeId,
    ) -> Result<Option<NodeId>, BuildError> {
        Ok(Arrivals::new(last, &self.changes)?.example_below(members, point))
    }

    /// Returns how many bytes a node of the last snapshot's [everything](Snapshot::everything) has that the first
    /// one did not have: its shallow size if it came since, or what a table grew by. `last` is that heap.
    #[inline]
    pub fn new_bytes(&self, last: &Heap, node: NodeId) -> u64 {
        match self.changes.alone.contains(node) {
            true => last.size(node),
            false => self.changes.larger(node).map_or(0, |larger| larger.bytes),
        }
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
            + self.changes.memory()
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
        order.sort_unstable_by_key(|&at| {
            let row = self.row(at as usize);
            let grown = (row.shallow_change(), row.count_change(), row.entry_change());
            (std::cmp::Reverse(grown), row.fingerprint)
        });
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

fn are_comparable(snapshots: &[&Snapshot]) -> Result<(), CompareError> {
    let [first, others @ ..] = snapshots else {
        return Err(CompareError::TooFew(0));
    };
    if others.is_empty() {
        return Err(CompareError::TooFew(1));
    }
    if let Some(at) = snapshots.iter().position(|of| of.is_difference()) {
        return Err(CompareError::Difference(at + 1));
    }
    let is_empty = |of: &&Snapshot| of.everything().root_range().is_empty();
    if let Some(at) = snapshots.iter().position(is_empty) {
        return Err(CompareError::Empty(at + 1));
    }
    let a = first.everything();
    for (second, other) in (2..).zip(others) {
        let b = other.everything();
        let (of_a, of_b) = (a.provenance(), b.provenance());
        if of_a.vm != of_b.vm {
            let name = |vm: &str| match vm {
                "" => "an unknown VM".to_owned(),
                vm => vm.to_owned(),
            };
            return Err(CompareError::Vms {
                first: 1,
                a: name(&of_a.vm),
                second,
                b: name(&of_b.vm),
            });
        }
        if root_name(a) != root_name(b) {
            return Err(CompareError::Roots {
                first: 1,
                a: root_name(a),
                second,
                b: root_name(b),
            });
        }
        if of_a.engine != of_b.engine {
            return Err(CompareError::Engines {
                first: 1,
                a: of_a.engine.name(),
                second,
                b: of_b.engine.name(),
            });
        }
    }
    Ok(())
}

/// Returns the name of the first root.
fn root_name(heap: &Heap) -> String {
    let first = heap.root_range().next();
    match first.map(|edge| heap.label(edge)) {
        Some(Label::Root(name)) => String::from_utf8_lossy(heap.name(name)).into_owned(),
        _ => "nothing".to_owned(),
    }
}
