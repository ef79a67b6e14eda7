//! Groups: the objects of a snapshot, by what they are.
//!
//! Ten thousand entries of one cache are one finding, not ten thousand. Objects of a class are one group,
//! wherever they are; so are functions of one place in the source, coroutines that wait or died at one
//! place, and strings of the same owners. All others are grouped by the [pattern](crate::PathPatterns) of their path.

use crate::dominators::dominator_tree::Dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push, room};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::loaded_code::CodeShape;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::tally::Tally;
use crate::groups::class::ClassName;
use crate::groups::coroutine::CoroutineName;
use crate::groups::fingerprint::Fingerprint;
use crate::groups::path_map::FoldedName;
use crate::groups::path_pattern::{PathPatterns, PatternId};
use crate::groups::pattern_set::PatternSet;
use crate::groups::string_owners::{OwnerGroups, OwnerGroupsId};
use crate::reach::shortest_path_tree::Rank;

/// The name of a group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupName {
    /// Objects with paths of this pattern.
    HeldBy(PatternId),
    /// Tables or userdata of a class.
    Class(ClassName),
    /// Functions or prototypes of one place in the source. If it is not known what coroutines are doing:
    /// those that were started with the function there.
    Code {
        /// The short source.
        source: NameId,
        /// The line where the code begins.
        line: u32,
    },
    /// Functions or prototypes of code that was loaded from strings without a name, which have paths of this
    /// pattern. The short source would be the beginning of the text.
    LoadedCode {
        /// The pattern of the path to the functions, or to the functions of the prototypes.
        pattern: PatternId,
        /// The line of the text where the code begins; 0 for all of it.
        line: u32,
        /// The line where it ends, and the number of its upvalues, if they are known.
        shape: Option<CodeShape>,
    },
    /// Coroutines that do the same at one place.
    Coroutine(CoroutineName),
    /// Strings that objects of these groups refer to, and no others: see [`Groups::owners`].
    StringsOf(OwnerGroupsId),
    /// Strings of very many groups, or of the VM itself.
    SharedStrings,
}

/// Objects of one kind and one name.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Group {
    /// Their name.
    pub name: GroupName,
    /// Their kind.
    pub kind: Kind,
    /// The path pattern of the first of them, ...
    pub pattern: PatternId,
    /// ... and whether all have the same.
    pub has_one_pattern: bool,
    /// The number of members.
    pub count: u32,
    /// The sum of their shallow sizes, in bytes.
    pub shallow: u64,
    /// The number of entries of all tables among them.
    pub entries: u64,
    /// A lower bound of their retained size, in bytes: what they dominate one by one.
    /// [`Dominators::retained_by`] also counts what only several of them keep alive.
    pub retained: u64,
    /// The one that retains most, in the [tree of everything](crate::Snapshot::everything_tree).
    pub example: Rank,
    /// The name as a number that is the same from run to run.
    pub fingerprint: Fingerprint,
}

/// How the top groups are chosen.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum GroupOrder {
    /// By retained size.
    Retained,
    /// By shallow size.
    Shallow,
    /// By the number of members.
    Count,
    /// By retained size, classes only.
    Class,
}

impl GroupOrder {
    /// All orders.
    pub const ALL: [GroupOrder; 4] = [
        GroupOrder::Retained,
        GroupOrder::Shallow,
        GroupOrder::Count,
        GroupOrder::Class,
    ];

    /// Whether groups are sorted by what they retain.
    pub fn is_by_retained(self) -> bool {
        matches!(self, GroupOrder::Retained | GroupOrder::Class)
    }

    /// Returns how many groups are measured to find the top `n`.
    pub fn measured(self, n: usize) -> usize {
        match self.is_by_retained() {
            true => n.saturating_mul(2).saturating_add(8),
            false => n,
        }
    }
}

/// The groups of a snapshot, by shallow size, largest first. Made by [`Snapshot::groups`](crate::Snapshot::groups).
///
/// In a difference, the objects that are new or gone are grouped; tables that grew or shrank are
/// [listed](Self::resized). The module's own snapshots are in no group.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{GroupOrder, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // `_G.cache` has three tables of 100 bytes.
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let (cache, _) = builder.node(Kind::Table, 0x20)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// let field = Label::Field(builder.name(b"cache")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// builder.edge(globals, cache, field, Strength::Strong)?;
/// for (index, address) in [(1, 0x30), (2, 0x40), (3, 0x50)] {
///     let (entry, _) = builder.node(Kind::Table, address)?;
///     builder.set_size(entry, 100);
///     builder.edge(cache, entry, Label::Index(index), Strength::Strong)?;
/// }
/// let snapshot = Snapshot::new(builder.finish()?);
/// let groups = snapshot.groups()?;
/// assert_eq!(groups.groups().len(), 3); // `_G`, `_G.cache`, `_G.cache.[*]`
///
/// let (heap, dominators) = (snapshot.everything(), snapshot.dominators()?);
/// let top = groups.top(heap, dominators, GroupOrder::Count, 1)?;
/// let (index, retained) = top[0];
/// assert_eq!((groups.groups()[index].count, retained.bytes), (3, 300));
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct Groups {
    pub(crate) groups: Vec<Group>,
    pub(super) patterns: PathPatterns,
    /// By node: the index of its group, or [`NO_GROUP`].
    pub(super) group_of: Vec<u32>,
    /// The members of the first group, then those of the next, each in the order of the tree.
    pub(super) members: Vec<NodeId>,
    /// The start of each group's members, and the end of the last group's.
    pub(super) starts: Vec<u32>,
    pub(super) resized: Vec<(Rank, u32)>,
    /// The owners in the groups' names.
    pub(crate) owners: Vec<OwnerGroups>,
    /// The names that were generalised.
    pub(crate) pattern_set: PatternSet,
    /// Those of them below which there is much.
    pub(crate) folded: Vec<FoldedName>,
}

