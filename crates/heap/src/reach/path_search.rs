//! The search for the shortest paths: breadth-first, weak steps last.
//!
//! Few objects are followed in the order of their ranks. A level with many is followed in the order of memory, in which
//! an object and what it holds lie together: see [`WideLevel`].

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{push, room};
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::label_order::{LabelOrder, in_order};
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::strength::Strength;
use crate::reach::environments::{self, Chunks};
use crate::reach::ephemeron::Waiting;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use crate::reach::weak_step::WeakSteps;
use crate::reach::wide_level::WideLevel;
use std::ops::Range;

impl ShortestPathTree {
    /// Finds the best paths to everything that a heap's GC roots keep alive: those with the fewest
    /// [weak steps](WeakSteps), among these the shortest, among these the first in canonical order.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn new(heap: &Heap) -> Result<ShortestPathTree, BuildError> {
        Self::with_wide_levels(heap, heap.node_count() / WIDE_PART)
    }

    /// Finds the paths. Levels with as many objects are followed in the order of memory.
    pub(crate) fn with_wide_levels(
        heap: &Heap,
        least: usize,
    ) -> Result<ShortestPathTree, BuildError> {
        let mut tree = Self::search(heap, least)?;
        tree.environments = environments::path_starts(heap, &tree)?;
        tree.index_children()?;
        tree.count_refs(heap)?;
        Ok(tree)
    }

    /// Finds the paths alone, without [references](Self::refs) and without an index of [children](Self::children),
    /// which are then searched for: 8 bytes less for each object.
    pub(crate) fn paths_alone(heap: &Heap) -> Result<ShortestPathTree, BuildError> {
        let mut tree = Self::search(heap, heap.node_count() / WIDE_PART)?;
        tree.environments = environments::path_starts(heap, &tree)?;
        Ok(tree)
    }

    /// Finds the paths in a part of a heap, all of which has these environments of code. References are not counted.
    pub(crate) fn of_part(heap: &Heap, chunks: &Chunks) -> Result<ShortestPathTree, BuildError> {
        let mut tree = Self::search(heap, heap.node_count() / WIDE_PART)?;
        tree.environments = environments::starts_among(heap, &tree, chunks)?;
        tree.index_children()?;
        Ok(tree)
    }

    fn search(heap: &Heap, least_wide: usize) -> Result<ShortestPathTree, BuildError> {
        let (mut tree, late) = Search::found(heap, least_wide)?;
        if let Some(late) = &late {
            renumber(heap, &mut tree, late)?;
        }
        Ok(tree)
    }

    pub(super) fn with_room(nodes: usize) -> Result<ShortestPathTree, BuildError> {
        Ok(ShortestPathTree {
            nodes: room(nodes)?,
            parents: room(nodes)?,
            edges: room(nodes)?,
            ..ShortestPathTree::default()
        })
    }

    #[inline]
    fn add(&mut self, node: NodeId, parent: Rank, edge: u32) {
        self.nodes.push(node);
        self.parents.push(parent);
        self.edges.push(edge);
    }
}

/// Levels with this part of all nodes, or more, are wide: 1 / 64. Going through the bits of all nodes then takes less
/// than following the references of those of the level.
const WIDE_PART: usize = 64;

/// The memory for so many candidates is kept for the next object.
const KEPT: usize = 1 << 16;

/// The breadth-first search. Its queue is the tree's own list of nodes.
struct Search<'a> {
    heap: &'a Heap,
    tree: ShortestPathTree,
    /// Edges of the current node that may lead to new nodes.
    candidates: Vec<u32>,
    order: LabelOrder,
    /// Ephemerons that wait for their key: the rank of the table, and the edge to the value.
    waiting: Waiting<(Rank, u32)>,
    weak_steps: WeakSteps,
    /// The number of weak steps on the paths that are being found, as a position in `postponed`.
    weakness: usize,
    /// References that are weak steps, by the number of weak steps of the paths through them.
    postponed: [Vec<Postponed>; WeakSteps::MAX_WEIGHT + 1],
    /// The next of those whose turn it is.
    next_postponed: usize,
    /// The first rank of each level that was begun, and the level's depth.
    levels: Vec<(u32, u32)>,
    /// The objects of which a child was found after other objects' children; `None` if there is no such.
    late: Option<NodeSet>,
    wide: WideLevel,
    /// The fewest objects of a wide level.
    least_wide: usize,
}

