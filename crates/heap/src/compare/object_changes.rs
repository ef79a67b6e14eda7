//! How each object changed between two snapshots, on everything that they have.

use crate::compare::twins::{BLOCK, match_twins};
use crate::compare::view::View;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push};
use crate::graph::kind::Kind;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::snapshot::Snapshot;

/// The changes of all objects of a snapshot.
#[derive(Debug, Default)]
pub(crate) struct ObjectChanges {
    /// What the other snapshot does not have.
    pub(crate) alone: NodeSet,
    /// What has more entries or bytes than there, in the order of the nodes.
    larger: Vec<Larger>,
    /// What the other snapshot has, but does not show to people, in the order of the nodes.
    unseen: Vec<NodeId>,
}

/// A table that is larger than its twin.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Larger {
    pub(crate) node: NodeId,
    /// By how many entries.
    pub(crate) entries: u32,
    /// By how many bytes.
    pub(crate) bytes: u64,
}

impl ObjectChanges {
    /// Finds what `side` has more than `other`. What is garbage there counts as there.
    pub(crate) fn new(side: &Snapshot, other: &Snapshot) -> Result<ObjectChanges, BuildError> {
        Self::with_twins(side, other, |_| true)
    }

    /// Finds what `side` has more than `other`, and what people saw in none but `side`: `is_seen` is about
    /// nodes of `other`.
    pub(crate) fn with_twins(
        side: &Snapshot,
        other: &Snapshot,
        is_seen: impl Fn(NodeId) -> bool,
    ) -> Result<ObjectChanges, BuildError> {
        let (view, twins) = (View::of(side), View::of(other));
        let mut changes = ObjectChanges {
            alone: NodeSet::with_room_for(view.heap.node_count())?,
            ..ObjectChanges::default()
        };
        // What is as it was, and was seen, is not among the changes.
        let is_nothing = |twin: NodeId| (twin.0..).take(BLOCK).map(NodeId).all(&is_seen);
        match_twins(view, twins, is_nothing, |node, twin| {
            let Some(twin) = twin else {
                changes.alone.insert(node);
                return Ok(());
            };
            if !is_seen(twin) {
                push(&mut changes.unseen, node)?;
            }
            // Stacks grow by what was called, whatever is left of it.
            if view.heap.kind(node) != Kind::Table {
                return Ok(());
            }
            let count = view.heap.count(node);
            let entries = count.saturating_sub(twins.heap.count(twin));
            let bytes = view.heap.size(node).saturating_sub(twins.heap.size(twin));
            if entries == 0 && bytes == 0 {
                return Ok(());
            }
            let larger = Larger {
                node,
                entries,
                bytes,
            };
            push(&mut changes.larger, larger)
        })?;
        // Twins that are not found at once come at the end.
        sort_by_number(&mut changes.larger, |larger| u64::from(larger.node.0))?;
        sort_by_number(&mut changes.unseen, |node| u64::from(node.0))?;
        Ok(changes)
    }

    /// Whether people see a node in none but this snapshot.
    pub(crate) fn is_new_to_people(&self, node: NodeId) -> bool {
        self.alone.contains(node) || self.unseen.binary_search(&node).is_ok()
    }

    /// Returns all that people see in none but this snapshot.
    pub(crate) fn new_to_people(&self) -> Result<NodeSet, BuildError> {
        let mut new = self.alone.copied()?;
        for &node in &self.unseen {
            new.insert(node);
        }
        Ok(new)
    }

    /// Returns by how much an object is larger than its twin, if it is.
    pub(crate) fn larger(&self, node: NodeId) -> Option<Larger> {
        let at = self
            .larger
            .binary_search_by_key(&node, |larger| larger.node);
        at.ok().map(|at| self.larger[at])
    }

    /// Returns what has more entries or bytes than its twin, in the order of the nodes.
    pub(crate) fn all_larger(&self) -> &[Larger] {
        &self.larger
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        self.alone.memory() + held(&self.larger) + held(&self.unseen)
    }
}
