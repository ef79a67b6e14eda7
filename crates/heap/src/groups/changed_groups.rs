//! The groups of a difference: what is new or gone in each, and which of its objects changed their size.

use crate::graph::fallible_vec::held;
use crate::graph::heap::Heap;
use crate::groups::group::Groups;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};

/// The groups that changed between two snapshots, of all kinds of objects.
///
/// They have the names that they have in the snapshot that has more. [`heap`](Self::heap) is an excerpt of that
/// snapshot with their examples and the paths to these, and nothing else, so it is small.
#[derive(Debug)]
pub struct ChangedGroups {
    pub(crate) heap: Heap,
    pub(crate) tree: ShortestPathTree,
    pub(crate) groups: Groups,
    pub(crate) resized: Vec<Resized>,
    pub(crate) is_decrease: bool,
}

/// The tables of a group that grew, or that shrank.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Resized {
    /// The index of the group.
    pub group: usize,
    /// The number of them.
    pub objects: u64,
    /// By how many entries they grew or shrank together.
    pub entries: u64,
    /// By how many bytes they grew or shrank.
    pub bytes: u64,
    /// The number of entries that they have in the later snapshot.
    pub entries_now: u64,
    /// The bytes that they have in the later snapshot.
    pub bytes_now: u64,
    /// The one whose size changed most.
    pub example: Rank,
}

impl ChangedGroups {
    /// Returns the heap of the examples.
    pub fn heap(&self) -> &Heap {
        &self.heap
    }

    /// Returns the shortest paths to the examples.
    pub fn tree(&self) -> &ShortestPathTree {
        &self.tree
    }

    /// Returns the groups, the largest first. Their counts and sizes are those of what is new or gone; a group
    /// without any may be the owner of others, or have [changed its size](Self::resized). Retained sizes are
    /// those of what is new or gone, in the snapshot that has it: exact for 32 of the largest groups and as many
    /// that retain most, lower bounds for all others. There are no members.
    pub fn groups(&self) -> &Groups {
        &self.groups
    }

    /// Whether it is what the later snapshot has no more.
    pub fn is_decrease(&self) -> bool {
        self.is_decrease
    }

    /// Returns what grew or shrank, by bytes and entries, most first.
    pub fn resized(&self) -> &[Resized] {
        &self.resized
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.heap.memory() + self.tree.memory() + self.groups.memory() + held(&self.resized)
    }
}
