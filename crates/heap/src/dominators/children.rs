//! The children of every node in the dominator tree, largest retained size first, and members of one group as one
//! where there are many.

use crate::dominators::dominator_tree::Dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, push, room};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::tally::Tally;
use crate::reach::rank_index::RankIndex;
use std::cmp::Reverse;
use std::ops::Range;

/// The children of every node in the dominator tree: the nodes whose [immediate](Dominators::immediate) dominator it
/// is. [`Dominators::children`] has them in the order of places; here those that retain most come first, so that
/// the first page of ten million is there at once.
///
/// Where many children of one node are of one group, they are a [`ChildFold`].
///
/// # Examples
///
/// ```
/// use luasnap_heap::{DominatorChildren, Dominators, HeapBuilder, Kind, Label, NodeId};
/// use luasnap_heap::{RankIndex, ShortestPathTree, Strength};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // `_G` has two tables of 100 and 200 bytes.
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let name = builder.name(b"_G")?;
/// builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
/// let (small, _) = builder.node(Kind::Table, 0x20)?;
/// let (large, _) = builder.node(Kind::Table, 0x30)?;
/// for (table, size) in [(small, 100), (large, 200)] {
///     builder.set_size(table, size);
///     builder.edge(globals, table, Label::Index(size as i64), Strength::Strong)?;
/// }
/// let heap = builder.finish()?;
/// let dominators = Dominators::new(&heap)?;
/// let ranks = RankIndex::new(&heap, &ShortestPathTree::new(&heap)?)?;
/// let children = DominatorChildren::new(&heap, &dominators, &ranks, |_| None)?;
/// assert_eq!(children.rest(&dominators, globals), [large, small]);
/// assert!(children.folds(&dominators, globals).is_empty());
/// # Ok(())
/// # }
/// ```
#[derive(Clone, Debug, Default)]
pub struct DominatorChildren {
    /// By place: where its children begin in `nodes`, and the end of the last one's.
    starts: Vec<u32>,
    /// The children of the first place, then those of the next. Of each place the members of folds come first.
    nodes: Vec<NodeId>,
    /// In the order of `nodes`.
    folds: Vec<ChildFold>,
}

/// Many children of one node that are of one group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct ChildFold {
    /// The group, as it was given.
    pub group: usize,
    /// The number of members.
    pub count: u32,
    /// What they retain. Siblings share nothing, so this is the sum of what each retains.
    pub retained: Tally,
    /// The sum of their shallow sizes, in bytes.
    pub shallow: u64,
    /// Where they begin in the column of children.
    first: u32,
}

/// A child on its way into its place.
#[derive(Clone, Copy)]
struct Child {
    group: u32,
    bytes: u64,
    rank: u32,
    place: u32,
}

impl DominatorChildren {
    /// So many children of one group are many.
    pub const MANY: usize = 8;

    const NO_GROUP: u32 = u32::MAX;

