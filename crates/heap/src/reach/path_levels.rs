//! How far from the GC roots each object is that people see, and what is on the shortest paths to some of them.
//!
//! The paths to a few objects take no tree of all paths, and no view of all objects: what may be on them is known by
//! distances alone, which are found in the order of memory and without comparing any label. A search through the
//! little that is left then finds the same paths.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::strength::Strength;
use crate::reach::ephemeron::Waiting;
use crate::reach::reach::{Reach, Through};
use crate::reach::weak_step::WeakSteps;

/// Levels with this part of all nodes, or more, are put into the order of memory: 1 / 64.
const WIDE_PART: usize = 64;

/// The objects of the view of a heap, by their distance from the tree's root: first those with the fewest
/// [weak steps](WeakSteps) on the best path, among these those with the fewest steps.
pub(crate) struct PathLevels {
    /// By node: the number of its level, from 1 on; 0 for nodes that are not in the view.
    level: Vec<u32>,
    /// The objects, level by level.
    objects: Vec<NodeId>,
    levels: Vec<Level>,
    /// In the order of their targets' levels.
    joins: Vec<Join>,
    reach: Reach,
}

#[derive(Clone, Copy)]
struct Level {
    /// Where its objects begin.
    start: u32,
    /// Whether they were found from the level before it, and not by weak steps alone.
    follows: bool,
}

/// A step that was not taken from the level before its target's: a weak one, or an ephemeron.
#[derive(Clone, Copy)]
struct Join {
    /// The object that has the reference, and the key; of a weak step, the object twice.
    sources: [NodeId; 2],
    target: NodeId,
}

impl PathLevels {
    /// Finds the levels of the view of a heap. `None` where the order within a level decides about the next one:
    /// if the key of an ephemeron is one level below the table, and nothing else leads to the value before; or
    /// where a heap has references that no VM makes.
    pub(crate) fn new(heap: &Heap) -> Result<Option<PathLevels>, BuildError> {
        let mut search = Search::new(heap)?;
        search.run()?;
        let Search { mut seen, .. } = search;
        if search.is_irregular {
            return Ok(None);
        }
        for (node, &kind) in heap.nodes().zip(&heap.kinds).skip(1) {
            if kind == Kind::Upvalue {
                seen.insert(node);
            } else if !kind.is_object() {
                seen.remove(node);
            }
        }
        let count = search.objects.len();
        Ok(Some(PathLevels {
            level: search.level,
            objects: search.objects,
            levels: search.levels,
            joins: search.joins,
            reach: Reach::of_set(seen, Through::Objects, count),
        }))
    }

    /// Returns the objects of the view. Of upvalues, all count as reached.
    pub(crate) fn reach(&self) -> &Reach {
        &self.reach
    }

    /// Whether a node is in the view.
    #[inline]
    pub(crate) fn has(&self, node: NodeId) -> bool {
        self.level[node.index()] > 0
    }

    /// Adds all that may be on the shortest paths to the nodes of a set, which are in the view.
    pub(crate) fn add_ancestors(&self, heap: &Heap, set: &mut NodeSet) -> Result<(), BuildError> {
        let Some(&root) = self.objects.first() else {
            return Ok(());
        };
        let level = |node: NodeId| self.level[node.index()];
        let highest = set.nodes().map(level).max().unwrap_or(1);
        // By level: how many of its objects are in the set.
        let mut counts = filled(highest as usize + 1, 0u32)?;
        for node in set.nodes() {
            counts[level(node) as usize] += 1;
        }
        let weak_steps = WeakSteps::of(heap);
        set.insert(root);
        let mut joins = self.joins.iter().rev().peekable();
        for at in (2..=highest).rev() {
            while let Some(join) = joins.next_if(|join| level(join.target) >= at) {
                if !set.contains(join.target) {
                    continue;
                }
                for source in join.sources {
                    // The other GC roots are children of the first one's object.
                    if source != NodeId::ROOT && set.insert(source) {
                        counts[level(source) as usize] += 1;
                    }
                }
            }
            let Level {
                start: end,
                follows,
            } = self.levels[at as usize - 1];
            if counts[at as usize] == 0 || !follows {
                continue;
            }
            let start = self.levels[at as usize - 2].start;
            for &node in &self.objects[start as usize..end as usize] {
                if !set.contains(node) && self.leads_to(heap, weak_steps, node, at, set) {
                    set.insert(node);
                    counts[at as usize - 1] += 1;
                }
            }
        }
        Ok(())
    }

