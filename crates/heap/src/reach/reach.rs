//! Reachability, by Lua's own rules.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::prefetch::prefetch;
use crate::graph::strength::Strength;
use crate::reach::ephemeron::Waiting;
use crate::reach::shortest_path_tree::ShortestPathTree;

/// The nodes through which references are followed.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Through {
    /// Through all nodes: reaches what the VM's own collector would keep.
    Everything,
    /// Through objects, and from a closure through its upvalues: reaches what the `objects` view shows.
    /// Strings, prototypes, cdata, traces and the module's own snapshots are not reached, nor is what only
    /// they keep alive. References that only the VM sees ([`Label::Constant`]) are not followed.
    Objects,
}

impl Through {
    /// Whether nodes of this kind are reached.
    #[inline]
    fn has(self, kind: Kind) -> bool {
        self == Through::Everything || kind.is_object() || kind == Kind::Upvalue
    }

    /// Whether a node of this kind can be the value of an upvalue. In no VM is that another
    /// upvalue; if corrupt memory says so, a view would have no edge to what is behind it.
    #[inline]
    fn has_below_upvalue(self, kind: Kind) -> bool {
        self == Through::Everything || kind.is_object()
    }
}

/// The nodes that the GC roots of a heap keep alive.
///
/// Strong references are followed, weak ones are not. Ephemerons are followed when their key is reached; at
/// once if their label is not a [`Label::Object`].
#[derive(Clone, Debug)]
pub struct Reach {
    reached: NodeSet,
    through: Through,
    count: usize,
}

impl Reach {
    /// Finds what is reachable in `heap`.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn new(heap: &Heap, through: Through) -> Result<Reach, BuildError> {
        let mut marking = Marking::new(heap, through)?;
        marking.run()?;
        let Marking {
            mut seen, count, ..
        } = marking;
        for node in excluded(heap, through) {
            seen.remove(node);
        }
        Ok(Reach {
            reached: seen,
            through,
            count: count.saturating_sub(1),
        })
    }

    /// Finds what would be reachable through everything if these nodes were gone. They are not.
    pub(crate) fn without(heap: &Heap, gone: &[NodeId]) -> Result<Reach, BuildError> {
        let mut marking = Marking::new(heap, Through::Everything)?;
        let mut set = NodeSet::with_room_for(heap.node_count())?;
        for &node in gone {
            set.insert(node);
            marking.seen.insert(node);
        }
        marking.gone = Some(set);
        marking.run()?;
        let Marking {
            mut seen, count, ..
        } = marking;
        for &node in gone {
            seen.remove(node);
        }
        Ok(Reach {
            reached: seen,
            through: Through::Everything,
            count: count.saturating_sub(1),
        })
    }

    /// Returns which of a few nodes are reachable through everything. The search ends as soon as all are found, so
    /// it is short for what is near the GC roots.
    pub(crate) fn among(heap: &Heap, mut wanted: Vec<NodeId>) -> Result<Vec<NodeId>, BuildError> {
        let mut marking = Marking::new(heap, Through::Everything)?;
        let mut left = wanted.len();
        marking.run_until(|seen| {
            while left > 0 && seen.contains(wanted[left - 1]) {
                left -= 1;
            }
            left == 0
        })?;
        wanted.retain(|node| marking.seen.contains(*node));
        Ok(wanted)
    }

    /// Returns a set of `count` nodes that somebody else found to be reachable.
    pub(super) fn of_set(reached: NodeSet, through: Through, count: usize) -> Reach {
        Reach {
            reached,
            through,
            count,
        }
    }

    /// Returns a copy of what is reachable as a set.
    pub(crate) fn to_set(&self) -> Result<NodeSet, BuildError> {
        self.reached.copied()
    }

    /// Returns what is reachable through everything, for callers that have the shortest paths already.
    pub(crate) fn of_tree(heap: &Heap, tree: &ShortestPathTree) -> Result<Reach, BuildError> {
        let mut reached = tree.reached()?;
        if heap.node_count() > 0 {
            reached.insert(NodeId::ROOT);
        }
        Ok(Reach {
            reached,
            through: Through::Everything,
            count: tree.len(),
        })
    }

    /// Whether a node is reachable. The synthetic root always is.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.reached.contains(node)
    }

    /// Returns the number of reachable nodes, without the synthetic root.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Returns the reachable nodes from the first to the last, which begin with the synthetic root.
    pub(crate) fn nodes(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.reached.nodes()
    }

    /// Returns the reachable nodes from the last to the first.
    pub(crate) fn nodes_from_last(&self) -> impl Iterator<Item = NodeId> + '_ {
        self.reached.nodes_from_last()
    }

    /// Whether a reference of a reachable node keeps its target alive: it is strong, or an ephemeron whose key
    /// is reachable.
    #[inline]
    pub(crate) fn holds(&self, heap: &Heap, edge: usize) -> bool {
        match heap.strength(edge) {
            Strength::Strong => true,
            Strength::WeakKey | Strength::WeakValue => false,
            Strength::Ephemeron => match heap.label(edge) {
                Label::Object(key) => self.contains(key),
                _ => true,
            },
        }
    }

    /// Returns the nodes through which references were followed.
    pub fn through(&self) -> Through {
        self.through
    }
}

