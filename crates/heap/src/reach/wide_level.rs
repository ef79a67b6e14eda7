//! A level of the tree of shortest paths whose objects are followed in the order of memory.
//!
//! The VM's lists have their newest objects first, and what was made together lies together. In the order of ranks,
//! which is that of names, each object would be fetched from elsewhere.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::label_order::{LabelOrder, in_order};
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::strength::Strength;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::reach::weak_step::WeakSteps;
use std::ops::Range;

/// What is known of one level and of the next one.
///
/// What the objects of a level refer to and what was not found yet is the next level. There the parent of an object is
/// the one with the lowest rank, however late that is looked at. Once all parents are known, so is where each one's
/// children begin, and a second pass numbers them.
#[derive(Default)]
pub(super) struct WideLevel {
    /// The level's objects, ...
    level: NodeSet,
    /// ... and their ranks.
    ranks: Range<u32>,
    /// The objects of the next level that were found.
    found: NodeSet,
    /// By node: the rank of one in the level, or that of the parent of one in the next, until that has its own. Empty until
    /// a level is wide.
    rank_of: Vec<u32>,
    /// By rank in the level: how many children it has, then the rank of the first.
    children: Vec<u32>,
    /// The edges to the children of one object.
    edges: Vec<u32>,
    order: LabelOrder,
    /// Weak steps that led to nothing known.
    weak: Vec<(Rank, u32)>,
    /// All tables with ephemerons; `None` if there are none.
    ephemeron_tables: Option<NodeSet>,
}

impl WideLevel {
    pub(super) fn new(heap: &Heap) -> Result<WideLevel, BuildError> {
        let mut wide = WideLevel::default();
        if heap.has_ephemerons() {
            let mut tables = NodeSet::with_room_for(heap.node_count())?;
            for node in heap.nodes() {
                let mut edges = heap.edge_range(node);
                if edges.any(|edge| heap.strength(edge) == Strength::Ephemeron) {
                    tables.insert(node);
                }
            }
            wide.ephemeron_tables = Some(tables);
        }
        Ok(wide)
    }

    /// Begins with a level, the objects with these ranks.
    pub(super) fn begin(
        &mut self,
        heap: &Heap,
        tree: &ShortestPathTree,
        ranks: Range<u32>,
    ) -> Result<(), BuildError> {
        if self.rank_of.is_empty() {
            self.rank_of = filled(heap.node_count(), 0)?;
            self.level = NodeSet::with_room_for(heap.node_count())?;
            self.found = NodeSet::with_room_for(heap.node_count())?;
        }
        // The level before it has left it here, if it was wide.
        if self.ranks != ranks {
            self.level.clear();
            for rank in ranks.clone() {
                let node = tree.node(Rank(rank));
                self.level.insert(node);
                self.rank_of[node.index()] = rank;
            }
            self.ranks = ranks;
        }
        self.found.clear();
        Ok(())
    }

    /// Whether some object of the level has ephemerons.
    pub(super) fn has_ephemerons(&self) -> bool {
        let tables = self.ephemeron_tables.as_ref();
        tables.is_some_and(|tables| tables.intersects(&self.level))
    }

    /// Adds all that the objects of a level refer to and that was not found yet to the tree, but for what only weak
    /// steps lead to.
    pub(super) fn expand(
        &mut self,
        heap: &Heap,
        tree: &mut ShortestPathTree,
        ranks: Range<u32>,
        weak_steps: WeakSteps,
    ) -> Result<(), BuildError> {
        self.children.clear();
        self.children.try_reserve(ranks.len())?;
        self.children.resize(ranks.len(), 0);
        let mut next = self.level.last_below(NodeId(heap.node_count() as u32));
        while let Some(source) = next {
            self.find_children(heap, tree, source, weak_steps)?;
            next = self.level.last_below(source);
        }
        let first = tree.len() as u32;
        let mut end = first;
        for children in &mut self.children {
            end += std::mem::replace(children, end);
        }
        // Room for all nodes is reserved.
        tree.nodes.resize(end as usize, NodeId::ROOT);
        tree.parents.resize(end as usize, Rank::ROOT);
        tree.edges.resize(end as usize, 0);
        let mut next = self.level.last_below(NodeId(heap.node_count() as u32));
        while let Some(source) = next {
            self.number_children(heap, tree, source, end, weak_steps)?;
            next = self.level.last_below(source);
        }
        std::mem::swap(&mut self.level, &mut self.found);
        self.ranks = first..end;
        Ok(())
    }

