//! The retained sizes of many sets, in few passes over the heap.

use crate::dominators::dominator_tree::Dominators;
use crate::dominators::holding_edges::key;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::prefetch::prefetch;
use crate::graph::strength::Strength;
use crate::graph::tally::Tally;
use std::collections::VecDeque;

/// The number of sets that are measured in one pass.
const AT_ONCE: usize = u32::BITS as usize;
/// Sets whose common dominator retains at most this part of all nodes are measured one by one: 1 / 16.
const SMALL_PART: usize = 16;

impl Dominators {
    /// Returns what [`retained_by`](Self::retained_by) returns for each of these sets.
    ///
    /// Takes a pass over the heap for 32 large sets, in which an object is visited as often as sets differ in
    /// the steps from a GC root to it: seldom more than twice. Takes 8 bytes of memory for each node.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn retained_by_each(
        &self,
        heap: &Heap,
        sets: &[&[NodeId]],
    ) -> Result<Vec<Tally>, BuildError> {
        let mut tallies = filled(sets.len(), Tally::default())?;
        let mut large: Vec<usize> = room(sets.len())?;
        for (at, members) in sets.iter().enumerate() {
            match self.is_small(members) {
                true => tallies[at] = self.retained_by(heap, members)?,
                false => large.push(at),
            }
        }
        // One set alone is measured with less memory.
        if let &[at] = &large[..] {
            tallies[at] = self.retained_by(heap, sets[at])?;
            return Ok(tallies);
        }
        for chunk in large.chunks(AT_ONCE) {
            let mut spread = Spread::new(heap, self)?;
            for (bit, &at) in chunk.iter().enumerate() {
                spread.leave_out(sets[at], bit)?;
            }
            spread.run(u32::MAX >> (AT_ONCE - chunk.len()))?;
            for (at, tally) in chunk.iter().zip(spread.rest()) {
                tallies[*at] = tally;
            }
        }
        Ok(tallies)
    }

    /// Whether a set is measured by itself in far less than a pass over the heap.
    fn is_small(&self, members: &[NodeId]) -> bool {
        let places = || members.iter().filter_map(|node| self.place(*node));
        let (Some(first), Some(last)) = (places().min(), places().max()) else {
            return true;
        };
        let top = self.common(first, last);
        let is_known = places().any(|place| place == top);
        let is_small = || self.subtree_at(top).len() <= self.len() / SMALL_PART;
        !self.has_ephemerons && (is_known || is_small())
    }
}

/// For which sets a node stays alive without their members, a bit for each set.
#[derive(Clone, Copy, Default)]
struct State {
    /// What the node's references were followed for; also the sets whose member it is, for which they never are.
    settled: u32,
    /// What they are still to be followed for.
    pending: u32,
}

/// Spreads from the GC roots what is alive without each set.
struct Spread<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    /// By node.
    states: Vec<State>,
    /// The nodes with anything pending, each once.
    queue: VecDeque<NodeId>,
    /// Members and the bits of their sets.
    members: Vec<(NodeId, u32)>,
    ephemerons: Ephemerons,
}

impl<'a> Spread<'a> {
    fn new(heap: &'a Heap, dominators: &'a Dominators) -> Result<Self, BuildError> {
        Ok(Spread {
            heap,
            dominators,
            states: filled(heap.node_count(), State::default())?,
            queue: VecDeque::new(),
            members: Vec::new(),
            ephemerons: match dominators.has_ephemerons {
                true => Ephemerons::new(heap, dominators)?,
                false => Ephemerons::default(),
            },
        })
    }

    /// Takes the members of a set out of the heap for its bit.
    fn leave_out(&mut self, members: &[NodeId], bit: usize) -> Result<(), BuildError> {
        for &node in members {
            let settled = &mut self.states[node.index()].settled;
            if *settled & 1 << bit == 0 && self.dominators.contains(node) {
                *settled |= 1 << bit;
                push(&mut self.members, (node, 1 << bit))?;
                self.ephemerons.leave_out(node, 1 << bit);
            }
        }
        Ok(())
    }

    fn run(&mut self, all: u32) -> Result<(), BuildError> {
        self.reach(NodeId::ROOT, all)?;
        while let Some(node) = self.queue.pop_front() {
            self.read_ahead();
            let state = &mut self.states[node.index()];
            let bits = std::mem::take(&mut state.pending);
            state.settled |= bits;
            self.expand(node, bits)?;
        }
        Ok(())
    }

