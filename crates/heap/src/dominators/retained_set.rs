//! The retained size of a set of nodes.

use crate::dominators::dominator_tree::Dominators;
use crate::dominators::holding_edges::key;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::prefetch::prefetch;
use crate::graph::strength::Strength;
use crate::graph::tally::Tally;
use crate::reach::ephemeron::Waiting;
use std::ops::Range;

impl Dominators {
    /// Returns the retained size of a set: the number and the bytes of the objects in `heap` that
    /// would be garbage if all of the members were gone, by Lua's own rules. The members are
    /// included, the synthetic root is not. Unreachable members count as nothing, and a member that
    /// is given twice counts once. `heap` must be the one from which the tree was made.
    ///
    /// Takes a pass over everything that the members' nearest common dominator retains; over the
    /// whole heap if it has ephemerons.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn retained_by(&self, heap: &Heap, members: &[NodeId]) -> Result<Tally, BuildError> {
        let places = || members.iter().filter_map(|node| self.place(*node));
        let (Some(first), Some(last)) = (places().min(), places().max()) else {
            return Ok(Tally::default());
        };
        // From its last visit to the dominator on, a path to a dominated node stays in the subtree.
        // But an ephemeron's value may die with its key, though the key does not dominate it.
        let top = match self.has_ephemerons {
            true => 0,
            false => self.common(first, last),
        };
        if places().any(|place| place == top) {
            return Ok(self.retained_at(top));
        }
        let mut marking = Marking::new(heap, self, self.subtree_at(top))?;
        for place in places() {
            marking.set(place, Mark::Member);
        }
        marking.run(top)?;
        Ok(marking.rest())
    }

    /// Returns a lower bound of [`retained_by`](Self::retained_by): what the members retain one by
    /// one, counted once. Looks only at the members.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn retained_at_least(
        &self,
        members: impl IntoIterator<Item = NodeId>,
    ) -> Result<Tally, BuildError> {
        let mut places = Vec::new();
        for place in members.into_iter().filter_map(|node| self.place(node)) {
            push(&mut places, place)?;
        }
        places.sort_unstable();
        let mut end = 0;
        places.retain(|&place| {
            let is_outermost = place >= end;
            if is_outermost {
                end = self.subtree_at(place).end;
            }
            is_outermost
        });
        Ok(Tally::sum(
            places.iter().map(|place| self.retained_at(*place)),
        ))
    }
}

/// The state of a node in the heap without the members.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    None,
    Alive,
    Member,
}

/// Marks what stays reachable in a subtree without the members.
struct Marking<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    region: Range<u32>,
    /// By place in the region.
    marks: Vec<Mark>,
    queue: Vec<NodeId>,
    /// Values that wait for their key.
    waiting: Waiting<NodeId>,
}

impl<'a> Marking<'a> {
    fn new(
        heap: &'a Heap,
        dominators: &'a Dominators,
        region: Range<u32>,
    ) -> Result<Self, BuildError> {
        Ok(Marking {
            heap,
            dominators,
            marks: filled(region.len(), Mark::None)?,
            region,
            queue: Vec::new(),
            waiting: Waiting::default(),
        })
    }

    fn set(&mut self, place: u32, mark: Mark) {
        self.marks[(place - self.region.start) as usize] = mark;
    }

    /// Returns the mark of a node in the region.
    #[inline]
    fn mark(&mut self, node: NodeId) -> Option<&mut Mark> {
        let place = self.dominators.place(node)?;
        let place = place.checked_sub(self.region.start)?;
        self.marks.get_mut(place as usize)
    }

    fn run(&mut self, top: u32) -> Result<(), BuildError> {
        self.reach(self.dominators.node_at(top))?;
        let mut at = 0;
        while let Some(&node) = self.queue.get(at) {
            self.read_ahead(at);
            self.expand(node)?;
            at += 1;
        }
        Ok(())
    }

    fn expand(&mut self, node: NodeId) -> Result<(), BuildError> {
        let heap = self.heap;
        let mut released = self.waiting.release(node);
        while let Some(value) = self.waiting.next(&mut released) {
            self.reach(value)?;
        }
        for edge in heap.edge_range(node) {
            let target = heap.target(edge);
            match heap.strength(edge) {
                Strength::Strong => self.reach(target)?,
                Strength::WeakKey | Strength::WeakValue => {}
                Strength::Ephemeron => match key(heap, edge) {
                    Some(key) if self.mark(key).is_none_or(|mark| *mark != Mark::Alive) => {
                        self.waiting.add(key, target)?;
                    }
                    _ => self.reach(target)?,
                },
            }
        }
        Ok(())
    }

    /// Marks a node of the region, unless it is a member.
    #[inline]
    fn reach(&mut self, node: NodeId) -> Result<(), BuildError> {
        match self.mark(node) {
            Some(mark) if *mark == Mark::None => {
                *mark = Mark::Alive;
                push(&mut self.queue, node)
            }
            _ => Ok(()),
        }
    }

    /// Prefetches what the nodes in the queue will need.
    #[inline]
    fn read_ahead(&self, at: usize) {
        self.heap.prefetch_queued(
            |distance| self.queue.get(at + distance).copied(),
            |target| prefetch(self.dominators.place(target)),
        );
    }

    /// Sums up what was not marked as alive.
    fn rest(self) -> Tally {
        let mut tally = Tally::default();
        for (place, mark) in self.region.zip(&self.marks) {
            if *mark != Mark::Alive {
                tally.add(self.heap.size(self.dominators.node_at(place)));
            }
        }
        tally
    }
}
