//! Cdata: values of C types.

use crate::memory::memory::{Memory, Read};
use crate::native::jit::header::{MARKED, WORD};
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::Swept;
use luasnap_heap::NodeId;

/// Sizes of `GCcdata`, which is followed by the payload, and of `GCcdataVar`, which is before a
/// cdata of variable size.
const CDATA: u16 = 16;
const OWN_SIZE: u16 = 8;
/// In `GCcdata`: the number of its type.
const TYPE_ID: u16 = 10;
/// In `GCcdata.marked`: there is a `GCcdataVar`.
const HAS_OWN_SIZE: u8 = 0x80;
/// In `GCcdataVar`: bytes beside the payload, and bytes of the payload.
const EXTRA: u16 = 2;
const LEN: u16 = 4;

impl<M: Memory> Sweep<'_, M> {
    pub(super) fn cdata_size(&self, address: u64) -> Option<u64> {
        let cdata = self.memory.structure(address, CDATA)?;
        if cdata.byte(MARKED) & HAS_OWN_SIZE == 0 {
            let size = self.c_types.size_of(cdata.half(TYPE_ID))?;
            return Some(u64::from(CDATA) + size);
        }
        let start = address.checked_sub(u64::from(OWN_SIZE))?;
        let own = self.memory.structure(start, WORD)?;
        Some(u64::from(own.int(LEN)) + u64::from(own.half(EXTRA)))
    }

    /// Sets the visible address, that of its payload. It has no references.
    pub(super) fn add_edges_of_cdata(&mut self, node: NodeId, address: u64) -> Swept {
        self.heap.set_address(node, address + u64::from(CDATA));
        Ok(())
    }
}
