//! The retained sizes of many sets, in few passes over the heap.

use crate::dominators::dominator_tree::Dominators;
use crate::dominators::holding_edges::key;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push, room};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::numbers::Numbers;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::strength::Strength;
use crate::graph::tally::Tally;
use rustc_hash::FxHashMap;

/// The number of sets that are measured in one pass.
const AT_ONCE: usize = u64::BITS as usize;
/// Sets whose common dominator retains at most this part of all nodes are measured one by one: 1 / 16.
const SMALL_PART: usize = 16;
/// So many nodes in a queue are many, and a part of all nodes: looking for the next one in their order then takes
/// less than passing on their bits.
const LONG_QUEUE: usize = 4096;

impl Dominators {
    /// Returns what [`retained_by`](Self::retained_by) returns for each of these sets.
    ///
    /// Takes a pass over the heap for 64 large sets, in the order of memory. An object is visited again where it
    /// turns out late that it is alive without some set, which is seldom. Takes 10 bytes of memory for each node, 6 for up to 32 sets.
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
            let all = u64::MAX >> (AT_ONCE - chunk.len());
            let mut spread = Spread::new(heap, self, all)?;
            for (bit, &at) in chunk.iter().enumerate() {
                spread.leave_out(sets[at], bit)?;
            }
            spread.run()?;
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

/// Whose member a node is: the number of one set and 1, 0 for none, [`SEVERAL`] for what is noted apart.
type Membership = u8;

/// Stands for several sets.
const SEVERAL: Membership = Membership::MAX;

/// Spreads from the GC roots what is alive without each set, a bit for each, to the least fixpoint.
///
/// What holds an object mostly has a higher id: see [`Reach`](crate::Reach). So nodes are taken from the last to the
/// first, and mostly have all their bits by then; what has new ones above goes through a queue.
struct Spread<'a> {
    heap: &'a Heap,
    dominators: &'a Dominators,
    /// A bit for each set.
    all: u64,
    /// By node: the sets without which it is reached; also those whose member it is, for which it passes nothing on.
    reached: Numbers,
    /// The nodes that have bits which they did not pass on yet.
    pending: NodeSet,
    /// Nodes below this one are taken in their order, all others through the queue.
    ordered: NodeId,
    queue: Vec<NodeId>,
    /// By node.
    membership: Vec<Membership>,
    /// The sets of those that are members of several.
    several: FxHashMap<NodeId, u64>,
    ephemerons: Ephemerons,
}

impl<'a> Spread<'a> {
    fn new(heap: &'a Heap, dominators: &'a Dominators, all: u64) -> Result<Self, BuildError> {
        Ok(Spread {
            heap,
            dominators,
            all,
            reached: Numbers::zeroes(heap.node_count(), all)?,
            pending: NodeSet::with_room_for(heap.node_count())?,
            ordered: NodeId(heap.node_count() as u32),
            queue: Vec::new(),
            membership: filled(heap.node_count(), 0)?,
            several: FxHashMap::default(),
            ephemerons: match dominators.has_ephemerons {
                true => Ephemerons::new(heap, dominators)?,
                false => Ephemerons::default(),
            },
        })
    }

    /// Takes the members of a set out of the heap for its bit.
    fn leave_out(&mut self, members: &[NodeId], bit: usize) -> Result<(), BuildError> {
        let number = bit as Membership + 1;
        for &node in members {
            let known = &mut self.membership[node.index()];
            if *known == 0 || *known == number {
                *known = number;
                continue;
            }
            self.several.try_reserve(1)?;
            let sets = self.several.entry(node).or_insert(0);
            if *known != SEVERAL {
                *sets |= 1 << (*known - 1);
                *known = SEVERAL;
            }
            *sets |= 1 << bit;
        }
        Ok(())
    }

