//! What came below each node of the dominator tree since an older snapshot.

use crate::compare::object_changes::ObjectChanges;
use crate::graph::change::Change;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, room};
use crate::graph::node::NodeId;
use crate::snapshot::Snapshot;

/// What of a snapshot an older one does not have, by subtrees of the dominator tree. What is gone since counts
/// nowhere: it is below no object of this snapshot.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{Change, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength, SubtreeGrowth};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // `_G` with one table of 100 bytes for each address.
/// let snapshot = |addresses: &[u64]| -> Result<Snapshot, luasnap_heap::BuildError> {
///     let mut builder = HeapBuilder::new();
///     let (globals, _) = builder.node(Kind::Table, 0x10)?;
///     let name = builder.name(b"_G")?;
///     builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
///     for (index, address) in (1..).zip(addresses) {
///         let (table, _) = builder.node(Kind::Table, *address)?;
///         builder.set_size(table, 100);
///         builder.edge(globals, table, Label::Index(index), Strength::Strong)?;
///     }
///     Ok(Snapshot::new(builder.finish()?))
/// };
/// let (older, newer) = (snapshot(&[0x20])?, snapshot(&[0x20, 0x30])?);
/// let growth = SubtreeGrowth::new(&newer, &older)?;
/// assert_eq!(growth.below(&newer, NodeId::ROOT)?, 100);
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Default)]
pub struct SubtreeGrowth {
    changes: ObjectChanges,
    /// By place: the bytes that came at all places before; and at all places.
    before: Vec<u64>,
}

impl SubtreeGrowth {
    /// Finds what `snapshot` has more than `older`. Both are whole, and of one VM.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out; [`BuildError::TooManyEdges`] beyond 4,294,967,295 references.
    pub fn new(snapshot: &Snapshot, older: &Snapshot) -> Result<SubtreeGrowth, BuildError> {
        let changes = ObjectChanges::new(snapshot, older)?;
        let (heap, dominators) = (snapshot.everything(), snapshot.dominators()?);
        let mut before = room(dominators.len() + 1)?;
        let mut sum = 0u64;
        for place in 0..dominators.len() as u32 {
            before.push(sum);
            let node = dominators.node_at(place);
            let came = match changes.alone.contains(node) {
                _ if node == NodeId::ROOT => 0,
                true => heap.size(node),
                false => changes.larger(node).map_or(0, |larger| larger.bytes),
            };
            sum = sum.saturating_add(came);
        }
        before.push(sum);
        Ok(SubtreeGrowth { changes, before })
    }

    /// Returns how many bytes of what a node retains came since, itself included. `snapshot` is the newer one.
    ///
    /// # Errors
    ///
    /// As [`Snapshot::dominators`].
    pub fn below(&self, snapshot: &Snapshot, node: NodeId) -> Result<u64, BuildError> {
        let places = snapshot.dominators()?.subtree(node);
        let at = |place: u32| self.before.get(place as usize).copied().unwrap_or(0);
        Ok(at(places.end) - at(places.start))
    }

    /// Returns how an object changed: [`Change::New`], [`Change::Grew`] for a table with more entries, or
    /// [`Change::None`].
    pub fn change(&self, node: NodeId) -> Change {
        if node != NodeId::ROOT && self.changes.alone.contains(node) {
            return Change::New;
        }
        match self.changes.larger(node) {
            Some(larger) if larger.entries > 0 => Change::Grew(larger.entries),
            _ => Change::None,
        }
    }

    /// Returns the bytes of memory that it takes.
    pub fn memory(&self) -> usize {
        self.changes.memory() + held(&self.before)
    }
}