/// Returns the nodes that must not be reached.
fn excluded(heap: &Heap, through: Through) -> impl Iterator<Item = NodeId> + '_ {
    // Through everything, no node is excluded.
    let kinds = match through {
        Through::Everything => &[],
        Through::Objects => heap.kinds.get(1..).unwrap_or(&[]),
    };
    (1..)
        .map(NodeId)
        .zip(kinds)
        .filter(move |(_, kind)| !through.has(**kind))
        .map(|(node, _)| node)
}

/// The state of the marking.
///
/// The VM's lists have their newest objects first, so what holds an object mostly has a higher id. So nodes are
/// looked at from the last to the first, as they lie in memory; what lies above goes through a queue.
struct Marking<'a> {
    heap: &'a Heap,
    through: Through,
    /// The reached nodes and, until the marking ends, the excluded ones: so one bit tells whether
    /// to look at a target.
    seen: NodeSet,
    /// Nodes in that set without which the heap is looked at.
    gone: Option<NodeSet>,
    /// The number of reached nodes.
    count: usize,
    /// Nodes below this one are looked at in their order, all others go through the queue.
    ordered: NodeId,
    /// Reached nodes, in the order of their discovery.
    queue: Vec<u32>,
    /// Edges that wait for their key.
    waiting: Waiting<u32>,
}

impl<'a> Marking<'a> {
    fn new(heap: &'a Heap, through: Through) -> Result<Self, BuildError> {
        let mut seen = NodeSet::with_room_for(heap.node_count())?;
        for node in excluded(heap, through) {
            seen.insert(node);
        }
        Ok(Marking {
            heap,
            through,
            seen,
            gone: None,
            count: 0,
            ordered: NodeId::ROOT,
            queue: Vec::new(),
            waiting: Waiting::default(),
        })
    }

    /// Follows references until all is reached.
    fn run(&mut self) -> Result<(), BuildError> {
        if self.heap.node_count() == 0 {
            return Ok(());
        }
        self.reach(NodeId::ROOT)?;
        self.queue.clear();
        // There is one id more than nodes, since the last one is never a node's.
        self.ordered = NodeId(self.heap.node_count() as u32);
        self.expand(NodeId::ROOT)?;
        while let Some(node) = self.seen.last_below(self.ordered)
            && node != NodeId::ROOT
        {
            self.ordered = node;
            // Excluded nodes are in the set, too.
            if !self.is_reached(node) {
                continue;
            }
            self.expand(node)?;
            self.run_queue(|_| false)?;
        }
        Ok(())
    }

    /// Follows references breadth-first until all is reached, or `is_enough` says so of the nodes that are: for few
    /// nodes near the GC roots.
    #[inline(always)]
    fn run_until(&mut self, mut is_enough: impl FnMut(&NodeSet) -> bool) -> Result<(), BuildError> {
        if self.heap.node_count() == 0 {
            return Ok(());
        }
        self.reach(NodeId::ROOT)?;
        self.run_queue(&mut is_enough)
    }

    /// Looks at what is in the queue, and empties it.
    #[inline(always)]
    fn run_queue(&mut self, mut is_enough: impl FnMut(&NodeSet) -> bool) -> Result<(), BuildError> {
        let mut at = 0;
        while let Some(&node) = self.queue.get(at)
            && !is_enough(&self.seen)
        {
            self.read_ahead(at);
            self.expand(NodeId(node))?;
            at += 1;
        }
        self.queue.clear();
        Ok(())
    }

    /// Prefetches what the nodes in the queue will need.
    #[inline]
    fn read_ahead(&self, at: usize) {
        let heap = self.heap;
        let ahead = |distance: usize| self.queue.get(at + distance).map(|node| NodeId(*node));
        if let Some(node) = ahead(16) {
            prefetch(heap.kind(node));
        }
        heap.prefetch_queued(ahead, |target| self.seen.prefetch(target));
    }

    fn expand(&mut self, node: NodeId) -> Result<(), BuildError> {
        let heap = self.heap;
        let mut released = self.waiting.release(node);
        while let Some(edge) = self.waiting.next(&mut released) {
            self.reach(heap.target(edge as usize))?;
        }
        let below_upvalue = heap.kind(node) == Kind::Upvalue;
        for edge in heap.edge_range(node) {
            let target = heap.target(edge);
            if self.seen.contains(target) {
                continue;
            }
            if self.through == Through::Objects && heap.labels[edge].is_constant() {
                continue;
            }
            if below_upvalue && !self.through.has_below_upvalue(heap.kind(target)) {
                continue;
            }
            match heap.strength(edge) {
                Strength::Strong => self.reach(target)?,
                Strength::WeakKey | Strength::WeakValue => {}
                Strength::Ephemeron => match heap.label(edge) {
                    Label::Object(key) if !self.is_reached(key) => {
                        self.waiting.add(key, edge as u32)?;
                    }
                    _ => self.reach(target)?,
                },
            }
        }
        Ok(())
    }

    fn is_reached(&self, node: NodeId) -> bool {
        self.seen.contains(node)
            && (node == NodeId::ROOT || self.through.has(self.heap.kind(node)))
            && self.gone.as_ref().is_none_or(|gone| !gone.contains(node))
    }

    /// Marks a node, which is looked at later.
    #[inline]
    fn reach(&mut self, node: NodeId) -> Result<(), BuildError> {
        if self.seen.insert(node) {
            self.count += 1;
            if node >= self.ordered {
                return push(&mut self.queue, node.0);
            }
        }
        Ok(())
    }
}
