//! Immediate dominators that are known by node. Of a few objects they tell what these retain, without a tree of all.

use crate::dominators::dominator_tree::Dominators;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, push, room};
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::tally::Tally;

/// The immediate dominator of each object.
///
/// They may have been read from a file. Each is a node of the heap, but together they need not be a tree: what lies on a
/// circle then counts as dominated by nothing.
#[derive(Debug)]
pub(crate) struct KnownDominators {
    /// By node; [`KnownDominators::NONE`] for what is unreachable, and for the synthetic root.
    immediate: Vec<NodeId>,
}

/// What is known of a node while retained sizes are summed up: a number below [`MOST`] is that of its nearest
/// dominator among those that are asked about.
mod mark {
    pub const MOST: u8 = 253;
    pub const NONE: u8 = 253;
    pub const UNKNOWN: u8 = 254;
    pub const ABOVE: u8 = 255;
}

impl KnownDominators {
    /// Stands for no dominator. No node has this id.
    const NONE: NodeId = NodeId(u32::MAX);

    /// Returns no dominators yet.
    pub(crate) fn new(heap: &Heap) -> Result<KnownDominators, BuildError> {
        Ok(KnownDominators {
            immediate: filled(heap.node_count(), Self::NONE)?,
        })
    }

    /// Notes the immediate dominator of a node.
    #[inline]
    pub(crate) fn note(&mut self, node: NodeId, dominator: NodeId) {
        self.immediate[node.index()] = dominator;
    }

    /// Returns the immediate dominator of a node. `None` for the synthetic root and for unreachable nodes.
    #[inline]
    pub(crate) fn immediate(&self, node: NodeId) -> Option<NodeId> {
        let known = self.immediate.get(node.index()).copied();
        known.filter(|dominator| *dominator != Self::NONE)
    }

    /// Returns what each of these nodes retains by itself, in one pass over the heap for each 253 of them.
    pub(crate) fn retained_by_each(
        &self,
        heap: &Heap,
        nodes: &[NodeId],
    ) -> Result<Vec<Tally>, BuildError> {
        let mut retained = Vec::new();
        for some in nodes.chunks(mark::MOST.into()) {
            for tally in self.retained_by_few(heap, some)? {
                push(&mut retained, tally)?;
            }
        }
        Ok(retained)
    }

    fn retained_by_few(&self, heap: &Heap, nodes: &[NodeId]) -> Result<Vec<Tally>, BuildError> {
        let mut marks = filled(heap.node_count(), mark::UNKNOWN)?;
        // Of each node, without what others of them retain.
        let mut own = filled(nodes.len(), Tally::default())?;
        for (number, node) in (0..).zip(nodes) {
            // One that comes twice is counted at its last place.
            marks[node.index()] = number;
        }
        for (number, node) in (0..).zip(nodes) {
            if marks[node.index()] == number && self.immediate(*node).is_some() {
                own[usize::from(number)].add(heap.size(*node));
            }
        }
        let mut above = Vec::new();
        // What holds an object mostly has a higher id.
        for node in heap.nodes().rev() {
            let mut at = node;
            let nearest = loop {
                match marks[at.index()] {
                    mark::UNKNOWN => {}
                    mark::ABOVE => break mark::NONE,
                    known => break known,
                }
                let Some(dominator) = self.immediate(at) else {
                    marks[at.index()] = mark::NONE;
                    break mark::NONE;
                };
                marks[at.index()] = mark::ABOVE;
                push(&mut above, at)?;
                at = dominator;
            };
            for node in above.drain(..) {
                marks[node.index()] = nearest;
                if let Some(own) = own.get_mut(usize::from(nearest)) {
                    own.add(heap.size(node));
                }
            }
        }
        self.with_nested(nodes, &own, &marks)
    }

    /// Adds to what each node retains without the others what those below it do.
    fn with_nested(
        &self,
        nodes: &[NodeId],
        own: &[Tally],
        marks: &[u8],
    ) -> Result<Vec<Tally>, BuildError> {
        let mut all = filled(nodes.len(), Tally::default())?;
        for (number, own) in own.iter().enumerate() {
            let mut at = nodes[number];
            // Above each node are at most all others.
            for _ in 0..nodes.len() {
                let place = usize::from(marks[at.index()]);
                all[place] = Tally::sum([all[place], *own].into_iter());
                let above = self.immediate(at).map(|above| marks[above.index()]);
                match above.and_then(|mark| nodes.get(usize::from(mark))) {
                    Some(next) => at = *next,
                    None => break,
                }
            }
        }
        for (number, node) in nodes.iter().enumerate() {
            all[number] = all[usize::from(marks[node.index()])];
        }
        Ok(all)
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.immediate)
    }
}

/// Immediate dominators, and what a few nodes retain: of the tree, or of what is known without one.
#[derive(Clone, Copy, Debug)]
pub struct ImmediateDominators<'a>(From<'a>);

#[derive(Clone, Copy, Debug)]
enum From<'a> {
    Tree(&'a Dominators),
    Known(&'a KnownDominators),
}

impl<'a> ImmediateDominators<'a> {
    pub(crate) fn of_tree(tree: &'a Dominators) -> Self {
        ImmediateDominators(From::Tree(tree))
    }

    pub(crate) fn of_known(known: &'a KnownDominators) -> Self {
        ImmediateDominators(From::Known(known))
    }

    /// Returns the nearest dominator of a node other than itself. `None` for the synthetic root and for
    /// unreachable nodes.
    pub fn immediate(self, node: NodeId) -> Option<NodeId> {
        match self.0 {
            From::Tree(tree) => tree.immediate(node),
            From::Known(known) => known.immediate(node),
        }
    }

    /// Returns the [retained size](Dominators::retained) of each of a few nodes of the heap.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn retained_by_each(self, heap: &Heap, nodes: &[NodeId]) -> Result<Vec<Tally>, BuildError> {
        match self.0 {
            From::Tree(tree) => {
                let mut retained = room(nodes.len())?;
                retained.extend(nodes.iter().map(|node| tree.retained(*node)));
                Ok(retained)
            }
            From::Known(known) => known.retained_by_each(heap, nodes),
        }
    }
}