    /// Finds the children of all nodes of a tree, and folds those for which `group_of` returns the same. Of those that
    /// retain as much, the first by rank come first.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn new(
        heap: &Heap,
        dominators: &Dominators,
        ranks: &RankIndex,
        group_of: impl Fn(NodeId) -> Option<usize>,
    ) -> Result<DominatorChildren, BuildError> {
        let mut children = Self::by_place(dominators)?;
        let mut scratch = Vec::new();
        let mut found = Vec::new();
        let rank = |node: NodeId| ranks.rank(node).map_or(u32::MAX, |rank| rank.0);
        for place in 0..dominators.len() {
            let range = children.range(place as u32);
            if range.len() < Self::MANY {
                let key = |node: &NodeId| {
                    let bytes = dominators.retained(*node).bytes;
                    (Reverse(bytes), rank(*node))
                };
                children.nodes[range].sort_unstable_by_key(key);
                continue;
            }
            scratch.clear();
            scratch.try_reserve(range.len())?;
            for &node in &children.nodes[range.clone()] {
                scratch.push(Child {
                    group: group_of(node).map_or(Self::NO_GROUP, |group| group as u32),
                    bytes: dominators.retained(node).bytes,
                    rank: rank(node),
                    place: dominators.place(node).unwrap_or(0),
                });
            }
            found.clear();
            fold(&mut scratch, &mut found)?;
            children.lay_out(heap, dominators, range.start, &scratch, &found)?;
        }
        Ok(children)
    }

    /// Groups the nodes by their dominators.
    fn by_place(dominators: &Dominators) -> Result<DominatorChildren, BuildError> {
        let len = dominators.len();
        let mut starts = filled(len + 1, 0u32)?;
        for place in 1..len {
            starts[dominators.parent_at(place as u32) as usize] += 1;
        }
        let mut sum = 0;
        for start in &mut starts {
            (*start, sum) = (sum, sum + *start);
        }
        let mut nodes = filled(len.saturating_sub(1), NodeId::ROOT)?;
        for place in 1..len as u32 {
            let next = &mut starts[dominators.parent_at(place) as usize];
            nodes[*next as usize] = dominators.node_at(place);
            *next += 1;
        }
        // Each start has become the next one's.
        starts.rotate_right(1);
        starts[0] = 0;
        Ok(DominatorChildren {
            starts,
            nodes,
            folds: Vec::new(),
        })
    }

    /// Writes the children of a place: the members of folds, those that retain most first, then the rest.
    fn lay_out(
        &mut self,
        heap: &Heap,
        dominators: &Dominators,
        start: usize,
        sorted: &[Child],
        found: &[Range<usize>],
    ) -> Result<(), BuildError> {
        let first_fold = self.folds.len();
        for run in found {
            let mut fold = ChildFold {
                group: sorted[run.start].group as usize,
                count: run.len() as u32,
                retained: Tally::default(),
                shallow: 0,
                first: run.start as u32,
            };
            for child in &sorted[run.clone()] {
                let node = dominators.node_at(child.place);
                fold.retained = Tally::sum([fold.retained, dominators.retained(node)].into_iter());
                fold.shallow = fold.shallow.saturating_add(heap.size(node));
            }
            push(&mut self.folds, fold)?;
        }
        self.folds[first_fold..].sort_by_key(|fold| Reverse(fold.retained.bytes));
        let mut at = start;
        let mut put = |nodes: &mut [NodeId], children: &[Child]| {
            for child in children {
                nodes[at] = dominators.node_at(child.place);
                at += 1;
            }
        };
        let mut next = start as u32;
        for fold in &mut self.folds[first_fold..] {
            let from = fold.first as usize;
            put(&mut self.nodes, &sorted[from..from + fold.count as usize]);
            fold.first = next;
            next += fold.count;
        }
        let mut rest = room(sorted.len() - (next as usize - start))?;
        let mut end = 0;
        for run in found {
            rest.extend_from_slice(&sorted[end..run.start]);
            end = run.end;
        }
        rest.extend_from_slice(&sorted[end..]);
        rest.sort_unstable_by_key(|child| (Reverse(child.bytes), child.rank));
        put(&mut self.nodes, &rest);
        Ok(())
    }

    fn range(&self, place: u32) -> Range<usize> {
        let at = place as usize;
        self.starts[at] as usize..self.starts[at + 1] as usize
    }

    /// Returns the indices of the folds of a place.
    fn folds_at(&self, place: u32) -> Range<usize> {
        let range = self.range(place);
        let before = |end: usize| {
            self.folds
                .partition_point(|fold| (fold.first as usize) < end)
        };
        before(range.start)..before(range.end)
    }

    /// Returns the indices of the folds among the children of a node, those that retain most first. Empty for
    /// unreachable nodes.
    pub fn folds(&self, dominators: &Dominators, node: NodeId) -> Range<usize> {
        let place = dominators.place(node);
        place.map_or(0..0, |place| self.folds_at(place))
    }

    /// Returns the fold with this index.
    pub fn fold(&self, index: usize) -> &ChildFold {
        &self.folds[index]
    }

    /// Returns the members of the fold with this index, those that retain most first.
    pub fn members(&self, fold: usize) -> &[NodeId] {
        let fold = &self.folds[fold];
        &self.nodes[fold.first as usize..(fold.first + fold.count) as usize]
    }

    /// Returns the children of a node that are in no fold, those that retain most first. Empty for unreachable
    /// nodes.
    pub fn rest(&self, dominators: &Dominators, node: NodeId) -> &[NodeId] {
        let Some(place) = dominators.place(node) else {
            return &[];
        };
        let range = self.range(place);
        let last = self.folds[self.folds_at(place)].last();
        let start = last.map_or(range.start, |fold| (fold.first + fold.count) as usize);
        &self.nodes[start..range.end]
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        held(&self.starts) + held(&self.nodes) + held(&self.folds)
    }
}

/// Sorts children by group and retained size, and finds the groups of many.
fn fold(children: &mut [Child], found: &mut Vec<Range<usize>>) -> Result<(), BuildError> {
    children.sort_unstable_by_key(|child| (child.group, Reverse(child.bytes), child.rank));
    let mut start = 0;
    for run in children.chunk_by(|a, b| a.group == b.group) {
        let is_group = run[0].group != DominatorChildren::NO_GROUP;
        if is_group && run.len() >= DominatorChildren::MANY {
            push(found, start..start + run.len())?;
        }
        start += run.len();
    }
    Ok(())
}