/// A weak step that is taken once nothing else is left to find with as few weak steps.
#[derive(Clone, Copy)]
struct Postponed {
    /// The number of steps to its source.
    depth: u32,
    /// How many were postponed before it, of those whose turn is the same.
    number: u32,
    source: Rank,
    edge: u32,
}

impl<'a> Search<'a> {
    /// Returns the tree, and the objects of which a child was found late. All else is freed.
    fn found(
        heap: &'a Heap,
        least_wide: usize,
    ) -> Result<(ShortestPathTree, Option<NodeSet>), BuildError> {
        let mut search = Search::new(heap, least_wide)?;
        search.run()?;
        Ok((search.tree, search.late))
    }

    fn new(heap: &'a Heap, least_wide: usize) -> Result<Self, BuildError> {
        let mut tree = ShortestPathTree::with_room(heap.node_count())?;
        tree.reached = NodeSet::with_room_for(heap.node_count())?;
        Ok(Search {
            heap,
            tree,
            candidates: Vec::new(),
            order: LabelOrder::default(),
            waiting: Waiting::default(),
            weak_steps: WeakSteps::of(heap),
            weakness: 0,
            postponed: [const { Vec::new() }; WeakSteps::MAX_WEIGHT + 1],
            next_postponed: 0,
            levels: Vec::new(),
            late: None,
            wide: WideLevel::new(heap)?,
            least_wide,
        })
    }

    fn run(&mut self) -> Result<(), BuildError> {
        let roots = self.heap.root_range();
        let first = roots
            .clone()
            .find(|&edge| !self.heap.strength(edge).is_weak());
        let Some(first) = first else {
            return Ok(());
        };
        self.reach(Rank::ROOT, first as u32);
        self.begin_level(1, 1)?;
        let root = self.tree.node(Rank::ROOT);
        self.expand(Rank::ROOT, root, 0, self.heap.edge_range(root))?;
        self.expand(Rank::ROOT, NodeId::ROOT, 0, first + 1..roots.end)?;
        let (mut at, mut level) = (1, 0);
        loop {
            if at == self.tree.len() && !self.follow_next_postponed()? {
                break;
            }
            while level + 1 < self.levels.len() && self.levels[level + 1].0 as usize <= at {
                level += 1;
            }
            let (start, depth) = self.levels[level];
            // Nothing of the next level is known yet.
            let whole = start..self.tree.len() as u32;
            self.follow_postponed(depth)?;
            if start as usize == at && self.is_wide(whole.clone())? {
                at = whole.end as usize;
                self.begin_level(self.tree.len(), depth + 1)?;
                self.expand_level(whole, depth)?;
                continue;
            }
            let rank = Rank(at as u32);
            let node = self.tree.node(rank);
            self.read_ahead(at);
            self.begin_level(self.tree.len(), depth + 1)?;
            self.release(node)?;
            self.expand(rank, node, depth, self.heap.edge_range(node))?;
            at += 1;
        }
        Ok(())
    }

    /// Notes that objects found from now on have this depth, which never falls while the number of weak
    /// steps is the same.
    #[inline]
    fn begin_level(&mut self, first: usize, depth: u32) -> Result<(), BuildError> {
        match self.levels.last_mut() {
            Some((_, last)) if *last == depth => Ok(()),
            // Nothing was found at that depth.
            Some((start, last)) if *start as usize == first => {
                *last = depth;
                Ok(())
            }
            _ => push(&mut self.levels, (first as u32, depth)),
        }
    }

