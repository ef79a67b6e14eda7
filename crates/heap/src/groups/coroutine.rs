//! The function of a coroutine, and what coroutines of a group have in common.

use crate::graph::error::BuildError;
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::name::NameId;
use crate::graph::node::NodeId;
use crate::graph::thread_state::{CodePlace, ThreadState, ThreadStatus};
use crate::groups::fingerprint::FingerprintHasher;

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

/// What the coroutines of a group have in common: what to do about a thousand that wait at one line is
/// another thing than about a thousand that an error ended.
#[derive(Clone, Copy, PartialEq, Eq, Hash, Debug)]
pub struct CoroutineName {
    /// Their status.
    pub status: ThreadStatus,
    /// Where they wait or died: see [`ThreadState::place`].
    pub place: CodePlace,
    /// The line where the function there is defined.
    pub defined: u32,
    /// Where that function was called.
    pub caller: CodePlace,
}

impl From<&ThreadState> for CoroutineName {
    fn from(state: &ThreadState) -> CoroutineName {
        CoroutineName {
            status: state.status,
            place: state.place,
            defined: state.defined,
            caller: state.caller,
        }
    }
}

impl CoroutineName {
    /// Returns it with its names as they are in another heap.
    pub(crate) fn with_names(
        self,
        mut name: impl FnMut(NameId) -> Result<NameId, BuildError>,
    ) -> Result<CoroutineName, BuildError> {
        Ok(CoroutineName {
            place: self.place.with_name(&mut name)?,
            caller: self.caller.with_name(&mut name)?,
            ..self
        })
    }

    /// Adds the name to a fingerprint.
    pub(crate) fn add_to(self, hasher: FingerprintHasher, heap: &Heap) -> FingerprintHasher {
        let place = |hasher: FingerprintHasher, place: CodePlace| {
            hasher
                .text(heap.name(place.source))
                .number(place.line.into())
        };
        let hasher = hasher
            .text(b"coroutine")
            .text(self.status.name().as_bytes());
        place(place(hasher, self.place), self.caller).number(self.defined.into())
    }
}