    /// Whether some step that is not weak leads from an object to one of the set on this level.
    #[inline]
    fn leads_to(
        &self,
        heap: &Heap,
        weak_steps: WeakSteps,
        node: NodeId,
        level: u32,
        set: &NodeSet,
    ) -> bool {
        let is_there = |target: NodeId| set.contains(target) && self.level[target.index()] == level;
        let may_be_weak = weak_steps.may_start_at(heap, node);
        heap.edge_range(node).any(|edge| {
            let target = heap.target(edge);
            let leads = match heap.kind(target) {
                Kind::Upvalue => heap.edge_range(target).any(|inner| {
                    heap.strength(inner) == Strength::Strong && is_there(heap.target(inner))
                }),
                _ => is_there(target),
            };
            leads
                && !heap.labels[edge].is_constant()
                && match heap.strength(edge) {
                    Strength::Strong => true,
                    Strength::WeakKey | Strength::WeakValue => false,
                    Strength::Ephemeron => !matches!(heap.label(edge), Label::Object(_)),
                }
                && (!may_be_weak || weak_steps.weight(heap, node, edge) == 0)
        })
    }
}

/// The search, as that for the tree of shortest paths, but for the order within a level.
struct Search<'a> {
    heap: &'a Heap,
    weak_steps: WeakSteps,
    level: Vec<u32>,
    objects: Vec<NodeId>,
    levels: Vec<Level>,
    joins: Vec<Join>,
    /// The number of the level to which what is found belongs.
    filling: u32,
    /// What was found, what is in no view, and the upvalues whose values were found.
    seen: NodeSet,
    /// The objects of a wide level.
    wide: Option<NodeSet>,
    /// Ephemerons that wait for their key: the table and the value.
    waiting: Waiting<(NodeId, NodeId)>,
    /// References that are weak steps, by the number of weak steps of the paths through them.
    postponed: [Vec<Postponed>; WeakSteps::MAX_WEIGHT + 1],
    /// The number of weak steps on the paths that are being found, as a position in `postponed`.
    weakness: usize,
    /// The next of those whose turn it is.
    next_postponed: usize,
    is_irregular: bool,
}

/// A weak step that is taken once nothing else is left to find with as few weak steps.
#[derive(Clone, Copy)]
struct Postponed {
    /// The number of steps to its source.
    depth: u32,
    source: NodeId,
    target: NodeId,
}

impl<'a> Search<'a> {
    fn new(heap: &'a Heap) -> Result<Self, BuildError> {
        let mut seen = NodeSet::with_room_for(heap.node_count())?;
        for (node, &kind) in heap.nodes().zip(&heap.kinds) {
            if !kind.is_object() && kind != Kind::Upvalue {
                seen.insert(node);
            }
        }
        Ok(Search {
            heap,
            weak_steps: WeakSteps::of(heap),
            level: filled(heap.node_count(), 0)?,
            objects: room(heap.node_count())?,
            levels: Vec::new(),
            joins: Vec::new(),
            filling: 1,
            seen,
            wide: None,
            waiting: Waiting::default(),
            postponed: [const { Vec::new() }; WeakSteps::MAX_WEIGHT + 1],
            weakness: 0,
            next_postponed: 0,
            is_irregular: false,
        })
    }