    /// Takes the weak steps from objects at this depth or above, so that what they lead to has its
    /// place in the queue.
    #[inline]
    fn follow_postponed(&mut self, depth: u32) -> Result<(), BuildError> {
        while let Some(&step) = self.postponed[self.weakness].get(self.next_postponed)
            && step.depth <= depth
        {
            self.next_postponed += 1;
            self.begin_level(self.tree.len(), step.depth + 1)?;
            if self.reach(step.source, step.edge) {
                self.note_late(step.source)?;
            }
        }
        Ok(())
    }

    /// Notes that a child of this object was found after other objects' children.
    fn note_late(&mut self, parent: Rank) -> Result<(), BuildError> {
        let parent = self.tree.node(parent);
        if let Some(late) = &mut self.late {
            late.insert(parent);
            return Ok(());
        }
        let mut late = NodeSet::with_room_for(self.heap.node_count())?;
        late.insert(parent);
        self.late = Some(late);
        Ok(())
    }

    /// Takes the next weak steps, of paths with as few of them as possible. Returns whether any led to an
    /// object that was not found yet.
    fn follow_next_postponed(&mut self) -> Result<bool, BuildError> {
        let found = self.tree.len();
        loop {
            let next = self.postponed[self.weakness].get(self.next_postponed);
            if let Some(&Postponed { depth, .. }) = next {
                self.follow_postponed(depth)?;
                if self.tree.len() > found {
                    return Ok(true);
                }
                continue;
            }
            self.postponed[self.weakness].clear();
            self.next_postponed = 0;
            self.weakness = (self.weakness + 1) % self.postponed.len();
            if self.postponed.iter().all(Vec::is_empty) {
                return Ok(false);
            }
            // Those of weight 2 were postponed before those of weight 1.
            let turn = &mut self.postponed[self.weakness];
            let order = |step: &Postponed| u64::from(step.depth) << 32 | u64::from(step.number);
            sort_by_number(turn, order)?;
        }
    }

    /// Prefetches what the nodes in the queue will need.
    #[inline]
    fn read_ahead(&self, at: usize) {
        self.heap.prefetch_queued(
            |distance| self.tree.nodes.get(at + distance).copied(),
            |target| self.tree.reached.prefetch(target),
        );
    }

    /// Follows the references of one object, in canonical order if it matters.
    #[inline(never)]
    fn expand(
        &mut self,
        rank: Rank,
        source: NodeId,
        depth: u32,
        edges: Range<usize>,
    ) -> Result<(), BuildError> {
        self.follow_all(rank, source, depth, edges)?;
        if self.candidates.capacity() > KEPT {
            self.candidates = Vec::new();
        }
        Ok(())
    }

    fn follow_all(
        &mut self,
        rank: Rank,
        source: NodeId,
        depth: u32,
        edges: Range<usize>,
    ) -> Result<(), BuildError> {
        let heap = self.heap;
        self.candidates.clear();
        let mut sorted = true;
        for edge in edges {
            let strength = heap.strength(edge);
            let is_new = || !self.tree.contains(heap.target(edge));
            if !strength.is_weak() && (strength != Strength::Strong || is_new()) {
                let edge = edge as u32;
                sorted = sorted
                    && self
                        .candidates
                        .last()
                        .is_none_or(|&last| in_order(heap, last, edge));
                push(&mut self.candidates, edge)?;
            }
        }
        if !sorted {
            self.order.sort(heap, &mut self.candidates)?;
        }
        let may_be_weak = self.weak_steps.may_start_at(heap, source);
        for at in 0..self.candidates.len() {
            let edge = self.candidates[at];
            let weight = match may_be_weak {
                true => self.weak_steps.weight(heap, source, edge as usize),
                false => 0,
            };
            match weight {
                0 => self.follow(rank, edge)?,
                weight => self.postpone(rank, depth, edge, weight)?,
            }
        }
        Ok(())
    }

