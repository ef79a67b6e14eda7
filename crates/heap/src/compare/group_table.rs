//! The groups of a snapshot as a small table, which outlives the heap that they were made of.

use crate::build::excerpt::Excerpt;
use crate::compare::compare_error::{CompareError, expect_whole};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, room};
use crate::graph::heap::Heap;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::group::{Group, GroupName, Groups};
use crate::groups::pattern_set::PatternSet;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::snapshot::Snapshot;
use std::cmp::Reverse;
use std::sync::Arc;

/// The most rows that are kept for their size, ...
const LARGEST: usize = 1536;
/// ... and for what they grew since the table before.
const GROWN: usize = 512;
/// Of so many groups, the largest, the sizes are known to the next table.
const KNOWN: usize = 8192;
/// The most names that are kept apart though they are generalised in the snapshot itself, the largest first.
const MOST_NAMES: usize = 1024;
/// The most steps of a pattern, and of the path to an example. Deeper groups are left out.
const MOST_STEPS: usize = 128;

/// The groups of a snapshot: fingerprints, kinds, names, counts, sizes, entries, retained sizes, and an example each,
/// with the path to it. It has some thousands of rows at most, however large the heap was.
///
/// What is folded into one group (`_G.sessions.*`) depends on all snapshots that are compared. So names that may be
/// folded later are rows of their own here, and so are names that are folded already if there is much below them:
/// they may turn out to grow. [`Growth::of_tables`](crate::Growth::of_tables) folds tables alike.
///
/// Copies share all of it.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{GroupTable, Growth, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
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
/// // Each heap is gone before the next one is captured.
/// let first = GroupTable::new(&snapshot(1)?, None)?;
/// let second = GroupTable::new(&snapshot(2)?, Some(&first))?;
/// let last = snapshot(3)?;
/// let growth = Growth::of_tables(&[first, second], &last)?;
///
/// let row = growth.growing().next().expect("the sessions grow in every step");
/// assert_eq!((row.counts, row.shallow), (&[1, 2, 3][..], &[100, 200, 300][..]));
/// assert_eq!(growth.suspects(&last)?[0].grown, 200);
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug)]
pub struct GroupTable {
    parts: Arc<Parts>,
}

#[derive(Debug)]
struct Parts {
    /// The examples and the paths to them, and the names of all groups.
    heap: Heap,
    tree: ShortestPathTree,
    /// Unfolded, and without members.
    groups: Groups,
    /// The shallow sizes of unfolded groups, those that are left out included, by fingerprint.
    sizes: Vec<(Fingerprint, u64)>,
    /// Whether these are all groups.
    has_all_sizes: bool,
    /// The bytes of all objects, those of groups that are left out included.
    bytes: u64,
}

impl GroupTable {
    /// Returns the groups of a whole snapshot. Of very many groups the largest are kept, and those that grew most since
    /// the table `before`.
    ///
    /// # Errors
    ///
    /// [`CompareError::Empty`] or [`CompareError::Difference`] if the snapshot is none that can be compared;
    /// [`CompareError::Failed`] if memory runs out.
    pub fn new(
        snapshot: &Snapshot,
        before: Option<&GroupTable>,
    ) -> Result<GroupTable, CompareError> {
        expect_whole(snapshot)?;
        Ok(GroupTable {
            parts: Arc::new(Parts::new(snapshot, before.map(|table| &*table.parts))?),
        })
    }

    /// Returns the number of rows.
    pub fn len(&self) -> usize {
        self.parts.groups.groups().len()
    }

    /// Whether there are no rows.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Returns the bytes of all objects of the snapshot, those of groups that are left out included.
    pub fn bytes(&self) -> u64 {
        self.parts.bytes
    }

    /// Returns when the snapshot was taken, in milliseconds since 1970, if that is known.
    pub fn taken_at(&self) -> Option<u64> {
        self.heap().provenance().taken_at
    }

    /// Returns the heap of the examples, which has where the snapshot comes from.
    pub(crate) fn heap(&self) -> &Heap {
        &self.parts.heap
    }

    /// Returns the shortest paths to the examples.
    pub(crate) fn tree(&self) -> &ShortestPathTree {
        &self.parts.tree
    }

    /// Returns what the snapshot generalises by itself.
    pub(crate) fn pattern_set(&self) -> &PatternSet {
        &self.parts.groups.pattern_set
    }

    /// Returns the groups, with `general` generalised.
    pub(crate) fn folded(&self, general: &PatternSet) -> Result<Groups, BuildError> {
        let Parts {
            heap,
            groups,
            bytes,
            ..
        } = &*self.parts;
        groups.refolded(heap, general, *bytes)
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        let Parts {
            heap,
            tree,
            groups,
            sizes,
            ..
        } = &*self.parts;
        heap.memory() + tree.memory() + groups.memory() + held(sizes)
    }
}

