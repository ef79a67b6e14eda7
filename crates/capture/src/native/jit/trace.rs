//! Traces: code that the compiler has compiled.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::references::{References, references};
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Label, NodeId};

const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a trace");
/// Bytes of an instruction or a constant, and of an entry of a snapshot's map.
const WORD: u16 = 8;
const MAP_ENTRY: u64 = 4;
/// In an instruction: offsets of its type, with flags, and of its opcode.
const TYPE: u16 = 4;
const OPCODE: u16 = 5;
/// `REF_TRUE`: the lowest of the three constants that every trace has. Its other constants are
/// below it.
const TRUE: u64 = 0x8000 - 3;
/// Distances from the opcode of those three (`IR_KPRI`) to that of an object (`IR_KGC`), to that of a
/// null constant (`IR_KNULL`), and to those of numbers of 64 bits (`IR_KNUM`, `IR_KINT64`).
const TO_OBJECT: u8 = 2;
const TO_NULL: u8 = 5;
const TO_NUMBER: u8 = 6;
const TO_INTEGER: u8 = 7;
/// `IRT_TYPE`, and by type whether a constant has a second word (`IRT_IS64`).
const TYPE_BITS: u8 = 0x1f;
const HAS_SECOND_WORD: u32 = 1
    | 1 << 3 // light userdata
    | 1 << 4 // strings
    | 1 << 6
    | 1 << 7
    | 1 << 8
    | 1 << 9 // addresses
    | 1 << 10
    | 1 << 11
    | 1 << 12 // userdata
    | 1 << 14 // doubles
    | 1 << 21
    | 1 << 22;

impl<'m, M: Memory, R: References> Sweep<'m, M, R> {
    fn trace(&self, address: u64) -> Option<Structure<'m>> {
        let size = self.layout.trace.size;
        // A build without the compiler has none.
        (size != ABSENT).then(|| self.memory.structure(address, size))?
    }

    /// Number of instructions and constants of a trace.
    fn instruction_count(&self, trace: Structure<'_>) -> u64 {
        let places = &self.layout.trace;
        let end = trace.int(places.instruction_end);
        u64::from(end.saturating_sub(trace.int(places.instruction_start)))
    }

    /// Bytes before a trace's instructions.
    fn trace_header(&self) -> u64 {
        u64::from(self.layout.trace.size).next_multiple_of(8)
    }

    pub(super) fn trace_size(&self, address: u64) -> Option<u64> {
        let places = &self.layout.trace;
        let trace = self.trace(address)?;
        let snapshot = u64::from(self.layout.jit_state.snapshot_size);
        let map_count = match places.snapshot_map_count_size {
            2 => u32::from(trace.half(places.snapshot_map_count)),
            _ => trace.int(places.snapshot_map_count),
        };
        Some(
            self.trace_header()
                + u64::from(WORD) * self.instruction_count(trace)
                + snapshot * u64::from(trace.half(places.snapshot_count))
                + MAP_ENTRY * u64::from(map_count),
        )
    }

    /// Adds a reference to the trace with this number; 0 is none.
    pub(super) fn refer_to_trace(&mut self, source: NodeId, number: u16) -> Swept {
        let address = match number {
            0 => None,
            number => references::<R>(self.traces).nth(usize::from(number)),
        };
        self.refer_to_object(source, address.unwrap_or(0), Label::Trace)
    }

    pub(super) fn add_edges_of_trace(&mut self, node: NodeId, address: u64) -> Swept {
        let places = &self.layout.trace;
        let trace = self.trace(address).ok_or(UNREADABLE)?;
        if trace.half(places.number) == 0 {
            return Ok(()); // it was flushed, and waits for the collector
        }
        self.refer_to_object(node, R::at(trace, places.prototype), Label::Prototype)?;
        self.refer_to_constants(node, address, trace)?;
        for place in [places.link, places.next_root, places.next_side] {
            self.refer_to_trace(node, trace.half(place))?;
        }
        Ok(())
    }

    /// Adds references to a trace's constants. They are before the instructions, each in one word
    /// or two.
    fn refer_to_constants(&mut self, node: NodeId, address: u64, trace: Structure<'_>) -> Swept {
        let first = u64::from(trace.int(self.layout.trace.instruction_start));
        let count = (TRUE + 1).checked_sub(first).ok_or(UNREADABLE)?;
        let start = address + self.trace_header();
        let constants = self.memory.items(start, count, WORD).ok_or(UNREADABLE)?;
        let mut constants = constants
            .rchunks_exact(usize::from(WORD))
            .rev()
            .map(Structure);
        let primitive = constants.next_back().ok_or(UNREADABLE)?.byte(OPCODE);
        while let Some(constant) = constants.next() {
            let opcode = constant.byte(OPCODE).wrapping_sub(primitive);
            let second = match self.has_second_word(constant, opcode) {
                true => constants.next(),
                false => None,
            };
            if opcode == TO_OBJECT {
                let place = if R::HAS_WIDE_ADDRESSES {
                    second
                } else {
                    Some(constant)
                };
                let object = place.map_or(0, |place| R::at(place, 0));
                self.refer_to_object(node, object, Label::Constant)?;
            }
        }
        Ok(())
    }

    /// Whether a constant has a second word: those of 64 bits do, but for builds that keep them
    /// elsewhere.
    fn has_second_word(&self, constant: Structure<'_>, opcode: u8) -> bool {
        if R::HAS_WIDE_ADDRESSES {
            return HAS_SECOND_WORD >> (constant.byte(TYPE) & TYPE_BITS) & 1 != 0
                && opcode != TO_NULL;
        }
        let are_elsewhere = self.layout.jit_state.constants != ABSENT;
        !are_elsewhere && matches!(opcode, TO_NUMBER | TO_INTEGER)
    }

    /// Address of the code at which a trace starts, if the instruction before `next` is the copy of
    /// its first one that the trace keeps.
    pub(super) fn start_of_trace(&self, next: u64) -> Option<u64> {
        let places = &self.layout.trace;
        let kept = next.checked_sub(4)?;
        let address = kept.checked_sub(u64::from(places.start_instruction))?;
        let node = self.heap.find(address)?;
        let is_trace = self.heap.kind(node) == luasnap_heap::Kind::Trace;
        let trace = self.trace(address).filter(|_| is_trace)?;
        Some(R::at(trace, places.start_code))
    }
}
