//! From where and from what a capture starts.

use crate::native::layout_mismatch::{Failure, LayoutMismatch};
use luasnap_heap::{Kind, NodeId, SweepBuilder};

/// From where a capture is made, which is no part of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// The metatable by which our own snapshots are known; 0 where there is none.
    pub(crate) own_metatable: u64,
    /// Tables, each with its metatable as the API tells it, 0 where it has none. A table at 0 is none.
    pub(crate) metatables: [(u64, u64); 2],
    /// The module's function that runs; 0 where none does.
    pub(crate) own_function: u64,
    /// The thread that runs it; 0 where none does.
    pub(crate) running_thread: u64,
    /// The VM was stopped at any of its instructions, not in a call of ours: what a stack's top says
    /// may be out of date, and a slot may hold what is gone.
    pub(crate) is_stopped_anywhere: bool,
}

/// The value that a capture starts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a> {
    /// Its address as the API tells it.
    pub(crate) address: u64,
    pub(crate) is_userdata: bool,
    /// Whether it is a function in C.
    pub(crate) is_c_function: bool,
    /// What it is called.
    pub(crate) name: &'a [u8],
}

impl Root<'_> {
    /// Its node.
    pub(super) fn node(self, heap: &mut SweepBuilder) -> Result<NodeId, Failure> {
        let found = match self.is_userdata {
            // It is known by its payload, which the map does not have.
            true => (1..heap.node_count() as u32).map(NodeId).find(|&node| {
                heap.kind(node) == Kind::Userdata && heap.address(node) == self.address
            }),
            false => heap.find(self.address),
        };
        match found {
            Some(node) => Ok(node),
            None if self.is_c_function => Ok(heap.light_function(self.address)?),
            None => Err(LayoutMismatch::UnknownReference.into()),
        }
    }
}