    /// Follows a reference, or makes it wait for its key.
    #[inline]
    fn follow(&mut self, rank: Rank, edge: u32) -> Result<(), BuildError> {
        if self.heap.strength(edge as usize) == Strength::Ephemeron
            && let Label::Object(key) = self.heap.label(edge as usize)
            && !self.tree.contains(key)
        {
            return self.waiting.add(key, (rank, edge));
        }
        self.reach(rank, edge);
        Ok(())
    }

    /// Takes a reference that keeps its target alive. Returns whether it is the target's first.
    #[inline]
    fn reach(&mut self, rank: Rank, edge: u32) -> bool {
        let target = self.heap.target(edge as usize);
        let new = self.tree.reached.insert(target) && target != NodeId::ROOT;
        if new {
            self.tree.add(target, rank, edge);
        }
        new
    }

    /// Follows the ephemerons that waited for `key`.
    #[inline]
    fn release(&mut self, key: NodeId) -> Result<(), BuildError> {
        let mut released = self.waiting.release(key);
        while let Some((rank, edge)) = self.waiting.next(&mut released) {
            if self.reach(rank, edge) {
                self.note_late(rank)?;
            }
        }
        Ok(())
    }

    /// Whether all objects of a level are followed at once. Where ephemerons are or wait, it matters in which order
    /// they are visited.
    fn is_wide(&mut self, ranks: Range<u32>) -> Result<bool, BuildError> {
        if !self.waiting.is_empty() || ranks.len() < self.least_wide {
            return Ok(false);
        }
        self.wide.begin(self.heap, &self.tree, ranks)?;
        Ok(!self.wide.has_ephemerons())
    }

    /// Follows the references of all objects of a level, whose weak steps are taken later.
    fn expand_level(&mut self, ranks: Range<u32>, depth: u32) -> Result<(), BuildError> {
        let weak_steps = self.weak_steps;
        let wide = &mut self.wide;
        wide.expand(self.heap, &mut self.tree, ranks, weak_steps)?;
        let weak = wide.take_weak()?;
        for of_one in weak.chunk_by(|a, b| a.0 == b.0) {
            self.candidates.clear();
            self.candidates.try_reserve(of_one.len())?;
            let edges = of_one.iter().map(|(_, edge)| *edge);
            self.candidates.extend(edges);
            self.order.sort(self.heap, &mut self.candidates)?;
            let source = of_one[0].0;
            for at in 0..self.candidates.len() {
                let edge = self.candidates[at];
                let weight = weak_steps.weight(self.heap, self.tree.node(source), edge as usize);
                self.postpone(source, depth, edge, weight)?;
            }
        }
        Ok(())
    }

    /// Takes a weak step later.
    fn postpone(
        &mut self,
        source: Rank,
        depth: u32,
        edge: u32,
        weight: usize,
    ) -> Result<(), BuildError> {
        let turn = (self.weakness + weight) % self.postponed.len();
        let step = Postponed {
            depth,
            number: self.postponed[turn].len() as u32,
            source,
            edge,
        };
        push(&mut self.postponed[turn], step)
    }
}

