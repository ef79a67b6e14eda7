//! The calls of a thread's stack, from the innermost outwards, each reached in one step.
//!
//! `lua_getstack` counts from the top each time, which is quadratic on a deep stack. So after the
//! first levels the walk goes on from call to call as the VM itself does. The outermost call, in
//! which the host itself keeps values, is not a level for `lua_getstack`; it is reached in the same
//! way.

use crate::lua::debug_record::DebugRecord;
use crate::lua::private_state::frame_slots_jit;
use crate::lua::state::State;
use crate::version::Version;
use std::ops::RangeInclusive;

/// Number of words that a `CallInfo` has at least, from 5.2 on.
const WORDS: usize = 6;

/// Which words of a `CallInfo` may point to its caller, as far as was seen on one stack: bit 2 is
/// `previous` in the released versions, but a host's Lua may differ.
#[derive(Clone, Copy, Debug)]
pub(super) struct Links {
    may_be: u8,
    checked: u32,
}

impl Links {
    /// Number of steps that are checked against `lua_getstack` before links are followed instead.
    const CHECKED: u32 = 8;
    /// `CallInfo.previous` of 5.2 to 5.5.
    const RELEASED: usize = 2;

    pub(super) fn new() -> Links {
        Links {
            may_be: (1 << WORDS) - 1,
            checked: 0,
        }
    }

    /// The word that leads to the caller, once enough steps have shown it.
    fn known(self) -> Option<usize> {
        let is_known = self.checked >= Links::CHECKED && self.may_be != 0;
        is_known.then_some(self.may_be.trailing_zeros() as usize)
    }

    /// The word that leads to the host's call, which `lua_getstack` does not know.
    fn to_host(self) -> Option<usize> {
        match self.may_be {
            0 => None,
            may_be if may_be & 1 << Links::RELEASED != 0 => Some(Links::RELEASED),
            may_be => Some(may_be.trailing_zeros() as usize),
        }
    }

    /// Notes that the one at `outer` is the caller of the call with these words.
    fn note(&mut self, words: [u64; WORDS], outer: u64) {
        for (number, _) in (0..).zip(words).filter(|&(_, word)| word != outer) {
            self.may_be &= !(1 << number);
        }
        self.checked += 1;
    }
}

/// The range of offsets in `lua_State` where its built-in outermost call may be, from 5.2 on. The
/// call's first words lie within the thread, which has at least 184 bytes.
const BASE_CALL: RangeInclusive<u64> = 64..=184 - 8 * WORDS as u64;

/// Number of levels that `lua_getstack` finds on the stack, without asking for each.
pub(super) fn level_count(thread: State, record: &mut DebugRecord) -> i32 {
    let (mut known, mut missing) = (0, 1);
    while thread.stack_level(missing - 1, record) {
        known = missing;
        if missing > i32::MAX / 2 {
            return known;
        }
        missing *= 2;
    }
    while missing - known > 1 {
        let middle = known + (missing - known) / 2;
        if thread.stack_level(middle - 1, record) {
            known = middle
        } else {
            missing = middle
        }
    }
    known
}

/// Steps from the call in `record` to its caller; `None` where that cannot be told. `level` is the
/// level of the call in `record`, out of `levels`; `links` is what earlier steps showed.
pub(super) fn step_out(
    thread: State,
    record: &mut DebugRecord,
    (level, levels): (i32, i32),
    links: &mut Links,
) -> Option<Frame> {
    let version = thread.version();
    let call = record.call(version)?;
    let outermost = level + 1 >= levels;
    match version {
        Version::Lua51 => {
            // An index into the array of calls; the one at 0 is the host's.
            let outer = call.checked_sub(1)?;
            record.set_call(version, outer);
            Some(if outer == 0 {
                Frame::Host
            } else {
                Frame::Function
            })
        }
        Version::LuaJit if outermost => host_frame_jit(thread, record, call),
        Version::LuaJit => {
            // At most 65,500 slots, so at most as many levels.
            thread
                .stack_level(level + 1, record)
                .then_some(Frame::Function)
        }
        _ if outermost => host_frame_linked(thread, record, call, *links),
        _ => step_out_linked(thread, record, call, level, links),
    }
}

/// What a step led to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Frame {
    /// A call of a function.
    Function,
    /// The outermost frame, where the host itself puts values; it has no function.
    Host,
}

/// From 5.2 on a record holds the address of a `CallInfo`, and those are linked.
fn step_out_linked(
    thread: State,
    record: &mut DebugRecord,
    call: u64,
    level: i32,
    links: &mut Links,
) -> Option<Frame> {
    let words = words_of(call);
    if let Some(known) = links.known() {
        record.set_call(thread.version(), words[known]);
        return Some(Frame::Function);
    }
    if !thread.stack_level(level + 1, record) {
        return None;
    }
    links.note(words, record.call(thread.version())?);
    Some(Frame::Function)
}

/// The caller of the outermost call is the host's, which is part of the thread itself.
fn host_frame_linked(
    thread: State,
    record: &mut DebugRecord,
    call: u64,
    links: Links,
) -> Option<Frame> {
    let outer = words_of(call)[links.to_host()?];
    let is_inside = BASE_CALL.contains(&outer.wrapping_sub(thread.raw() as u64));
    // In another structure that word may be anything: so the host's call must point back.
    let is_host_call = is_inside && outer.is_multiple_of(8) && words_of(outer).contains(&call);
    is_host_call.then(|| {
        record.set_call(thread.version(), outer);
        Frame::Host
    })
}

/// The first words of a `CallInfo`.
fn words_of(call: u64) -> [u64; WORDS] {
    // SAFETY: lua_getstack gave the address of a CallInfo, which is larger than this from 5.2 on (64
    // bytes at least), or an earlier step did, by a word that led to calls each time that was checked;
    // or it lies within a thread.
    unsafe { (call as *const [u64; WORDS]).read() }
}

/// LuaJIT's record contains the slot of a frame, and the number of slots to the next one. The
/// host's frame starts at the bottom.
fn host_frame_jit(thread: State, record: &mut DebugRecord, call: u64) -> Option<Frame> {
    // A frame is known by the last of its slots before its values.
    let bottom = frame_slots_jit(thread)? - 1;
    let slot = call & 0xffff;
    let size = slot.checked_sub(bottom).filter(|&size| size > 0)?;
    record.set_call(thread.version(), size << 16 | bottom);
    Some(Frame::Host)
}
