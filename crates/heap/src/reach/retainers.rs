//! Retainers: everything that keeps an object alive directly, not only on the shortest path.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::reach::reach::Reach;

/// A retainer: an object with references that keep others alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retainer {
    /// The object; [`NodeId::ROOT`] for a GC root.
    pub node: NodeId,
    /// The number of its first [edge](Heap::edge) to one of them.
    pub edge: usize,
    /// The number of its references to them.
    pub references: u32,
}

/// Returns the retainers of `targets`, without the targets themselves, those with most references first.
///
/// Weak references and garbage keep nothing alive. `reach` is the [`Reach`] of the heap through everything.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Reach, Strength, Through};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// // `_G` has two tables, and both have the same third one.
/// let mut builder = HeapBuilder::new();
/// let mut nodes = [NodeId::ROOT; 4];
/// for (node, address) in nodes.iter_mut().zip([0x10, 0x20, 0x30, 0x40]) {
///     (*node, _) = builder.node(Kind::Table, address)?;
/// }
/// let [globals, left, right, shared] = nodes;
/// let name = builder.name(b"_G")?;
/// builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
/// for (from, to, index) in [(globals, left, 1), (globals, right, 2), (left, shared, 3), (right, shared, 4)] {
///     builder.edge(from, to, Label::Index(index), Strength::Strong)?;
/// }
/// let heap = builder.finish()?;
/// let reach = Reach::new(&heap, Through::Everything)?;
///
/// let retainers = luasnap_heap::retainers_of(&heap, &reach, &[shared])?;
/// assert_eq!(retainers.len(), 2);
/// assert_eq!(retainers[0].node, left);
/// assert_eq!(heap.label(retainers[0].edge), Label::Index(3));
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out.
pub fn retainers_of(
    heap: &Heap,
    reach: &Reach,
    targets: &[NodeId],
) -> Result<Vec<Retainer>, BuildError> {
    let mut wanted = NodeSet::with_room_for(heap.node_count())?;
    for &target in targets {
        wanted.insert(target);
    }
    let mut found = Vec::new();
    for node in heap.nodes() {
        if !reach.contains(node) || wanted.contains(node) {
            continue;
        }
        let mut holds = heap
            .edge_range(node)
            .filter(|&edge| wanted.contains(heap.target(edge)) && reach.holds(heap, edge));
        if let Some(edge) = holds.next() {
            let references = 1 + holds.count() as u32;
            push(
                &mut found,
                Retainer {
                    node,
                    edge,
                    references,
                },
            )?;
        }
    }
    // Ties keep the order of the nodes.
    found.sort_by_key(|retainer| std::cmp::Reverse(retainer.references));
    Ok(found)
}
