//! Groups: the objects of a snapshot, by what they are.
//!
//! Ten thousand entries of one cache are one finding, not ten thousand. Objects of a class are one group,
//! wherever they are; so are functions of one place in the source, coroutines that wait or died at one
//! place, and strings of one owner. All others are grouped by the [pattern](crate::PathPatterns) of their path.

use crate::dominators::dominator_tree::Dominators;
use crate::graph::change::Change;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, push, room};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::tally::Tally;
use crate::groups::class::{ClassName, Classes};
use crate::groups::coroutine::{CoroutineName, coroutine_body};
use crate::groups::fingerprint::{Fingerprint, FingerprintHasher};
use crate::groups::grouped::Grouped;
use crate::groups::path_map::PathMap;
use crate::groups::path_pattern::{PathPatterns, PatternId, mix};
use crate::groups::path_start::PathStarts;
use crate::groups::pattern_set::PatternSet;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use hashbrown::HashTable;

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
    /// Coroutines that do the same at one place.
    Coroutine(CoroutineName),
    /// Strings whose immediate dominators are in the group of this index.
    StringsOf(usize),
    /// Strings that only the roots dominate.
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
    /// A lower bound of their retained size, in bytes: what they dominate one by one.
    /// [`Groups::exact_retained`] also counts what only several of them keep alive.
    pub retained: u64,
    /// The first of them, in the [tree of everything](crate::Snapshot::everything_tree); of strings one
    /// of which no other is more than twice as large.
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
    groups: Vec<Group>,
    patterns: PathPatterns,
    /// By node: the index of its group, or [`NO_GROUP`].
    group_of: Vec<u32>,
    /// The members of the first group, then those of the next, each in the order of the tree.
    members: Vec<NodeId>,
    /// The start of each group's members, and the end of the last group's.
    starts: Vec<u32>,
    resized: Vec<(Rank, u32)>,
    /// The names that were generalised.
    pub(crate) pattern_set: PatternSet,
}

/// Stands in `group_of` for no group.
const NO_GROUP: u32 = u32::MAX;

impl Groups {
    /// Groups objects; `given` is generalised in any case.
    pub(crate) fn new(grouped: Grouped<'_>, given: &PatternSet) -> Result<Groups, BuildError> {
        let mut grouping = Grouping::new(grouped, given)?;
        grouping.place_all()?;
        grouping.place_strings()?;
        let mut groups = grouping.groups;
        groups.sort()?;
        groups.list_members(grouped.tree)?;
        groups.estimate_retained(grouped.dominators)?;
        Ok(groups)
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
    /// [everything](crate::Snapshot::everything).
    pub fn members(&self, group: usize) -> &[NodeId] {
        &self.members[self.starts[group] as usize..self.starts[group + 1] as usize]
    }

    /// Returns the path patterns in the groups' names.
    pub fn patterns(&self) -> &PathPatterns {
        &self.patterns
    }

    /// Returns the tables that grew or shrank, and by how many entries, most first.
    pub fn resized(&self) -> &[(Rank, u32)] {
        &self.resized
    }

    /// Returns the retained size of the group with this index. Takes at most one pass over the
    /// heap.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn exact_retained(
        &self,
        heap: &Heap,
        dominators: &Dominators,
        group: usize,
    ) -> Result<Tally, BuildError> {
        dominators.retained_by(heap, self.members(group))
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
        let by_retained = matches!(by, GroupOrder::Retained | GroupOrder::Class);
        let is_asked_for = |at: &u32| {
            let is_class = matches!(self.groups[*at as usize].name, GroupName::Class(_));
            by != GroupOrder::Class || is_class
        };
        let mut order: Vec<u32> = room(self.groups.len())?;
        order.extend((0..self.groups.len() as u32).filter(is_asked_for));
        // Ties keep the order of the groups.
        order.sort_by_key(|&at| {
            let group = &self.groups[at as usize];
            std::cmp::Reverse(match by {
                GroupOrder::Retained | GroupOrder::Class => group.retained,
                GroupOrder::Shallow => group.shallow,
                GroupOrder::Count => u64::from(group.count),
            })
        });
        order.truncate(match by_retained {
            true => n.saturating_mul(2).saturating_add(8),
            false => n,
        });
        let mut top = room(order.len())?;
        for at in order {
            let retained = self.exact_retained(heap, dominators, at as usize)?;
            top.push((at as usize, retained));
        }
        if by_retained {
            top.sort_by_key(|(_, retained)| std::cmp::Reverse(retained.bytes));
            top.truncate(n);
        }
        Ok(top)
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        held(&self.groups)
            + self.patterns.memory()
            + held(&self.group_of)
            + held(&self.members)
            + held(&self.starts)
            + held(&self.resized)
            + self.pattern_set.memory()
    }

