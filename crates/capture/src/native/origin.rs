//! Where a capture is made, and what it starts from.

use crate::native::layout_mismatch::{Failure, LayoutMismatch};
use luasnap_heap::{Kind, NodeId, SweepBuilder};

/// The circumstances of a capture.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// The metatable by which our own snapshots are recognized; 0 where there is none.
    pub(crate) own_metatable: u64,
    /// Tables, each with its metatable as the API tells it, 0 where it has none. Entries whose
    /// table is 0 are unused.
    pub(crate) metatables: [(u64, u64); 2],
    /// The module's function that runs; 0 where none does.
    pub(crate) own_function: u64,
    /// The thread that runs it; 0 where none does.
    pub(crate) running_thread: u64,
    /// Whether the VM was stopped at any of its instructions, not in a call of ours: a stack's top
    /// may be out of date, and a slot may refer to an object that is gone.
    pub(crate) is_stopped_at_any_instruction: bool,
    /// Bytes before each thread of a PUC Lua (`LUA_EXTRASPACE`), where they are not the usual ones.
    pub(crate) extra_space: Option<u64>,
}

/// The value that a capture starts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a> {
    /// Its address as the API tells it.
    pub(crate) address: u64,
    pub(crate) is_userdata: bool,
    /// Whether it is a C function.
    pub(crate) is_c_function: bool,
    /// Its name as a root.
    pub(crate) name: &'a [u8],
}

impl Root<'_> {
    /// Returns its node. A light C function gets one; any other value that was not found is an
    /// `UnknownReference`.
    pub(super) fn node(self, heap: &mut SweepBuilder) -> Result<NodeId, Failure> {
        let found = match self.is_userdata {
            // Its address is that of its payload, which `find` does not know.
            true => (1..heap.node_count() as u32).map(NodeId).find(|&node| {
                heap.kind(node) == Kind::Userdata && heap.address(node) == self.address
            }),
            false => heap
                .find(self.address)
                .or_else(|| heap.find_foreign(self.address)),
        };
        match found {
            Some(node) => Ok(node),
            None if self.is_c_function => Ok(heap.light_function(self.address)?),
            None => Err(LayoutMismatch::UnknownReference.into()),
        }
    }
}
