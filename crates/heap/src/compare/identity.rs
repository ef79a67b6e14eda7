//! Whether objects with one address in two captures are the same.
//!
//! A VM reuses the addresses of objects that are gone. Right after a capture two markers are
//! allocated that live as long as the snapshot does. A later capture finds them, and what the VM
//! has allocated since precedes them in its lists (see
//! [`AllocationOrder`](crate::AllocationOrder)).

use crate::compare::view::View;
use crate::graph::allocation_order::{AllocationOrder, RunOrder};
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::node::NodeId;
use crate::graph::provenance::Process;
use crate::snapshot::Snapshot;
use std::ops::Range;

/// Nodes of the later capture that come before a marker of the earlier one.
#[derive(Clone, Copy, Debug)]
struct Newer {
    start: NodeId,
    end: NodeId,
    order: RunOrder,
}

/// Tells whether an object of one snapshot and its twin in another, of the same kind and address,
/// are one object.
///
/// They are not if the later capture shows that its object was allocated after the earlier capture.
/// If the order of a list only tells which objects have got a finalizer since, they are not if the
/// earlier object had one already. If nothing is known (another VM, the portable engine, a
/// difference, which has lost the order) they are one object.
///
/// Lua puts an object that its own finalizer saved at the head of a list, so it counts as new.
pub(crate) struct Identity<'a> {
    side_is_later: bool,
    earlier: &'a AllocationOrder,
    /// In the order of the nodes.
    newer: Vec<Newer>,
}

impl<'a> Identity<'a> {
    /// Compares objects of `side` with twins in `other`.
    pub(crate) fn new(side: View<'a>, other: View<'a>) -> Result<Self, BuildError> {
        let mut identity = Identity {
            side_is_later: false,
            earlier: side.heap.allocation_order(),
            newer: Vec::new(),
        };
        let (Some(of_side), Some(of_other)) =
            (side.snapshot.birthmark(), other.snapshot.birthmark())
        else {
            return Ok(identity);
        };
        if of_side.vm_address != of_other.vm_address
            || of_side.vm_address == 0
            || of_side.sequence == of_other.sequence
            || process(side.snapshot) != process(other.snapshot)
        {
            return Ok(identity);
        }
        let (mut later, mut marks) = (other, of_side.marks);
        if of_side.sequence > of_other.sequence {
            identity.side_is_later = true;
            identity.earlier = other.heap.allocation_order();
            (later, marks) = (side, of_other.marks);
        }
        identity.newer = newer(later.heap.allocation_order(), marks)?;
        Ok(identity)
    }

    /// Whether an object of `side` certainly has no twin, so that no look-up is needed.
    #[inline]
    pub(crate) fn has_no_twin(&self, node: NodeId) -> bool {
        self.side_is_later
            && self
                .find(node)
                .is_some_and(|newer| newer.order == RunOrder::Allocation)
    }

    /// Returns the end of the run of newer objects of the other snapshot that contains `twin`.
    /// `side` has none of them, except those that have merely got a finalizer since.
    #[inline]
    pub(crate) fn end_of_newer(&self, twin: NodeId) -> Option<NodeId> {
        match self.side_is_later {
            true => None,
            false => self.find(twin).map(|newer| newer.end),
        }
    }

    /// Whether none of these objects of `side` and of the other snapshot came between the captures, as far as is known.
    pub(crate) fn are_all_older(&self, side: &Range<usize>, twins: &Range<usize>) -> bool {
        let later = match self.side_is_later {
            true => side,
            false => twins,
        };
        self.newer
            .iter()
            .all(|newer| later.end <= newer.start.index() || newer.end.index() <= later.start)
    }

    /// Whether `node` of `side` and `twin` of the other are one object.
    #[inline]
    pub(crate) fn is_same(&self, node: NodeId, twin: NodeId) -> bool {
        let (later, earlier) = match self.side_is_later {
            true => (node, twin),
            false => (twin, node),
        };
        match self.find(later) {
            None => true,
            Some(newer) if newer.order == RunOrder::Allocation => false,
            Some(_) => self.earlier.order_at(earlier) != RunOrder::Finalizer,
        }
    }

    #[inline]
    fn find(&self, node: NodeId) -> Option<Newer> {
        // There are at most as many as the VM has lists.
        let at = self.newer.iter().position(|newer| node < newer.end)?;
        Some(self.newer[at]).filter(|newer| newer.start <= node)
    }
}

/// Returns the process in which a snapshot was captured. Another process may have another VM at the
/// same address.
fn process(snapshot: &Snapshot) -> Option<Process> {
    snapshot.everything().provenance().process
}

/// Returns the nodes before the marks in their runs.
fn newer(later: &AllocationOrder, marks: [u64; 2]) -> Result<Vec<Newer>, BuildError> {
    let mut newer: Vec<Newer> = Vec::new();
    for mark in later
        .marks
        .iter()
        .filter(|mark| marks.contains(&mark.address))
    {
        let run = later.runs[mark.run as usize];
        let found = Newer {
            start: run.start,
            end: mark.place,
            order: run.order,
        };
        match newer.last_mut() {
            // Both marks are in one run: what precedes the later one came after the capture.
            Some(last) if last.start == found.start => *last = found,
            _ => push(&mut newer, found)?,
        }
    }
    newer.retain(|newer| newer.order != RunOrder::None && newer.start < newer.end);
    Ok(newer)
}