    /// Sorts the groups, the largest first. Ties are broken by the first object, in canonical order.
    fn sort(&mut self) -> Result<(), BuildError> {
        let mut order: Vec<u32> = room(self.groups.len())?;
        order.extend(0..self.groups.len() as u32);
        order.sort_unstable_by(|&a, &b| {
            let (a, b) = (&self.groups[a as usize], &self.groups[b as usize]);
            b.shallow.cmp(&a.shallow).then(a.example.cmp(&b.example))
        });
        let mut new_index = filled(order.len(), 0u32)?;
        let mut sorted: Vec<Group> = room(order.len())?;
        for (new, &old) in order.iter().enumerate() {
            new_index[old as usize] = new as u32;
            sorted.push(self.groups[old as usize]);
        }
        for group in &mut sorted {
            if let GroupName::StringsOf(owner) = &mut group.name {
                *owner = new_index[*owner] as usize;
            }
        }
        for group in self.group_of.iter_mut().filter(|of| **of != NO_GROUP) {
            *group = new_index[*group as usize];
        }
        self.groups = sorted;
        self.resized
            .sort_unstable_by(|a, b| b.1.cmp(&a.1).then(a.0.cmp(&b.0)));
        Ok(())
    }

    fn list_members(&mut self, tree: &ShortestPathTree) -> Result<(), BuildError> {
        self.starts = filled(self.groups.len() + 1, 0)?;
        let mut all = 0;
        for (start, group) in self.starts.iter_mut().zip(&self.groups) {
            *start = all;
            all += group.count;
        }
        self.starts[self.groups.len()] = all;
        self.members = filled(all as usize, NodeId::ROOT)?;
        let mut next: Vec<u32> = room(self.starts.len())?;
        next.extend_from_slice(&self.starts);
        for node in tree.ranks().map(|rank| tree.node(rank)) {
            if let Some(group) = self.group_of(node) {
                self.members[next[group] as usize] = node;
                next[group] += 1;
            }
        }
        Ok(())
    }

    fn estimate_retained(&mut self, dominators: &Dominators) -> Result<(), BuildError> {
        for at in 0..self.groups.len() {
            let members = self.members(at).iter().copied();
            self.groups[at].retained = dominators.retained_at_least(members)?.bytes;
        }
        Ok(())
    }
}

/// The state of grouping.
struct Grouping<'a> {
    grouped: Grouped<'a>,
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    groups: Groups,
    index: HashTable<u32>,
    /// By rank.
    pattern_of: Vec<PatternId>,
    classes: Classes,
}

impl<'a> Grouping<'a> {
    fn new(grouped: Grouped<'a>, given: &PatternSet) -> Result<Self, BuildError> {
        let Grouped { heap, tree, .. } = grouped;
        let mut map = PathMap::new(grouped, given)?;
        let classes = match grouped.is_difference() {
            true => Classes::default(),
            false => Classes::new(heap, tree, &mut map)?,
        };
        Ok(Grouping {
            grouped,
            heap,
            tree,
            groups: Groups {
                patterns: map.patterns,
                pattern_set: map.pattern_set,
                group_of: filled(heap.node_count(), NO_GROUP)?,
                ..Groups::default()
            },
            index: HashTable::new(),
            pattern_of: map.pattern_of,
            classes,
        })
    }

    /// Puts all objects but strings into groups.
    fn place_all(&mut self) -> Result<(), BuildError> {
        for rank in self.tree.ranks() {
            let node = self.tree.node(rank);
            if !self.grouped.is_member(node) {
                let change = self.grouped.change(node);
                if let Change::Grew(entries) | Change::Shrank(entries) = change {
                    push(&mut self.groups.resized, (rank, entries))?;
                }
            } else if self.heap.kind(node) != Kind::String {
                self.add(rank, self.name(rank))?;
            }
        }
        Ok(())
    }

    /// Puts strings into groups by their immediate dominators.
    fn place_strings(&mut self) -> Result<(), BuildError> {
        // The registry dominates the whole program, which says nothing.
        let registry = PathStarts::of(self.heap).registry();
        for rank in self.tree.ranks() {
            let node = self.tree.node(rank);
            if self.heap.kind(node) == Kind::String && self.grouped.is_member(node) {
                let owner = self.grouped.dominators.immediate(node);
                let owner = owner.filter(|owner| Some(*owner) != registry);
                let name = match owner.and_then(|owner| self.groups.group_of(owner)) {
                    Some(owner) => GroupName::StringsOf(owner),
                    None => GroupName::SharedStrings,
                };
                self.add(rank, name)?;
            }
        }
        Ok(())
    }

