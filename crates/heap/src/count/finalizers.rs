//! Userdata with a finalizer: what a C library made, and so a sign of memory outside the VM.

use crate::count::census::reach_of;
use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::groups::class::metatable_of;
use crate::snapshot::Snapshot;

/// Returns the number of userdata whose metatable has a function in `__gc`: of a
/// [whole](crate::Provenance::is_whole) heap with the garbage, of a difference those that changed. The module's
/// own snapshots are not counted.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength, count_with_finalizer};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// let mut builder = HeapBuilder::new();
/// let (file, _) = builder.node(Kind::Userdata, 0x10)?;
/// let (metatable, _) = builder.node(Kind::Table, 0x20)?;
/// let (close, _) = builder.node(Kind::CFunction, 0x30)?;
/// let root = Label::Root(builder.name(b"file")?);
/// let gc = Label::Field(builder.name(b"__gc")?);
/// builder.edge(NodeId::ROOT, file, root, Strength::Strong)?;
/// builder.edge(file, metatable, Label::Metatable, Strength::Strong)?;
/// builder.edge(metatable, close, gc, Strength::Strong)?;
///
/// assert_eq!(count_with_finalizer(&Snapshot::new(builder.finish()?))?, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out.
pub fn count_with_finalizer(snapshot: &Snapshot) -> Result<u64, BuildError> {
    let heap = snapshot.everything();
    // A part of a heap may have come with the rest of it.
    let reach = match heap.provenance().is_whole {
        true => None,
        false => reach_of(snapshot)?,
    };
    let is_counted = |node: &NodeId| {
        heap.kind(*node) == Kind::Userdata
            && (!snapshot.is_difference() || snapshot.is_member(*node))
            && reach.as_ref().is_none_or(|reach| reach.contains(*node))
    };
    let metatables = || {
        let counted = heap.nodes().filter(is_counted);
        counted.filter_map(|node| metatable_of(heap, node))
    };
    if metatables().next().is_none() {
        return Ok(0);
    }
    // Many userdata share a large metatable: each is searched once.
    let mut seen = NodeSet::with_room_for(heap.node_count())?;
    let mut with_finalizer = NodeSet::with_room_for(heap.node_count())?;
    let mut count = 0;
    for metatable in metatables() {
        if seen.insert(metatable) && has_finalizer(heap, metatable) {
            with_finalizer.insert(metatable);
        }
        count += u64::from(with_finalizer.contains(metatable));
    }
    Ok(count)
}

fn has_finalizer(heap: &Heap, metatable: NodeId) -> bool {
    heap.edges(metatable).any(|edge| {
        matches!(edge.label, Label::Field(name) if heap.name(name) == b"__gc")
            && matches!(heap.kind(edge.target), Kind::LuaFunction | Kind::CFunction)
    })
}