/// Stands in `group_of` for no group.
pub(super) const NO_GROUP: u32 = u32::MAX;

impl Groups {
    /// Returns the indices of the groups that own strings together.
    pub fn owners(&self, owners: OwnerGroupsId) -> impl ExactSizeIterator<Item = usize> + '_ {
        let groups = self.owners[owners.0 as usize].groups();
        groups.iter().map(|&group| group as usize)
    }

    /// Returns no groups yet, for names with these patterns.
    pub(crate) fn with_patterns(patterns: PathPatterns) -> Groups {
        Groups {
            patterns,
            ..Groups::default()
        }
    }

    /// Adds owners, by the indices of groups.
    pub(crate) fn add_stored_owners(&mut self, groups: &[u32]) -> Result<(), BuildError> {
        push(&mut self.owners, OwnerGroups::new(groups))
    }

    /// Adds owners that another value has, by the new indices of groups.
    pub(crate) fn add_owners(
        &mut self,
        others: &Groups,
        owners: OwnerGroupsId,
        new_index: &[u32],
    ) -> Result<OwnerGroupsId, BuildError> {
        let mut set = others.owners[owners.0 as usize];
        for group in set.groups_mut() {
            *group = new_index[*group as usize];
        }
        push(&mut self.owners, set)?;
        Ok(OwnerGroupsId(self.owners.len() as u32 - 1))
    }

    /// Returns the groups, largest shallow size first.
    pub fn groups(&self) -> &[Group] {
        &self.groups
    }

    /// Returns the index of the group of a node of [everything](crate::Snapshot::everything).
    pub fn group_of(&self, node: NodeId) -> Option<usize> {
        let group = *self.group_of.get(node.index())?;
        (group != NO_GROUP).then_some(group as usize)
    }

    /// Returns the members of the group with this index, in the order of the tree: nodes of
    /// [everything](crate::Snapshot::everything). None of what is kept in a [table](crate::GroupTable).
    pub fn members(&self, group: usize) -> &[NodeId] {
        match self.starts.get(group..group + 2) {
            Some(&[start, end]) => &self.members[start as usize..end as usize],
            _ => &[],
        }
    }

    /// Returns the path patterns in the groups' names.
    pub fn patterns(&self) -> &PathPatterns {
        &self.patterns
    }

    /// Returns the tables that grew or shrank, and by how many entries, most first.
    pub fn resized(&self) -> &[(Rank, u32)] {
        &self.resized
    }

    /// Returns the indices of the top `n` groups, with their retained sizes.
    ///
    /// Retained sizes of groups are slow to find. So for [`GroupOrder::Retained`] they are found
    /// for `2 * n + 8` candidates, which are chosen by what their members dominate one by one. A
    /// group that retains much only together can be missed.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn top(
        &self,
        heap: &Heap,
        dominators: &Dominators,
        by: GroupOrder,
        n: usize,
    ) -> Result<Vec<(usize, Tally)>, BuildError> {
        let mut top = self.top_candidates(heap, dominators, by, n)?;
        top.truncate(n);
        Ok(top)
    }

    /// Returns what [`top`](Self::top) measured for its answer, in the same order: at least `n` groups, if there are
    /// as many.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn top_candidates(
        &self,
        heap: &Heap,
        dominators: &Dominators,
        by: GroupOrder,
        n: usize,
    ) -> Result<Vec<(usize, Tally)>, BuildError> {
        let order = self.candidates(by, n)?;
        let retained = self.retained_by_each(heap, dominators, &order)?;
        let mut top = room(order.len())?;
        top.extend(order.into_iter().zip(retained));
        if by.is_by_retained() {
            sort_by_number(&mut top, |(_, retained)| !retained.bytes)?;
        }
        Ok(top)
    }

    /// Returns the indices of the groups that are measured to find the top `n`: where these are not the first `n`,
    /// the first by what their members dominate one by one. Fewer groups are the first of more.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn candidates(&self, by: GroupOrder, n: usize) -> Result<Vec<usize>, BuildError> {
        let is_asked_for = |at: &usize| {
            let is_class = matches!(self.groups[*at].name, GroupName::Class(_));
            by != GroupOrder::Class || is_class
        };
        let mut order: Vec<usize> = room(self.groups.len())?;
        order.extend((0..self.groups.len()).filter(is_asked_for));
        // Ties keep the order of the groups.
        sort_by_number(&mut order, |&at| {
            let group = &self.groups[at];
            !match by {
                GroupOrder::Retained | GroupOrder::Class => group.retained,
                GroupOrder::Shallow => group.shallow,
                GroupOrder::Count => u64::from(group.count),
            }
        })?;
        order.truncate(by.measured(n));
        Ok(order)
    }

    /// Returns the retained sizes of these groups.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn retained_by_each(
        &self,
        heap: &Heap,
        dominators: &Dominators,
        groups: &[usize],
    ) -> Result<Vec<Tally>, BuildError> {
        let mut sets: Vec<&[NodeId]> = room(groups.len())?;
        sets.extend(groups.iter().map(|&at| self.members(at)));
        dominators.retained_by_each(heap, &sets)
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        held(&self.groups)
            + self.patterns.memory()
            + held(&self.group_of)
            + held(&self.members)
            + held(&self.starts)
            + held(&self.resized)
            + held(&self.owners)
            + held(&self.folded)
            + self.pattern_set.memory()
    }
}
