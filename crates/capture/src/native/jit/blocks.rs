//! The VM's memory that is not objects.

use crate::layout::ABSENT;
use crate::memory::memory::Memory;
use crate::native::jit::global_state::{buffer_size, segment_count};
use crate::native::jit::references::References;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};

/// Bytes of an instruction of a trace, an entry of a snapshot's map, a segment of light userdata.
const INSTRUCTION: u64 = 8;
const MAP_ENTRY: u64 = 4;
const SEGMENT: u64 = 4;
/// Bytes of a block of constants of traces (`K64Array`, which lj_ir.c has: a reference to the next
/// one, their number, and room for `LJ_MIN_K64SZ` of them).
const CONSTANTS: u64 = 4 + 4 + 16 * 8;

impl<M: Memory, R: References> Sweep<'_, M, R> {
    /// Counts all of it.
    pub(super) fn list_blocks(&mut self) -> Swept {
        let places = &self.layout.global_state;
        let global = self.global;
        let buckets = u64::from(global.int(places.strings_mask)) + 1;
        let segments = SEGMENT * segment_count(self.layout, global);
        self.ledger.block("global state", u64::from(places.whole))?;
        self.ledger
            .block("string table", u64::from(R::SIZE) * buckets)?;
        self.ledger
            .block("buffer", buffer_size(self.layout, global))?;
        let buffers = self.trace_buffers()?;
        self.ledger.block("trace buffers", buffers)?;
        self.ledger.block("C types", self.c_types.size())?;
        self.ledger.block("light userdata segments", segments)
    }

    /// Whether the compiler has made a trace. Each has a snapshot, for which there is a buffer since.
    pub(super) fn has_traces(&self) -> bool {
        let jit = self.layout.global_state.to_jit_state;
        jit != ABSENT && self.global.int(jit + self.layout.jit_state.snapshot_count) != 0
    }

    /// Bytes that the compiler keeps from one trace to the next. Machine code is not the VM's
    /// memory.
    fn trace_buffers(&self) -> Swept<u64> {
        let places = &self.layout.jit_state;
        let jit = self.layout.global_state.to_jit_state;
        if jit == ABSENT {
            return Ok(0);
        }
        let count = |place: u16| u64::from(self.global.int(jit + place));
        let instructions = count(places.ir_top).saturating_sub(count(places.ir_bottom));
        Ok(count(places.snapshot_map_count) * MAP_ENTRY
            + count(places.snapshot_count) * u64::from(places.snapshot_size)
            + instructions * INSTRUCTION
            + count(places.trace_count) * u64::from(R::SIZE)
            + self.blocks_of_constants()?)
    }

    /// Bytes of the constants of 64 bits, which traces of 2.0 do not have themselves.
    fn blocks_of_constants(&self) -> Swept<u64> {
        let place = self.layout.jit_state.constants;
        if place == ABSENT {
            return Ok(0);
        }
        let mut size = 0;
        let mut next = R::at(self.global, self.layout.global_state.to_jit_state + place);
        while next != 0 {
            size += CONSTANTS;
            // Even a ring comes to an end.
            if size > self.ledger.missing() {
                let total = self.ledger.total();
                return Err(LayoutMismatch::TooLarge { total }.into());
            }
            next = self
                .reference(next)
                .ok_or(LayoutMismatch::Unreadable(&"the constants of traces"))?;
        }
        Ok(size)
    }
}
