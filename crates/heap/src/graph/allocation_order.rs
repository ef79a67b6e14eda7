//! The order in which a VM allocated its objects. It tells apart objects that had the same address
//! at different times.
//!
//! A VM puts each new object at the head of a list, so a list has its newest objects first. A
//! marker that was allocated right after a snapshot separates the older from the newer objects, as
//! long as it lives.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push, room};
use crate::graph::node::NodeId;

/// What the order of a run of nodes means.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum RunOrder {
    /// The objects allocated last come first.
    Allocation,
    /// The objects that got their finalizer last come first (5.2 and later). They may have been allocated
    /// long before.
    Finalizer,
    /// Nothing: the order of a hash table, or no order.
    None,
}

/// Consecutive nodes, which were consecutive in one of the VM's lists.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Run {
    /// The first node. The run ends where the next one starts.
    pub start: NodeId,
    /// The meaning of their order.
    pub order: RunOrder,
}

/// A marker in a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Mark {
    /// Its [address](crate::Heap::address).
    pub address: u64,
    /// Its place among the nodes: the nodes before it in its run are newer.
    pub place: NodeId,
    /// The number of its run. The place alone is ambiguous if runs are empty in a view.
    pub run: u32,
}

/// The order in which a VM allocated the objects of a heap.
#[derive(Clone, Debug, Default)]
pub struct AllocationOrder {
    /// In the order of their starts.
    pub(crate) runs: Vec<Run>,
    /// In the order of their places.
    pub(crate) marks: Vec<Mark>,
}

impl AllocationOrder {
    /// Begins a run at `start`, after all others.
    pub(crate) fn begin(&mut self, start: NodeId, order: RunOrder) -> Result<(), BuildError> {
        push(&mut self.runs, Run { start, order })
    }

    /// Notes the marker at `address`, after all others. A marker outside all runs is ignored.
    pub(crate) fn mark(&mut self, address: u64, place: NodeId) -> Result<(), BuildError> {
        let Some(run) = self.run_number(place) else {
            return Ok(());
        };
        let run = run as u32;
        debug_assert!(self.marks.last().is_none_or(|mark| mark.place <= place));
        push(
            &mut self.marks,
            Mark {
                address,
                place,
                run,
            },
        )
    }

    /// Returns the number of the run that contains a node.
    pub(crate) fn run_number(&self, node: NodeId) -> Option<usize> {
        let behind = self.runs.partition_point(|run| run.start <= node);
        behind.checked_sub(1)
    }

    /// Returns the meaning of the order of the nodes around `node`.
    pub(crate) fn order_at(&self, node: NodeId) -> RunOrder {
        let run = self.run_number(node);
        run.map_or(RunOrder::None, |run| self.runs[run].order)
    }

    /// Returns the order of the nodes that a view keeps; `kept` says for each node whether it does.
    pub(crate) fn of_view(
        &self,
        kept: impl Iterator<Item = bool>,
    ) -> Result<AllocationOrder, BuildError> {
        let mut view = AllocationOrder {
            runs: room(self.runs.len())?,
            marks: room(self.marks.len())?,
        };
        let mut kept_before = NodeId::ROOT;
        // A run or a marker may come after the last node.
        for (node, is_kept) in (0..).map(NodeId).zip(kept.chain([false])) {
            while let Some(run) = self.runs.get(view.runs.len())
                && run.start <= node
            {
                let start = kept_before;
                view.runs.push(Run { start, ..*run });
            }
            while let Some(mark) = self.marks.get(view.marks.len())
                && mark.place <= node
            {
                let place = kept_before;
                view.marks.push(Mark { place, ..*mark });
            }
            kept_before.0 += u32::from(is_kept);
        }
        Ok(view)
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.runs) + held(&self.marks)
    }
}
