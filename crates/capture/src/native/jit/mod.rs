//! The sweep of LuaJIT.

use super::layout::JitLayout;
use super::memory::Memory;
use super::misfit::{Misfit, Swept};
use super::{Origin, Swept as SweptHeap};

/// A sweep of a LuaJIT.
pub(crate) struct Sweep<'m, M> {
    _memory: &'m M,
}

impl<'m, M: Memory> Sweep<'m, M> {
    /// A sweep of the VM whose global state is at `global`.
    pub(crate) fn new(
        memory: &'m M,
        _layout: &'static JitLayout,
        _global: u64,
        _origin: Origin,
    ) -> Swept<Self> {
        Ok(Sweep { _memory: memory })
    }

    /// Sweeps the heap.
    pub(crate) fn run(self) -> Swept<SweptHeap> {
        Err(Misfit::GlobalState.into())
    }
}
