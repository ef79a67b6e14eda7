//! What a coroutine runs.

use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::node::NodeId;

/// What the slot of a call's function is called.
const FUNCTION: &[u8] = b"(function):";

/// The function that a coroutine was started with, be it one in Lua or in C. `None` of a coroutine that is
/// done, and of a thread that runs none.
///
/// A thread refers to what its calls have from the innermost outwards, so it is the function of the
/// last call.
pub fn coroutine_body(heap: &Heap, thread: NodeId) -> Option<NodeId> {
    let is_call = |edge: &usize| matches!(heap.label(*edge), Label::Local(name) if heap.name(name).starts_with(FUNCTION));
    let outermost = heap.edge_range(thread).rev().find(is_call)?;
    Some(heap.target(outermost))
}