    fn run(&mut self) -> Result<(), BuildError> {
        let heap = self.heap;
        let mut roots = heap.root_range();
        // GC roots are strong references to objects.
        self.is_irregular = roots.clone().any(|edge| {
            heap.strength(edge) != Strength::Strong || heap.kind(heap.target(edge)) == Kind::Upvalue
        });
        let first = roots.find(|&edge| {
            !heap.labels[edge].is_constant() && heap.kind(heap.target(edge)).is_object()
        });
        let Some(first) = first else {
            return Ok(());
        };
        self.find(heap.target(first));
        push(
            &mut self.levels,
            Level {
                start: 0,
                follows: false,
            },
        )?;
        let (mut start, mut depth) = (0, 0);
        while !self.is_irregular {
            let end = self.objects.len();
            if start == end {
                match self.next_depth()? {
                    Some(next) => depth = next,
                    None => break,
                }
            }
            self.filling = self.levels.len() as u32 + 1;
            self.follow_postponed(depth)?;
            self.expand_level(start, end, depth)?;
            // The other GC roots are children of the first one's object.
            for edge in roots.by_ref() {
                self.follow_strong(NodeId::ROOT, edge, depth, true)?;
            }
            if self.objects.len() > end {
                let follows = end > start;
                push(
                    &mut self.levels,
                    Level {
                        start: end as u32,
                        follows,
                    },
                )?;
            }
            start = end;
            depth += 1;
        }
        Ok(())
    }

    /// Returns the depth from which the next weak steps are taken, of paths with as few of them as possible.
    fn next_depth(&mut self) -> Result<Option<u32>, BuildError> {
        loop {
            if let Some(next) = self.postponed[self.weakness].get(self.next_postponed) {
                return Ok(Some(next.depth));
            }
            self.postponed[self.weakness].clear();
            self.next_postponed = 0;
            self.weakness = (self.weakness + 1) % self.postponed.len();
            if self.postponed.iter().all(Vec::is_empty) {
                return Ok(None);
            }
            let turn = &mut self.postponed[self.weakness];
            sort_by_number(turn, |step| u64::from(step.depth))?;
        }
    }

    /// Takes the weak steps from objects at this depth or above.
    #[inline]
    fn follow_postponed(&mut self, depth: u32) -> Result<(), BuildError> {
        while let Some(&step) = self.postponed[self.weakness].get(self.next_postponed)
            && step.depth <= depth
        {
            self.next_postponed += 1;
            self.find(step.target);
            self.join([step.source; 2], step.target)?;
        }
        Ok(())
    }

    /// Follows the references of all objects of a level.
    fn expand_level(&mut self, start: usize, end: usize, depth: u32) -> Result<(), BuildError> {
        let is_wide = (end - start).saturating_mul(WIDE_PART) > self.heap.node_count();
        if is_wide {
            self.put_in_order(start, end)?;
        }
        for at in start..end {
            if !is_wide {
                self.heap.prefetch_queued(
                    |distance| self.objects.get(at + distance).copied(),
                    |target| self.seen.prefetch(target),
                );
            }
            self.expand(self.objects[at], depth)?;
        }
        Ok(())
    }

    /// Puts the objects of a level into the order of memory.
    fn put_in_order(&mut self, start: usize, end: usize) -> Result<(), BuildError> {
        match &mut self.wide {
            Some(wide) => wide.clear(),
            wide => *wide = Some(NodeSet::with_room_for(self.heap.node_count())?),
        }
        let Some(wide) = &mut self.wide else {
            return Ok(());
        };
        let level = &mut self.objects[start..end];
        for &node in level.iter() {
            wide.insert(node);
        }
        for (place, node) in level.iter_mut().zip(wide.nodes()) {
            *place = node;
        }
        Ok(())
    }

    /// Follows the references of one object.
    #[inline]
    fn expand(&mut self, node: NodeId, depth: u32) -> Result<(), BuildError> {
        let heap = self.heap;
        if !self.waiting.is_empty() {
            self.release(node)?;
        }
        let may_be_weak = self.weak_steps.may_start_at(heap, node);
        for edge in heap.edge_range(node) {
            match heap.strength(edge) {
                Strength::Strong => self.follow_strong(node, edge, depth, may_be_weak)?,
                Strength::WeakKey | Strength::WeakValue => {}
                Strength::Ephemeron => match heap.label(edge) {
                    Label::Object(key) => self.follow_ephemeron(node, key, edge)?,
                    _ => self.follow_strong(node, edge, depth, may_be_weak)?,
                },
            }
        }
        Ok(())
    }

