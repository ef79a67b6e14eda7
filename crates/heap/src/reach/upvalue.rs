//! Upvalues on the way to an object: variables that closures share, and no places of their own.

use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::node::NodeId;

/// Returns the edge from an upvalue to its value; `None` for any other node, and where the value is no object.
#[inline]
pub fn value_edge(heap: &Heap, node: NodeId) -> Option<usize> {
    if heap.kind(node) != Kind::Upvalue {
        return None;
    }
    heap.edge_range(node)
        .find(|edge| heap.label(*edge) == Label::Value)
}