    fn expand(&mut self, node: NodeId, bits: u32) -> Result<(), BuildError> {
        let heap = self.heap;
        for edge in heap.edge_range(node) {
            let target = heap.target(edge);
            match heap.strength(edge) {
                Strength::Strong => self.reach(target, bits)?,
                Strength::WeakKey | Strength::WeakValue => {}
                Strength::Ephemeron => {
                    let bits = key(heap, edge).map_or(bits, |key| bits & self.alive(key));
                    self.reach(target, bits)?;
                }
            }
        }
        for at in self.ephemerons.of_key(node) {
            let (_, table, value) = self.ephemerons.all[at];
            self.reach(value, bits & self.alive(table))?;
        }
        Ok(())
    }

    /// Returns for which sets a table or a key of an ephemeron is known to stay alive.
    fn alive(&self, node: NodeId) -> u32 {
        let State { settled, pending } = self.states[node.index()];
        // Where no key is reachable, there are none.
        let members = self.ephemerons.members.get(node.index());
        (settled | pending) & !members.copied().unwrap_or(0)
    }

    #[inline]
    fn reach(&mut self, node: NodeId, bits: u32) -> Result<(), BuildError> {
        let state = &mut self.states[node.index()];
        let new = bits & !(state.settled | state.pending);
        if new == 0 {
            return Ok(());
        }
        if state.pending == 0 {
            self.queue.try_reserve(1)?;
            self.queue.push_back(node);
        }
        state.pending |= new;
        Ok(())
    }

    /// Prefetches what the nodes in the queue will need.
    #[inline]
    fn read_ahead(&self) {
        self.heap.prefetch_queued(
            |distance| self.queue.get(distance.saturating_sub(1)).copied(),
            |target| prefetch(self.states[target.index()]),
        );
    }

    /// Sums up for each set what was not reached without it, its reachable members included.
    fn rest(self) -> [Tally; AT_ONCE] {
        let mut tallies = [Tally::default(); AT_ONCE];
        let mut add = |node: NodeId, mut sets: u32| {
            while sets != 0 {
                let size = self.heap.size(node);
                tallies[sets.trailing_zeros() as usize].add(size);
                sets &= sets - 1;
            }
        };
        for &node in self
            .dominators
            .nodes
            .iter()
            .filter(|node| **node != NodeId::ROOT)
        {
            add(node, !self.states[node.index()].settled);
        }
        for &(node, set) in self
            .members
            .iter()
            .filter(|(node, _)| *node != NodeId::ROOT)
        {
            add(node, set);
        }
        tallies
    }
}

/// What ephemerons need: a key may turn out to be alive after its table.
#[derive(Default)]
struct Ephemerons {
    /// Key, table and value of each, by keys.
    all: Vec<(NodeId, NodeId, NodeId)>,
    /// Their keys.
    keys: NodeSet,
    /// By node: the sets whose member it is. Empty if no reachable key is known.
    members: Vec<u32>,
}

impl Ephemerons {
    fn new(heap: &Heap, dominators: &Dominators) -> Result<Ephemerons, BuildError> {
        let mut ephemerons = Ephemerons {
            all: Vec::new(),
            keys: NodeSet::with_room_for(heap.node_count())?,
            members: filled(heap.node_count(), 0)?,
        };
        for table in heap.nodes().filter(|node| dominators.contains(*node)) {
            for edge in heap.edge_range(table) {
                if let Some(key) = key(heap, edge) {
                    push(&mut ephemerons.all, (key, table, heap.target(edge)))?;
                    ephemerons.keys.insert(key);
                }
            }
        }
        ephemerons.all.sort_unstable();
        Ok(ephemerons)
    }

    fn leave_out(&mut self, node: NodeId, set: u32) {
        if let Some(sets) = self.members.get_mut(node.index()) {
            *sets |= set;
        }
    }

    /// Returns the positions of the ephemerons that have this key.
    #[inline]
    fn of_key(&self, node: NodeId) -> std::ops::Range<usize> {
        if self.all.is_empty() || !self.keys.contains(node) {
            return 0..0;
        }
        let start = self.all.partition_point(|(key, ..)| *key < node);
        let end = self.all.partition_point(|(key, ..)| *key <= node);
        start..end
    }
}