impl Parts {
    fn new(snapshot: &Snapshot, before: Option<&Parts>) -> Result<Parts, BuildError> {
        let own = snapshot.shared_groups()?;
        let names = names_to_keep(own)?;
        let unfolded = match names.large.is_empty() {
            true => Arc::clone(own),
            false => Arc::new(Groups::new(snapshot.grouped()?, &names)?),
        };
        let kept = kept_rows(&unfolded, before)?;
        let tree = snapshot.everything_tree()?;
        let mut chosen: Vec<Rank> = room(kept.len() + 1)?;
        chosen.push(Rank::ROOT);
        let examples = kept.iter().map(|&at| unfolded.groups()[at].example);
        chosen.extend(examples.filter(|example| is_near(tree, *example)));
        let (excerpt, (mut groups, _)) =
            Excerpt::with_names(snapshot.everything(), tree, chosen.into_iter(), |names| {
                unfolded.projected(unfolded.groups(), &kept, names)
            })?;
        for group in &mut groups.groups {
            group.example = excerpt.rank_of(group.example).unwrap_or(Rank::ROOT);
        }
        let known = unfolded.groups().iter().take(KNOWN);
        let mut sizes = room(known.len())?;
        sizes.extend(known.map(|group| (group.fingerprint, group.shallow)));
        sizes.sort_unstable();
        // What was kept apart only here is not large.
        groups.pattern_set.add(&own.pattern_set)?;
        let sizes_of_all = own.groups().iter().map(|group| group.shallow);
        Ok(Parts {
            tree: ShortestPathTree::new(&excerpt.heap)?,
            heap: excerpt.heap,
            groups,
            sizes,
            has_all_sizes: unfolded.groups().len() <= KNOWN,
            bytes: sizes_of_all.fold(0, u64::saturating_add),
        })
    }
}

impl Parts {
    /// Returns the size that a group had; where that is not known, the one that it has.
    fn size_of(&self, group: &Group) -> u64 {
        let known = self
            .sizes
            .binary_search_by_key(&group.fingerprint, |(of, _)| *of);
        match known {
            Ok(at) => self.sizes[at].1,
            Err(_) if self.has_all_sizes => 0,
            Err(_) => group.shallow,
        }
    }
}

/// Returns the names that a snapshot folds though there is much below them, the largest of them.
fn names_to_keep(groups: &Groups) -> Result<PatternSet, BuildError> {
    let mut names = room(groups.folded.len())?;
    names.extend(groups.folded.iter().map(|name| (name.bytes, name.exact)));
    names.sort_unstable_by_key(|name| Reverse(*name));
    let mut kept = PatternSet::default();
    for (_, exact) in names.into_iter().take(MOST_NAMES) {
        kept.note_large(exact)?;
    }
    Ok(kept)
}

/// Returns the indices of the groups that are kept, in order: the largest, those that grew most, and the groups that
/// the strings among them are named after.
fn kept_rows(groups: &Groups, before: Option<&Parts>) -> Result<Vec<usize>, BuildError> {
    let patterns = groups.patterns();
    let is_deep = |at: &usize| {
        let steps = patterns.and_above(groups.groups()[*at].pattern);
        steps.take(MOST_STEPS + 1).count() > MOST_STEPS
    };
    let mut rows: Vec<usize> = room(groups.groups().len())?;
    rows.extend((0..groups.groups().len()).filter(|at| !is_deep(at)));
    // They are sorted by size.
    let others = rows.split_off(rows.len().min(LARGEST));
    let mut grown: Vec<(u64, usize)> = room(others.len())?;
    grown.extend(others.into_iter().map(|at| {
        let group = &groups.groups()[at];
        let size = before.map_or(0, |before| before.size_of(group));
        (group.shallow.saturating_sub(size), at)
    }));
    grown.sort_unstable_by_key(|(grown, at)| (Reverse(*grown), *at));
    let mut is_kept = filled(groups.groups().len(), false)?;
    for at in rows
        .into_iter()
        .chain(grown.into_iter().take(GROWN).map(|(_, at)| at))
    {
        is_kept[at] = true;
        if let GroupName::StringsOf(owners) = groups.groups()[at].name {
            groups
                .owners(owners)
                .for_each(|owner| is_kept[owner] = true);
        }
    }
    let mut kept: Vec<usize> = room(is_kept.len())?;
    kept.extend((0..is_kept.len()).filter(|&at| is_kept[at]));
    Ok(kept)
}

/// Whether the path to an object has few steps.
fn is_near(tree: &ShortestPathTree, rank: Rank) -> bool {
    let path = std::iter::successors(Some(rank), |rank| tree.parent(*rank));
    path.take(MOST_STEPS + 1).count() <= MOST_STEPS
}