    /// Returns the weak steps that led to nothing known, as sources and edges, in the order of their sources.
    pub(super) fn take_weak(&mut self) -> Result<Vec<(Rank, u32)>, BuildError> {
        let mut weak = std::mem::take(&mut self.weak);
        sort_by_number(&mut weak, |(source, _)| u64::from(source.0))?;
        Ok(weak)
    }

    /// Finds what one object refers to.
    #[inline]
    fn find_children(
        &mut self,
        heap: &Heap,
        tree: &mut ShortestPathTree,
        source: NodeId,
        weak_steps: WeakSteps,
    ) -> Result<(), BuildError> {
        let rank = self.rank_of[source.index()];
        let may_be_weak = weak_steps.may_start_at(heap, source);
        for edge in heap.edge_range(source) {
            if heap.strength(edge) != Strength::Strong {
                continue;
            }
            let target = heap.target(edge);
            if may_be_weak && weak_steps.weight(heap, source, edge) > 0 {
                if !tree.contains(target) {
                    push(&mut self.weak, (Rank(rank), edge as u32))?;
                }
                continue;
            }
            if tree.reached.insert(target) {
                if target != NodeId::ROOT {
                    self.found.insert(target);
                    self.set_parent(target, rank);
                }
            } else if self.found.contains(target) {
                let known = self.rank_of[target.index()];
                if rank < known {
                    self.children[(known - self.ranks.start) as usize] -= 1;
                    self.set_parent(target, rank);
                }
            }
        }
        Ok(())
    }

    #[inline]
    fn set_parent(&mut self, node: NodeId, parent: u32) {
        self.rank_of[node.index()] = parent;
        self.children[(parent - self.ranks.start) as usize] += 1;
    }

    /// Numbers the children of one object in canonical order. `end` is behind all ranks of the next level.
    #[inline]
    fn number_children(
        &mut self,
        heap: &Heap,
        tree: &mut ShortestPathTree,
        source: NodeId,
        end: u32,
        weak_steps: WeakSteps,
    ) -> Result<(), BuildError> {
        let parent = self.rank_of[source.index()];
        let at = (parent - self.ranks.start) as usize;
        let first = self.children[at];
        let count = self.children.get(at + 1).copied().unwrap_or(end) - first;
        if count == 0 {
            return Ok(());
        }
        self.edges.clear();
        let may_be_weak = weak_steps.may_start_at(heap, source);
        let mut is_sorted = true;
        for edge in heap.edge_range(source) {
            let target = heap.target(edge);
            if !self.found.contains(target)
                || self.rank_of[target.index()] != parent
                || heap.strength(edge) != Strength::Strong
                || may_be_weak && weak_steps.weight(heap, source, edge) > 0
            {
                continue;
            }
            let edge = edge as u32;
            let last = self.edges.last();
            is_sorted = is_sorted && last.is_none_or(|&last| in_order(heap, last, edge));
            push(&mut self.edges, edge)?;
        }
        if !is_sorted {
            self.order.sort(heap, &mut self.edges)?;
        }
        let mut rank = first;
        for &edge in &self.edges {
            let node = heap.target(edge as usize);
            // Of several references to a child, the first in canonical order is its step.
            if self.rank_of[node.index()] != parent {
                continue;
            }
            tree.nodes[rank as usize] = node;
            tree.parents[rank as usize] = Rank(parent);
            tree.edges[rank as usize] = edge;
            self.rank_of[node.index()] = rank;
            rank += 1;
        }
        Ok(())
    }
}
