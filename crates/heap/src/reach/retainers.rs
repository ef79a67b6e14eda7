//! Retainers: everything that keeps an object alive directly, not only on the shortest path.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::reach::reach::Reach;
use crate::reach::upvalue::value_edge;

/// A retainer: an object with references that keep others alive.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Retainer {
    /// The object; [`NodeId::ROOT`] for GC roots.
    pub node: NodeId,
    /// The number of its first [edge](Heap::edge) to one of them, or to an upvalue that has one of them.
    pub edge: usize,
    /// The number of its references to them.
    pub references: u32,
}

/// Returns the retainers of `targets`, without the targets themselves, those with most references first.
///
/// An upvalue is a variable, which several closures may have. So not the upvalue is the retainer of its value, but
/// each of these closures is, unless an upvalue is itself among the targets. GC roots are one retainer for each
/// label.
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
    // The targets, and the upvalues that have them.
    let mut held = NodeSet::with_room_for(heap.node_count())?;
    for &target in targets {
        wanted.insert(target);
        held.insert(target);
    }
    for node in heap.nodes() {
        let value = value_edge(heap, node).map(|edge| heap.target(edge));
        if value.is_some_and(|value| wanted.contains(value)) {
            held.insert(node);
        }
    }
    let mut found = Vec::new();
    for node in heap.nodes() {
        // The targets and their upvalues do not count.
        if !reach.contains(node) || held.contains(node) {
            continue;
        }
        let holds = |edge: &usize| held.contains(heap.target(*edge)) && reach.holds(heap, *edge);
        let mut edges = heap.edge_range(node).filter(holds);
        if node == NodeId::ROOT {
            add_roots(heap, edges, &mut found)?;
        } else if let Some(edge) = edges.next() {
            let references = 1 + edges.count() as u32;
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
    sort_by_number(&mut found, |retainer| !u64::from(retainer.references))?;
    Ok(found)
}

/// Adds these edges of the synthetic root, as one retainer for each label. There are few labels.
fn add_roots(
    heap: &Heap,
    edges: impl Iterator<Item = usize>,
    found: &mut Vec<Retainer>,
) -> Result<(), BuildError> {
    for edge in edges {
        let label = heap.label(edge);
        let known = found
            .iter_mut()
            .find(|known| is_same_root(heap, heap.label(known.edge), label));
        match known {
            Some(known) => known.references += 1,
            None => push(
                found,
                Retainer {
                    node: NodeId::ROOT,
                    edge,
                    references: 1,
                },
            )?,
        }
    }
    Ok(())
}

fn is_same_root(heap: &Heap, a: Label, b: Label) -> bool {
    match (a, b) {
        (Label::Root(a), Label::Root(b)) => heap.name(a) == heap.name(b),
        (a, b) => a == b,
    }
}

/// Returns the edges by which a reachable object refers to itself: straight, or by an upvalue that has it.
pub fn references_to_itself<'a>(
    heap: &'a Heap,
    reach: &'a Reach,
    node: NodeId,
) -> impl Iterator<Item = usize> + 'a {
    let is_itself = move |target: NodeId| {
        let value = || value_edge(heap, target).map(|edge| heap.target(edge));
        target == node || heap.kind(target) == Kind::Upvalue && value() == Some(node)
    };
    let is_it = move |edge: &usize| reach.holds(heap, *edge) && is_itself(heap.target(*edge));
    heap.edge_range(node).filter(is_it)
}
