//! Who owns a string: the groups of the objects that refer to it.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::reach::shortest_path_tree::ShortestPathTree;
use rustc_hash::FxHashMap;

/// The most groups that own a string together. With more of them it is nobody's.
pub const MAX_OWNERS: usize = 3;

/// A few groups that own strings together, as a position in a list of such sets.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
#[repr(transparent)]
pub struct OwnerGroupsId(pub u32);

/// Indices of groups, in the order in which the tree comes to them.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug, Default)]
pub(crate) struct OwnerGroups {
    groups: [u32; MAX_OWNERS],
    len: u32,
}

impl OwnerGroups {
    /// Returns the set of at most [`MAX_OWNERS`] groups.
    pub(crate) fn new(groups: &[u32]) -> OwnerGroups {
        let mut set = OwnerGroups::default();
        for (place, group) in set.groups.iter_mut().zip(groups) {
            *place = *group;
            set.len += 1;
        }
        set
    }

    #[inline]
    fn contains(self, group: u32) -> bool {
        self.groups()[..].contains(&group)
    }

    pub(crate) fn groups(&self) -> &[u32] {
        &self.groups[..self.len as usize]
    }

    pub(crate) fn groups_mut(&mut self) -> &mut [u32] {
        &mut self.groups[..self.len as usize]
    }

    /// Returns the set with one more group; `None` if that is more than [`MAX_OWNERS`].
    pub(super) fn with(mut self, group: u32) -> Option<OwnerGroups> {
        let len = self.len as usize;
        *self.groups.get_mut(len)? = group;
        self.len += 1;
        self.groups[..=len].sort_unstable();
        Some(self)
    }
}

/// The owners of all strings.
///
/// A string that code has as a constant belongs to the code: it would stay without all tables. Slots of stacks
/// own a string only if nothing else does.
#[derive(Debug, Default)]
pub(crate) struct StringOwners {
    /// By node: [`NONE`], [`MANY`] or the position of a set, with [`FINAL`] once it does not change any more.
    of: Vec<u32>,
    pub(crate) sets: Vec<OwnerGroups>,
    positions: FxHashMap<OwnerGroups, u32>,
    /// The set with one more group, by set and group.
    larger: FxHashMap<(u32, u32), u32>,
}

const NONE: u32 = 0;
const MANY: u32 = 1;
const FINAL: u32 = 1 << 31;

/// Which objects are asked: each sort of owner counts only where those before have nothing.
const RANKS: [fn(Kind) -> bool; 3] = [
    |kind| kind == Kind::Prototype,
    |kind| !matches!(kind, Kind::Prototype | Kind::Thread | Kind::Snapshot),
    |kind| kind == Kind::Thread,
];

impl StringOwners {
    /// Finds the owners of all strings. `group_of` returns the group of an object that is not a string.
    ///
    /// Takes up to three passes over the references.
    pub(crate) fn new(
        heap: &Heap,
        tree: &ShortestPathTree,
        group_of: impl Fn(NodeId) -> Option<usize>,
    ) -> Result<StringOwners, BuildError> {
        let mut owners = StringOwners {
            of: filled(heap.node_count(), NONE)?,
            ..StringOwners::default()
        };
        // Two positions that stand for no set.
        for _ in [NONE, MANY] {
            push(&mut owners.sets, OwnerGroups::default())?;
        }
        for is_asked in RANKS {
            for source in heap.nodes().filter(|&node| is_asked(heap.kind(node))) {
                if source != NodeId::ROOT && !tree.contains(source) {
                    continue;
                }
                let group = group_of(source);
                for edge in heap.edge_range(source) {
                    let string = heap.target(edge);
                    if heap.kind(string) == Kind::String && !heap.strength(edge).is_weak() {
                        owners.add(string, group)?;
                    }
                }
            }
            for of in owners.of.iter_mut().filter(|of| **of != NONE) {
                *of |= FINAL;
            }
        }
        Ok(owners)
    }

    /// Returns what is known of a string, to be read ahead.
    #[inline]
    pub(crate) fn known(&self, string: NodeId) -> u32 {
        self.of[string.index()]
    }

    /// Returns the groups that own a string; `None` if it is nobody's.
    pub(crate) fn of(&self, string: NodeId) -> Option<OwnerGroupsId> {
        match self.of[string.index()] & !FINAL {
            NONE | MANY => None,
            set => Some(OwnerGroupsId(set)),
        }
    }

    #[inline]
    fn add(&mut self, string: NodeId, group: Option<usize>) -> Result<(), BuildError> {
        let of = self.of[string.index()];
        if of & FINAL != 0 || of == MANY {
            return Ok(());
        }
        // What the VM itself keeps belongs to nobody.
        let Some(group) = group else {
            self.of[string.index()] = MANY;
            return Ok(());
        };
        let group = group as u32;
        if of == NONE || !self.sets[of as usize].contains(group) {
            self.of[string.index()] = self.larger(of, group)?;
        }
        Ok(())
    }

    /// Returns the set of `set` and one more group.
    fn larger(&mut self, set: u32, group: u32) -> Result<u32, BuildError> {
        if let Some(&known) = self.larger.get(&(set, group)) {
            return Ok(known);
        }
        let found = match self.sets[set as usize].with(group) {
            None => MANY,
            Some(owners) => self.position(owners)?,
        };
        self.larger.try_reserve(1)?;
        self.larger.insert((set, group), found);
        Ok(found)
    }

    fn position(&mut self, owners: OwnerGroups) -> Result<u32, BuildError> {
        if let Some(&known) = self.positions.get(&owners) {
            return Ok(known);
        }
        let new = self.sets.len() as u32;
        push(&mut self.sets, owners)?;
        self.positions.try_reserve(1)?;
        self.positions.insert(owners, new);
        Ok(new)
    }
}
