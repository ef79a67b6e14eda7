//! Cdata: values of C types.

use crate::memory::memory::{Memory, Read};
use crate::native::jit::references::References;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::Swept;
use luasnap_heap::NodeId;

/// Size of `GCcdataVar`, which is before a cdata of variable size. That of `GCcdata`, which is
/// followed by the payload, is the size of a header: the number of its type is in what fills it up.
const OWN_SIZE: u16 = 8;
/// In `GCcdata.marked`: there is a `GCcdataVar`.
const HAS_OWN_SIZE: u8 = 0x80;
/// In `GCcdataVar`: bytes beside the payload, and bytes of the payload.
const EXTRA: u16 = 2;
const LEN: u16 = 4;

impl<M: Memory, R: References> Sweep<'_, M, R> {
    pub(super) fn cdata_size(&self, address: u64) -> Option<u64> {
        let cdata = self.memory.structure(address, R::HEADER)?;
        if cdata.byte(R::MARKED) & HAS_OWN_SIZE == 0 {
            let size = self.c_types.size_of(cdata.half(R::TYPE + 1))?;
            return Some(u64::from(R::HEADER) + size);
        }
        let start = address.checked_sub(u64::from(OWN_SIZE))?;
        let own = self.memory.structure(start, OWN_SIZE)?;
        Some(u64::from(own.int(LEN)) + u64::from(own.half(EXTRA)))
    }

    /// Sets the visible address, that of its payload. It has no references.
    pub(super) fn add_edges_of_cdata(&mut self, node: NodeId, address: u64) -> Swept {
        self.heap.set_address(node, address + u64::from(R::HEADER));
        Ok(())
    }
}
