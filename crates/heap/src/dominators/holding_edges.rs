//! The references that keep something alive, among all reachable nodes.
//!
//! The value of an ephemeron is kept alive by its table and its key together. If both are reachable, each
//! counts as having a reference to it: then neither dominates it, but a common dominator does.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::graph::strength::Strength;
use crate::reach::reach::{Reach, Through};
use std::cell::OnceCell;

/// The references of a heap that keep their targets alive.
pub(crate) struct HoldingEdges<'a> {
    heap: &'a Heap,
    /// The reachable nodes, known from the start if there are ephemerons.
    reach: OnceCell<Reach>,
    /// Key and value of each ephemeron, by keys.
    values: Vec<(NodeId, NodeId)>,
    /// Their keys; empty if there are no values.
    keys: NodeSet,
}

impl<'a> HoldingEdges<'a> {
    pub(crate) fn new(heap: &'a Heap) -> Result<Self, BuildError> {
        let mut holding = HoldingEdges {
            heap,
            reach: OnceCell::new(),
            values: Vec::new(),
            keys: NodeSet::default(),
        };
        let mut strengths = heap.labels.iter().map(|label| label.strength());
        if strengths.any(|strength| strength == Strength::Ephemeron) {
            holding.add_ephemerons()?;
        }
        Ok(holding)
    }

    fn add_ephemerons(&mut self) -> Result<(), BuildError> {
        let heap = self.heap;
        let reach = Reach::new(heap, Through::Everything)?;
        for table in heap.nodes().filter(|node| reach.contains(*node)) {
            for edge in heap.edge_range(table) {
                if let Some(key) = key(heap, edge).filter(|key| reach.contains(*key)) {
                    push(&mut self.values, (key, heap.target(edge)))?;
                }
            }
        }
        if self.values.len() > u32::MAX as usize - heap.edge_count() {
            return Err(BuildError::TooManyEdges);
        }
        let order = |(key, value): &(NodeId, NodeId)| u64::from(key.0) << 32 | u64::from(value.0);
        sort_by_number(&mut self.values, order)?;
        if !self.values.is_empty() {
            self.keys = NodeSet::with_room_for(heap.node_count())?;
        }
        for &(key, _) in &self.values {
            self.keys.insert(key);
        }
        self.reach = OnceCell::from(reach);
        Ok(())
    }

    /// Whether there are ephemerons.
    pub(crate) fn has_ephemerons(&self) -> bool {
        !self.values.is_empty()
    }

    /// Returns the reachable nodes.
    pub(super) fn reach(&self) -> Result<&Reach, BuildError> {
        if let Some(reach) = self.reach.get() {
            return Ok(reach);
        }
        let reach = Reach::new(self.heap, Through::Everything)?;
        Ok(self.reach.get_or_init(|| reach))
    }

    /// Whether a reference of a reachable node keeps its target alive.
    #[inline]
    fn holds(&self, edge: usize) -> bool {
        match self.heap.strength(edge) {
            Strength::Strong => true,
            _ => self
                .reach
                .get()
                .is_some_and(|reach| reach.holds(self.heap, edge)),
        }
    }

    /// Returns the values of which the node is the key.
    #[inline]
    fn values_of(&self, key: NodeId) -> &[(NodeId, NodeId)] {
        match self.has_ephemerons() && self.keys.contains(key) {
            false => &[],
            true => {
                let from = self.values.partition_point(|&(other, _)| other < key);
                let values = &self.values[from..];
                &values[..values.partition_point(|&(other, _)| other == key)]
            }
        }
    }

    /// Calls `found` with the target of each reference of a reachable node that keeps it alive.
    #[inline]
    pub(crate) fn for_each(
        &self,
        node: NodeId,
        mut found: impl FnMut(NodeId) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        for edge in self.heap.edge_range(node) {
            if self.holds(edge) {
                found(self.heap.target(edge))?;
            }
        }
        for &(_, value) in self.values_of(node) {
            found(value)?;
        }
        Ok(())
    }

    /// Prefetches the first references of a node.
    #[inline]
    pub(crate) fn expect_edges(&self, node: NodeId) {
        self.heap.prefetch_edge_range(node);
        self.heap.prefetch_first_edge(node);
    }
}

/// Returns the key of an ephemeron; `None` for all other references.
#[inline]
pub(crate) fn key(heap: &Heap, edge: usize) -> Option<NodeId> {
    match heap.strength(edge) {
        Strength::Ephemeron => match heap.label(edge) {
            Label::Object(key) => Some(key),
            _ => None,
        },
        _ => None,
    }
}
