//! How owners spread from objects to what these hold.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::prefetch::prefetch;
use crate::owners::evidence::OwnerId;
use crate::owners::joint_owners::JointOwners;
use crate::owners::places::Places;
use crate::reach::reach::Reach;

/// The owners of all objects, as far as they are known.
///
/// They become known in rounds: what an earlier round has found, a later one does not change. Within a round
/// whatever is [given](Spread::give) counts, in any order: an object's owner changes at most four times, from
/// nobody to one, from one to a few and from these to very many, so each reference is followed at most so often.
pub(crate) struct Spread<'a> {
    heap: &'a Heap,
    reach: &'a Reach,
    /// That these have an object says nothing.
    is_place: NodeSet,
    of: Vec<OwnerId>,
    /// The objects of earlier rounds.
    is_settled: NodeSet,
    /// Objects whose owner has changed.
    pending: Vec<NodeId>,
    /// The sets of owners among them.
    pub(crate) joint: JointOwners,
}

impl<'a> Spread<'a> {
    pub(crate) fn new(
        heap: &'a Heap,
        reach: &'a Reach,
        places: &Places,
    ) -> Result<Self, BuildError> {
        let mut is_place = NodeSet::with_room_for(heap.node_count())?;
        for place in places.all() {
            is_place.insert(place);
        }
        Ok(Spread {
            heap,
            reach,
            is_place,
            of: filled(heap.node_count(), OwnerId::NONE)?,
            is_settled: NodeSet::with_room_for(heap.node_count())?,
            pending: Vec::new(),
            joint: JointOwners::default(),
        })
    }

    /// Returns what is known of an object's owner.
    #[inline]
    pub(crate) fn of(&self, node: NodeId) -> OwnerId {
        self.of[node.index()]
    }

    /// Whether an earlier round, or [`fix`](Self::fix), has found an object's owner.
    #[inline]
    pub(crate) fn is_settled(&self, node: NodeId) -> bool {
        self.is_settled.contains(node)
    }

    /// Makes an object somebody's, whoever else has it; unless it is somebody's so already.
    pub(crate) fn fix(&mut self, node: NodeId, owner: OwnerId) {
        if owner.is_known() && node != NodeId::ROOT && self.is_settled.insert(node) {
            self.of[node.index()] = owner;
        }
    }

    /// Makes an object a place: that it has an object then says nothing.
    pub(crate) fn make_place(&mut self, node: NodeId) {
        self.is_place.insert(node);
    }

    /// Says that somebody has an object.
    #[inline]
    pub(crate) fn give(&mut self, node: NodeId, owner: OwnerId) -> Result<(), BuildError> {
        if self.is_settled.contains(node) || node == NodeId::ROOT {
            return Ok(());
        }
        let known = self.of[node.index()];
        let new = self.joint.join(known, owner)?;
        if new != known {
            self.of[node.index()] = new;
            push(&mut self.pending, node)?;
        }
        Ok(())
    }

    /// Ends a round in which all was said: what the objects hold is not looked at.
    pub(crate) fn settle(&mut self) {
        for (node, _) in self.heap.nodes().zip(&self.of).filter(|of| of.1.is_known()) {
            self.is_settled.insert(node);
        }
        self.pending.clear();
    }

    /// Ends a round: all that objects with an owner hold is theirs.
    pub(crate) fn spread(&mut self) -> Result<(), BuildError> {
        while let Some(node) = self.pending.pop() {
            self.read_ahead();
            self.give_all(node)?;
        }
        self.settle();
        Ok(())
    }

    /// The same, and begins with all objects of earlier rounds.
    pub(crate) fn spread_from_all(&mut self) -> Result<(), BuildError> {
        for node in self.heap.nodes() {
            if self.is_settled.contains(node) {
                self.give_all(node)?;
            }
        }
        self.spread()
    }

    #[inline]
    fn give_all(&mut self, node: NodeId) -> Result<(), BuildError> {
        let heap = self.heap;
        if self.is_place.contains(node) {
            return Ok(());
        }
        let owner = self.of(node);
        let is_thread = heap.kind(node) == Kind::Thread;
        for edge in heap.edge_range(node) {
            // What is on a stack comes later, see `rounds`.
            if self.reach.holds(heap, edge) && !(is_thread && is_slot(heap, edge)) {
                self.give(heap.target(edge), owner)?;
            }
        }
        Ok(())
    }

    /// Prefetches what the next pending objects need.
    #[inline]
    fn read_ahead(&self) {
        let ahead = |distance: usize| {
            let place = self.pending.len().checked_sub(distance)?;
            self.pending.get(place).copied()
        };
        self.heap
            .prefetch_queued(ahead, |target| prefetch(self.of[target.index()]));
    }

    pub(crate) fn into_owners(self) -> (Vec<OwnerId>, JointOwners) {
        (self.of, self.joint)
    }
}

/// Whether a reference of a thread is a slot of its stack.
#[inline]
pub(crate) fn is_slot(heap: &Heap, edge: usize) -> bool {
    matches!(heap.label(edge), Label::Local(_))
}