    fn run(&mut self) -> Result<(), BuildError> {
        let most_queued = LONG_QUEUE.max(self.heap.node_count() / LONG_QUEUE);
        self.reached.set(NodeId::ROOT.index(), self.all);
        self.expand(NodeId::ROOT)?;
        while let Some(node) = self.pending.last_below(self.ordered) {
            self.ordered = node;
            self.take(node)?;
            let mut at = 0;
            while let Some(&node) = self.queue.get(at) {
                self.read_ahead(at);
                self.take(node)?;
                at += 1;
                if self.queue.len() - at > most_queued {
                    self.go_back(at);
                    break;
                }
            }
            self.queue.clear();
        }
        Ok(())
    }

    /// Takes what is left in the queue in the order of the nodes: one by one, bits would pass through what
    /// lies below again and again.
    fn go_back(&mut self, from: usize) {
        let last = self.queue[from..].iter().max();
        self.ordered = last.map_or(self.ordered, |last| NodeId(last.0 + 1));
    }

    /// Passes on what is pending at a node, if anything is.
    fn take(&mut self, node: NodeId) -> Result<(), BuildError> {
        if !self.pending.contains(node) {
            return Ok(());
        }
        self.pending.remove(node);
        self.expand(node)
    }

    fn expand(&mut self, node: NodeId) -> Result<(), BuildError> {
        let heap = self.heap;
        let alive = self.alive(node);
        for edge in heap.edge_range(node) {
            let target = heap.target(edge);
            match heap.strength(edge) {
                Strength::Strong => self.reach(target, alive)?,
                Strength::WeakKey | Strength::WeakValue => {}
                Strength::Ephemeron => {
                    let bits = key(heap, edge).map_or(alive, |key| alive & self.alive(key));
                    self.reach(target, bits)?;
                }
            }
        }
        for at in self.ephemerons.of_key(node) {
            let (_, table, value) = self.ephemerons.all[at];
            self.reach(value, alive & self.alive(table))?;
        }
        Ok(())
    }

    /// Returns for which sets a node is known to stay alive.
    #[inline]
    fn alive(&self, node: NodeId) -> u64 {
        self.reached.get(node.index()) & !self.sets_of(node)
    }

    /// Returns the sets whose member a node is.
    #[inline]
    fn sets_of(&self, node: NodeId) -> u64 {
        match self.membership[node.index()] {
            0 => 0,
            SEVERAL => self.several.get(&node).copied().unwrap_or(0),
            number => 1 << (number - 1),
        }
    }

    #[inline]
    fn reach(&mut self, node: NodeId, bits: u64) -> Result<(), BuildError> {
        let reached = self.reached.get(node.index());
        if bits & !reached == 0 {
            return Ok(());
        }
        self.reached.set(node.index(), reached | bits);
        if self.pending.insert(node) && node >= self.ordered {
            push(&mut self.queue, node)?;
        }
        Ok(())
    }

    /// Prefetches what the nodes in the queue will need.
    #[inline]
    fn read_ahead(&self, at: usize) {
        self.heap.prefetch_queued(
            |distance| self.queue.get(at + distance).copied(),
            |target| self.reached.prefetch(target.index()),
        );
    }

    /// Sums up for each set what was not reached without it, its reachable members included.
    fn rest(self) -> [Tally; AT_ONCE] {
        let mut tallies = [Tally::default(); AT_ONCE];
        for node in self.heap.nodes().skip(1) {
            let mut sets = self.all & !self.alive(node);
            if sets == 0 || !self.dominators.contains(node) {
                continue;
            }
            let size = self.heap.size(node);
            while sets != 0 {
                tallies[sets.trailing_zeros() as usize].add(size);
                sets &= sets - 1;
            }
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
}

impl Ephemerons {
    fn new(heap: &Heap, dominators: &Dominators) -> Result<Ephemerons, BuildError> {
        let mut ephemerons = Ephemerons {
            all: Vec::new(),
            keys: NodeSet::with_room_for(heap.node_count())?,
        };
        for table in heap.nodes().filter(|node| dominators.contains(*node)) {
            for edge in heap.edge_range(table) {
                if let Some(key) = key(heap, edge) {
                    push(&mut ephemerons.all, (key, table, heap.target(edge)))?;
                    ephemerons.keys.insert(key);
                }
            }
        }
        sort_by_number(&mut ephemerons.all, |(key, ..)| u64::from(key.0))?;
        Ok(ephemerons)
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
