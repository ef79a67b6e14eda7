//! The function of a coroutine.

use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::node::NodeId;

/// The beginning of the name of a stack slot with the function of a call.
const FUNCTION: &[u8] = b"(function):";

/// Returns the function that a coroutine was started with, in Lua or in C. `None` for a coroutine that is
/// dead, and for a thread that runs no function.
pub fn coroutine_body(heap: &Heap, thread: NodeId) -> Option<NodeId> {
    let is_call = |edge: &usize| matches!(heap.label(*edge), Label::Local(name) if heap.name(name).starts_with(FUNCTION));
    // A thread refers to its calls from the innermost outwards.
    let outermost = heap.edge_range(thread).rev().find(is_call)?;
    Some(heap.target(outermost))
}