    /// Follows a reference that keeps its target alive, through an upvalue to its value. Whatever else leads to
    /// something that is known is no shorter.
    #[inline]
    fn follow_strong(
        &mut self,
        source: NodeId,
        edge: usize,
        depth: u32,
        may_be_weak: bool,
    ) -> Result<(), BuildError> {
        let heap = self.heap;
        let target = heap.target(edge);
        if self.seen.contains(target) || heap.labels[edge].is_constant() {
            return Ok(());
        }
        let weight = match may_be_weak {
            true => self.weak_steps.weight(heap, source, edge),
            false => 0,
        };
        if heap.kind(target) != Kind::Upvalue {
            return self.step(source, target, depth, weight);
        }
        for inner in heap.edge_range(target) {
            if let Some(value) = self.value(inner) {
                self.step(source, value, depth, weight)?;
            }
        }
        if weight == 0 {
            self.seen.insert(target);
        }
        Ok(())
    }

    /// Returns the object to which a reference of an upvalue leads, if it does.
    #[inline]
    fn value(&mut self, inner: usize) -> Option<NodeId> {
        let heap = self.heap;
        let target = heap.target(inner);
        match heap.strength(inner) {
            Strength::WeakKey | Strength::WeakValue => None,
            Strength::Strong if !heap.labels[inner].is_constant() => {
                heap.kind(target).is_object().then_some(target)
            }
            _ => {
                self.is_irregular = true;
                None
            }
        }
    }

    #[inline]
    fn step(
        &mut self,
        source: NodeId,
        target: NodeId,
        depth: u32,
        weight: usize,
    ) -> Result<(), BuildError> {
        if weight == 0 {
            self.find(target);
            return Ok(());
        }
        if self.seen.contains(target) {
            return Ok(());
        }
        let turn = (self.weakness + weight) % self.postponed.len();
        let step = Postponed {
            depth,
            source,
            target,
        };
        push(&mut self.postponed[turn], step)
    }

    #[inline]
    fn find(&mut self, node: NodeId) {
        if self.seen.insert(node) {
            self.level[node.index()] = self.filling;
            // There is room for all nodes.
            self.objects.push(node);
        }
    }

    /// Notes a step by which an object of the level that is being filled may have been found.
    fn join(&mut self, sources: [NodeId; 2], target: NodeId) -> Result<(), BuildError> {
        match self.level[target.index()] == self.filling {
            true => push(&mut self.joins, Join { sources, target }),
            false => Ok(()),
        }
    }

    /// Follows a reference that counts only while its key is alive.
    fn follow_ephemeron(
        &mut self,
        table: NodeId,
        key: NodeId,
        edge: usize,
    ) -> Result<(), BuildError> {
        let heap = self.heap;
        if heap.labels[edge].is_constant() || !heap.kind(key).is_object() {
            // No VM has upvalues as keys; anything else is never reached in a view.
            self.is_irregular |= heap.kind(key) == Kind::Upvalue;
            return Ok(());
        }
        let target = heap.target(edge);
        if heap.kind(target) == Kind::Upvalue {
            for inner in heap.edge_range(target) {
                if let Some(value) = self.value(inner) {
                    self.follow_to_value(table, key, value)?;
                }
            }
        } else if heap.kind(target).is_object() {
            self.follow_to_value(table, key, target)?;
        }
        Ok(())
    }

    fn follow_to_value(
        &mut self,
        table: NodeId,
        key: NodeId,
        value: NodeId,
    ) -> Result<(), BuildError> {
        let known = |node: NodeId| {
            let level = self.level[node.index()];
            level > 0 && level < self.filling
        };
        if known(value) {
            return Ok(());
        }
        if !known(key) {
            return self.waiting.add(key, (table, value));
        }
        self.find(value);
        self.join([table, key], value)
    }

    /// Follows the ephemerons that waited for a key.
    fn release(&mut self, key: NodeId) -> Result<(), BuildError> {
        let mut released = self.waiting.release(key);
        while let Some((table, value)) = self.waiting.next(&mut released) {
            if self.level[table.index()] + 2 == self.filling {
                // It depends on whether the key was found before the table was looked at.
                self.is_irregular = true;
                return Ok(());
            }
            self.find(value);
            self.join([table, key], value)?;
        }
        Ok(())
    }
}
