//! What a coroutine runs.

use crate::heap::Heap;
use crate::kind::Kind;
use crate::label::Label;
use crate::node::NodeId;

/// What the slot of a call's function is called.
const FUNCTION: &[u8] = b"(function):";

/// The function that a coroutine was started with, where that is one in Lua. `None` of a coroutine
/// that is done, and of a thread that runs none.
///
/// A thread refers to what its calls have from the innermost outwards, so it is the function of the
/// last call.
pub(crate) fn body(heap: &Heap, thread: NodeId) -> Option<NodeId> {
    let is_call = |edge: &usize| matches!(heap.label(*edge), Label::Local(name) if heap.name(name).starts_with(FUNCTION));
    let outermost = heap.edge_range(thread).rev().find(is_call)?;
    let function = heap.target(outermost);
    (heap.kind(function) == Kind::LuaFunction).then_some(function)
}