    /// Returns the name of an object's group.
    fn name(&self, rank: Rank) -> GroupName {
        let node = self.tree.node(rank);
        let code = |function: NodeId| GroupName::Code {
            source: self.heap.source_id(function),
            line: self.heap.count(function),
        };
        let name = match self.heap.kind(node) {
            Kind::LuaFunction | Kind::Prototype => Some(code(node)),
            Kind::Thread => match self.heap.coroutine(node) {
                Some(state) => Some(GroupName::Coroutine(state.into())),
                None => coroutine_body(self.heap, node)
                    .filter(|body| self.heap.kind(*body) == Kind::LuaFunction)
                    .map(code),
            },
            _ => self.classes.of(self.heap, node).map(GroupName::Class),
        };
        name.unwrap_or(GroupName::HeldBy(self.pattern_of[rank.index()]))
    }

    /// Counts an object in its group.
    fn add(&mut self, rank: Rank, name: GroupName) -> Result<(), BuildError> {
        let node = self.tree.node(rank);
        let pattern = self.pattern_of[rank.index()];
        let at = self.group(rank, name)?;
        let group = &mut self.groups.groups[at as usize];
        group.count += 1;
        group.shallow = group.shallow.saturating_add(self.heap.size(node));
        // Strings have only their owner in common: a much larger one shows better what takes the memory.
        let example = self.heap.size(self.tree.node(group.example));
        if group.kind == Kind::String && self.heap.size(node) > example.saturating_mul(2) {
            group.example = rank;
        }
        group.has_one_pattern &= group.pattern == pattern;
        self.groups.group_of[node.index()] = at;
        Ok(())
    }

    /// Returns the group of an object, which is made if it is new.
    fn group(&mut self, rank: Rank, name: GroupName) -> Result<u32, BuildError> {
        let kind = self.heap.kind(self.tree.node(rank));
        let code = hash(kind, name);
        let groups = &self.groups.groups;
        let same = |&at: &u32| {
            let group = &groups[at as usize];
            group.kind == kind && group.name == name
        };
        if let Some(&at) = self.index.find(code, same) {
            return Ok(at);
        }
        let fingerprint = self.fingerprint(kind, name);
        let groups = &mut self.groups.groups;
        let new = groups.len() as u32;
        push(
            groups,
            Group {
                name,
                kind,
                pattern: self.pattern_of[rank.index()],
                has_one_pattern: true,
                count: 0,
                shallow: 0,
                retained: 0,
                example: rank,
                fingerprint,
            },
        )?;
        let of = |&at: &u32| hash(groups[at as usize].kind, groups[at as usize].name);
        let reserved = self.index.try_reserve(1, of);
        reserved.map_err(|_| BuildError::OutOfMemory)?;
        self.index.insert_unique(code, new, of);
        Ok(new)
    }

    fn fingerprint(&self, kind: Kind, name: GroupName) -> Fingerprint {
        let hasher = FingerprintHasher::new("group").kind(kind);
        let hasher = match name {
            GroupName::HeldBy(pattern) => hasher
                .text(b"held by")
                .number(self.groups.patterns.fingerprint(pattern).0),
            GroupName::Class(ClassName::Own(name)) => {
                hasher.text(b"class").text(self.heap.name(name))
            }
            GroupName::Class(ClassName::HeldBy(pattern)) => hasher
                .text(b"class held by")
                .number(self.groups.patterns.fingerprint(pattern).0),
            GroupName::Code { source, line } => hasher
                .text(b"code")
                .text(self.heap.name(source))
                .number(line.into()),
            GroupName::Coroutine(name) => name.add_to(hasher, self.heap),
            GroupName::StringsOf(owner) => hasher
                .text(b"strings of")
                .number(self.groups.groups[owner].fingerprint.0),
            GroupName::SharedStrings => hasher.text(b"shared strings"),
        };
        hasher.finish()
    }
}

fn hash(kind: Kind, name: GroupName) -> u64 {
    let (tag, a, b) = match name {
        GroupName::HeldBy(pattern) => (0, pattern.0.into(), 0),
        GroupName::Class(ClassName::Own(name)) => (1, name.0.into(), 0),
        GroupName::Class(ClassName::HeldBy(pattern)) => (2, pattern.0.into(), 0),
        GroupName::Code { source, line } => (3, source.0.into(), line.into()),
        GroupName::Coroutine(name) => {
            let place = (name.place.source.0, name.place.line);
            let at = (name.status as u64, name.caller.line);
            (
                6,
                mix(place.0.into(), place.1.into()),
                mix(at.0, at.1.into()),
            )
        }
        GroupName::StringsOf(owner) => (4, owner as u64, 0),
        GroupName::SharedStrings => (5, 0, 0),
    };
    mix(mix(mix(kind as u64, tag), a), b)
}
