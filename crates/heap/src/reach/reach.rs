//! Which nodes the roots keep alive, by Lua's own rules.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::room;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::strength::Strength;
use crate::reach::ephemeron::Waiting;
use std::hint::black_box;

/// What references are followed through.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Through {
    /// Through every kind of node: what the VM's own collector would keep.
    Everything,
    /// Through objects, and from a closure through its upvalues: what the `objects` view shows.
    /// Strings, prototypes, cdata, traces and our own snapshots are not reached, nor is what only
    /// they hold, or a reference that the VM alone sees ([`Label::Constant`]).
    Objects,
}

impl Through {
    /// Whether the kind is reached at all.
    #[inline]
    fn has(self, kind: Kind) -> bool {
        self == Through::Everything || kind.is_object() || kind == Kind::Upvalue
    }

    /// Whether an upvalue holds the kind. In no VM is its value another upvalue; where memory says
    /// so all the same, a view would have no edge for what lies behind.
    #[inline]
    fn has_below_upvalue(self, kind: Kind) -> bool {
        self == Through::Everything || kind.is_object()
    }
}

/// The nodes that the roots of a heap keep alive.
///
/// Strong references are followed, and ephemerons once their key has been reached (those whose
/// label is no [`Label::Object`] at once); weak references are not.
#[derive(Clone, Debug)]
pub struct Reach {
    reached: NodeSet,
    through: Through,
    count: usize,
}

impl Reach {
    /// Marks what is reachable in `heap`.
    pub fn new(heap: &Heap, through: Through) -> Result<Reach, BuildError> {
        let mut marking = Marking::new(heap, through)?;
        marking.run()?;
        let Marking {
            mut seen, queue, ..
        } = marking;
        for node in shut(heap, through) {
            seen.remove(node);
        }
        Ok(Reach {
            reached: seen,
            through,
            count: queue.len().saturating_sub(1),
        })
    }

    /// Whether a node was reached. The synthetic root always is.
    #[inline]
    pub fn contains(&self, node: NodeId) -> bool {
        self.reached.contains(node)
    }

    /// How many nodes were reached, the synthetic root aside.
    pub fn count(&self) -> usize {
        self.count
    }

    /// Whether a reference of a reached node holds its target: strong ones, and ephemerons whose
    /// key was reached.
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

    /// What was followed.
    pub fn through(&self) -> Through {
        self.through
    }
}

/// The nodes that are not to be reached.
fn shut(heap: &Heap, through: Through) -> impl Iterator<Item = NodeId> + '_ {
    // Nothing is shut to one who goes through everything: then there is no need to look.
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

/// A marking under way.
struct Marking<'a> {
    heap: &'a Heap,
    through: Through,
    /// What was reached, and beside it, while the marking lasts, what is not to be: so that one
    /// bit says whether a target need be looked at.
    seen: NodeSet,
    /// What was reached, in that order: what is known of those ahead can be fetched in time.
    queue: Vec<u32>,
    /// Edges that wait for their key.
    waiting: Waiting<u32>,
}

impl<'a> Marking<'a> {
    fn new(heap: &'a Heap, through: Through) -> Result<Self, BuildError> {
        let mut seen = NodeSet::with_room_for(heap.node_count())?;
        for node in shut(heap, through) {
            seen.insert(node);
        }
        Ok(Marking {
            heap,
            through,
            seen,
            queue: room(heap.node_count())?,
            waiting: Waiting::default(),
        })
    }

    fn run(&mut self) -> Result<(), BuildError> {
        if self.heap.node_count() == 0 {
            return Ok(());
        }
        self.reach(NodeId::ROOT);
        let mut at = 0;
        while let Some(&node) = self.queue.get(at) {
            self.read_ahead(at);
            self.expand(NodeId(node))?;
            at += 1;
        }
        Ok(())
    }

    /// Reads some of what will be needed soon, as the search for paths does.
    #[inline]
    fn read_ahead(&self, at: usize) {
        let heap = self.heap;
        let ahead = |distance: usize| self.queue.get(at + distance).map(|node| NodeId(*node));
        if let Some(node) = ahead(16) {
            black_box((heap.edge_range(node), heap.kind(node)));
        }
        if let Some(node) = ahead(8) {
            let first = heap.edge_starts[node.index()] as usize;
            black_box((
                heap.targets.get(first).copied(),
                heap.labels.get(first).copied(),
            ));
        }
        if let Some(node) = ahead(4) {
            for edge in heap.edge_range(node).take(4) {
                self.seen.expect(heap.target(edge));
            }
        }
    }

    fn expand(&mut self, node: NodeId) -> Result<(), BuildError> {
        let heap = self.heap;
        if let Some((mut at, last)) = self.waiting.take(node) {
            loop {
                let (edge, next) = self.waiting.entry(at);
                self.reach(heap.target(edge as usize));
                if at == last {
                    break;
                }
                at = next;
            }
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
                Strength::Strong => self.reach(target),
                Strength::WeakKey | Strength::WeakValue => {}
                Strength::Ephemeron => match heap.label(edge) {
                    Label::Object(key) if !self.is_reached(key) => {
                        self.waiting.add(key, edge as u32)?;
                    }
                    _ => self.reach(target),
                },
            }
        }
        Ok(())
    }

    fn is_reached(&self, node: NodeId) -> bool {
        self.seen.contains(node) && (node == NodeId::ROOT || self.through.has(self.heap.kind(node)))
    }

    /// Marks a node. The queue has room for all of them.
    #[inline]
    fn reach(&mut self, node: NodeId) {
        if self.seen.insert(node) {
            self.queue.push(node.0);
        }
    }
}
