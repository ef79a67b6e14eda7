//! Who holds an object: everything that refers to it, not only the shortest path.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::reach::reach::Reach;

/// An object that holds others, and by what.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retainer {
    /// The object; [`NodeId::ROOT`] for a root.
    pub node: NodeId,
    /// The number of the first [edge](Heap::edge) by which it holds one of them.
    pub edge: usize,
    /// How many of its references hold one of them.
    pub references: u32,
}

/// The distinct objects outside `targets` that hold one of them, those with most references first.
///
/// Weak references hold nothing, nor does what is garbage itself. `reach` is what the heap's roots
/// reach through everything.
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
