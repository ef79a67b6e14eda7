//! References to objects and to memory of the VM's own, which have 64 bits (GC64), or 32 in a
//! process of 64 (2.0, 2.1 with `LUAJIT_DISABLE_GC64`).
//!
//! The width also decides how values are tagged, and how the frames of a stack lie in its slots. All
//! of it is told apart when code is compiled, so that one kind of build
//! costs the other nothing.

use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::slots::SLOT;
use crate::native::jit::tags::Value;

/// What the width of references decides.
pub(crate) trait References {
    /// Bytes of a reference.
    const SIZE: u16;
    /// Bytes of the header that all objects have: the reference to the next one (`nextgc`), a byte
    /// for the collector and one for the type, and what fills it up.
    const HEADER: u16 = 2 * Self::SIZE;
    /// Offsets of these two bytes: `marked` and `gct`.
    const MARKED: u16 = Self::SIZE;
    const TYPE: u16 = Self::SIZE + 1;
    /// Slots of a stack that a frame takes before its base (`1 + LJ_FR2`).
    const FRAME_SLOTS: u64;
    /// Whether all constants of a trace that have 64 bits, addresses among them, take two words.
    const HAS_WIDE_ADDRESSES: bool;

    /// The reference at an offset.
    fn at(structure: Structure<'_>, place: u16) -> u64;

    /// The value that a slot of 8 bytes has.
    fn value(bits: u64) -> Value;

    /// What a frame runs, from the slots before its base: `frame` is the address of the last of
    /// them.
    fn callee(memory: &impl Memory, frame: u64) -> Option<Value>;

    /// What a slot refers to if all of a frame before its base is in it; `None` if it has a value, and
    /// where frames take more slots.
    fn callee_in(slot: u64) -> Option<Value>;

    /// The link of a frame to the one that called it.
    fn link(memory: &impl Memory, frame: u64) -> Option<u64>;
}

/// Reads a reference of the layout's width.
pub(crate) fn at(size: u16, structure: Structure<'_>, place: u16) -> u64 {
    match size {
        Narrow::SIZE => Narrow::at(structure, place),
        _ => Wide::at(structure, place),
    }
}

/// Reads a value as builds with references of this width have it.
pub(crate) fn value(size: u16, bits: u64) -> Value {
    match size {
        Narrow::SIZE => Narrow::value(bits),
        _ => Wide::value(bits),
    }
}

/// The consecutive references in `bytes`.
#[inline]
pub(super) fn references<R: References>(
    bytes: &[u8],
) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + '_ {
    let references = bytes.chunks_exact(usize::from(R::SIZE));
    references.map(|reference| R::at(Structure(reference), 0))
}

/// References of 64 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Wide;

/// References of 32 bits.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Narrow;

impl References for Wide {
    const SIZE: u16 = 8;
    const FRAME_SLOTS: u64 = 2;
    const HAS_WIDE_ADDRESSES: bool = true;

    #[inline(always)]
    fn at(structure: Structure<'_>, place: u16) -> u64 {
        structure.word(place)
    }

    #[inline(always)]
    fn value(bits: u64) -> Value {
        Value(bits)
    }

    fn callee(memory: &impl Memory, frame: u64) -> Option<Value> {
        memory.word(frame.wrapping_sub(SLOT)).map(Value)
    }

    fn callee_in(_: u64) -> Option<Value> {
        None
    }

    fn link(memory: &impl Memory, frame: u64) -> Option<u64> {
        memory.word(frame)
    }
}

impl References for Narrow {
    const SIZE: u16 = 4;
    const FRAME_SLOTS: u64 = 1;
    const HAS_WIDE_ADDRESSES: bool = false;

    #[inline(always)]
    fn at(structure: Structure<'_>, place: u16) -> u64 {
        u64::from(structure.int(place))
    }

    #[inline(always)]
    fn value(bits: u64) -> Value {
        Value::of_narrow(bits)
    }

    /// Its one slot has a function, or a thread, below the link, and no tag.
    fn callee(memory: &impl Memory, frame: u64) -> Option<Value> {
        Some(Value::of_callee(memory.word(frame)?))
    }

    fn callee_in(slot: u64) -> Option<Value> {
        Value::of_possible_callee(slot)
    }

    fn link(memory: &impl Memory, frame: u64) -> Option<u64> {
        Some(memory.word(frame)? >> 32)
    }
}
