//! The VM's memory that is not objects.

use crate::memory::memory::Memory;
use crate::native::jit::global_state::segment_count;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::Swept;

/// Bytes of a string table's bucket, an instruction of a trace, an entry of a snapshot's map, a
/// reference to a trace, a segment of light userdata.
const BUCKET: u64 = 8;
const INSTRUCTION: u64 = 8;
const MAP_ENTRY: u64 = 4;
const TRACE: u64 = 8;
const SEGMENT: u64 = 4;

impl<M: Memory> Sweep<'_, M> {
    /// Counts all of it.
    pub(super) fn list_blocks(&mut self) -> Swept {
        let places = &self.layout.global_state;
        let global = self.global;
        let buckets = u64::from(global.int(places.strings_mask)) + 1;
        let (start, end) = (
            global.word(places.buffer_start),
            global.word(places.buffer_end),
        );
        let segments = SEGMENT * segment_count(self.layout, global);
        self.ledger.block("global state", u64::from(places.whole))?;
        self.ledger.block("string table", BUCKET * buckets)?;
        self.ledger.block("buffer", end.wrapping_sub(start))?;
        self.ledger.block("trace buffers", self.trace_buffers())?;
        self.ledger.block("C types", self.c_types.size())?;
        self.ledger.block("light userdata segments", segments)
    }

    /// Bytes that the compiler keeps from one trace to the next. Machine code is not the VM's
    /// memory.
    fn trace_buffers(&self) -> u64 {
        let places = &self.layout.jit_state;
        let count = |place: u16| {
            u64::from(
                self.global
                    .int(self.layout.global_state.to_jit_state + place),
            )
        };
        let instructions = count(places.ir_top).saturating_sub(count(places.ir_bottom));
        count(places.snapshot_map_count) * MAP_ENTRY
            + count(places.snapshot_count) * u64::from(places.snapshot_size)
            + instructions * INSTRUCTION
            + count(places.trace_count) * TRACE
    }
}
