//! In which order a VM allocated its objects, which tells objects apart that lay at one address
//! one after the other.
//!
//! A VM links each new object before all others of a list, so a list has its newest objects first.
//! A marker that was made right after a snapshot lies between what was there then and what came
//! later, for as long as the marker lives.

use crate::error::BuildError;
use crate::grow::push;
use crate::node::NodeId;

/// What the order of a run of nodes tells.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunOrder {
    /// The objects allocated last come first.
    Allocation,
    /// Those that got their finalizer last come first (5.2 and later). One may have been allocated
    /// long before.
    Finalizer,
    /// Nothing: a hash table's order, or none at all.
    None,
}

/// Nodes that lie one after the other because they lay so in one of the VM's lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The first of them. The run goes on to the start of the next one.
    pub start: NodeId,
    /// What their order tells.
    pub order: RunOrder,
}

/// A marker in a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct Mark {
    pub(crate) address: u64,
    /// Where it lies among the nodes: those before it in its run are newer.
    pub(crate) place: NodeId,
}

/// In which order a VM allocated the objects of a heap.
#[derive(Clone, Debug, Default)]
pub struct AllocationOrder {
    /// By their starts.
    pub(crate) runs: Vec<Run>,
    /// By their places.
    pub(crate) marks: Vec<Mark>,
}

impl AllocationOrder {
    /// Says that a run starts at `start`, behind all others.
    pub(crate) fn begin(&mut self, start: NodeId, order: RunOrder) -> Result<(), BuildError> {
        push(&mut self.runs, Run { start, order })
    }

    /// Notes the marker at `address`, behind all others.
    pub(crate) fn mark(&mut self, address: u64, place: NodeId) -> Result<(), BuildError> {
        push(&mut self.marks, Mark { address, place })
    }
}