/// Renumbers a tree level by level, after children of the `late` objects broke that order.
fn renumber(heap: &Heap, tree: &mut ShortestPathTree, late: &NodeSet) -> Result<(), BuildError> {
    let displaced = Displaced::take_out(heap, tree)?;
    let mut order = LabelOrder::default();
    let mut children = Vec::new();
    // By new rank: the old one, and the new one of the parent.
    let mut old: Vec<Rank> = room(tree.len())?;
    let mut parents: Vec<Rank> = room(tree.len())?;
    old.push(Rank::ROOT);
    parents.push(Rank::ROOT);
    let mut in_place = 1..1;
    let mut at = 0;
    while at < old.len() {
        let parent = old[at];
        let follows = at > 0 && parent.0 == old[at - 1].0 + 1;
        in_place = match follows {
            true => tree.children_from(parent, in_place.end),
            false => tree.searched_child_range(parent),
        };
        let in_place = in_place.clone().map(Rank);
        let in_place = in_place.filter(|rank| !displaced.nodes.contains(tree.node(*rank)));
        if at > 0 && !late.contains(tree.node(parent)) {
            for rank in in_place {
                old.push(rank);
                parents.push(Rank(at as u32));
            }
            at += 1;
            continue;
        }
        // In the order of their discovery.
        children.clear();
        for rank in in_place {
            let edge = tree.edges[rank.index()];
            push(&mut children, Child { rank, edge })?;
        }
        for (_, child) in displaced.of(parent) {
            push(&mut children, *child)?;
        }
        // GC roots are children of the first object, too, behind those to which it refers.
        let is_root = |child: &Child| at == 0 && heap.root_range().contains(&(child.edge as usize));
        if at == 0 {
            sort_by_number(&mut children, |child| u64::from(is_root(child)))?;
        }
        for children in children.chunk_by_mut(|a, b| is_root(a) == is_root(b)) {
            // Equal labels have the order of their edges, whichever was found first.
            let is_sorted = children.is_sorted_by(|a, b| {
                in_order(heap, a.edge, b.edge)
                    && (a.edge < b.edge || !in_order(heap, b.edge, a.edge))
            });
            if !is_sorted {
                sort_children(heap, &mut order, children)?;
            }
        }
        for child in &children {
            old.push(child.rank);
            parents.push(Rank(at as u32));
        }
        at += 1;
    }
    drop((displaced, children));
    // Each column that is freed makes room for another.
    tree.parents = parents;
    let mut edges = room(tree.len())?;
    edges.extend(old.iter().map(|rank| tree.edges[rank.index()]));
    tree.edges = edges;
    let mut nodes = room(tree.len())?;
    nodes.extend(old.iter().map(|rank| tree.node(*rank)));
    tree.nodes = nodes;
    Ok(())
}

#[derive(Clone, Copy)]
struct Child {
    rank: Rank,
    edge: u32,
}

/// The objects that were found after children of others that come after their parent: few, mostly.
struct Displaced {
    nodes: NodeSet,
    /// With their parents, in the order of these.
    children: Vec<(Rank, Child)>,
}

impl Displaced {
    /// Takes them out of the tree, whose parents then never fall.
    fn take_out(heap: &Heap, tree: &mut ShortestPathTree) -> Result<Displaced, BuildError> {
        let mut displaced = Displaced {
            nodes: NodeSet::with_room_for(heap.node_count())?,
            children: Vec::new(),
        };
        let mut last = Rank::ROOT;
        for rank in tree.ranks() {
            let parent = &mut tree.parents[rank.index()];
            if *parent >= last {
                last = *parent;
                continue;
            }
            let edge = tree.edges[rank.index()];
            push(&mut displaced.children, (*parent, Child { rank, edge }))?;
            displaced.nodes.insert(tree.nodes[rank.index()]);
            *parent = last;
        }
        sort_by_number(&mut displaced.children, |(parent, _)| u64::from(parent.0))?;
        Ok(displaced)
    }

    /// Returns the children of this object that were taken out.
    fn of(&self, parent: Rank) -> &[(Rank, Child)] {
        let from = self.children.partition_point(|(of, _)| *of < parent);
        let children = &self.children[from..];
        &children[..children.partition_point(|(of, _)| *of == parent)]
    }
}

fn sort_children(
    heap: &Heap,
    order: &mut LabelOrder,
    children: &mut [Child],
) -> Result<(), BuildError> {
    let mut edges: Vec<u32> = room(children.len())?;
    edges.extend(children.iter().map(|child| child.edge));
    order.sort(heap, &mut edges)?;
    let mut ranks: Vec<Child> = room(children.len())?;
    ranks.extend_from_slice(children);
    sort_by_number(&mut ranks, |child| u64::from(child.edge))?;
    for (child, edge) in children.iter_mut().zip(edges) {
        let at = ranks.partition_point(|child| child.edge < edge);
        *child = ranks[at];
    }
    Ok(())
}
