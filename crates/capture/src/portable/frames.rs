//! The calls of a thread's stack, from the innermost outwards, each reached in one step.
//!
//! `lua_getstack` counts from the top each time, which is quadratic on a deep stack. So after the
//! first levels the walk goes on from call to call as the VM itself does. The outermost call, by
//! which the host holds values on its own C stack, is no level at all for `lua_getstack`; it is
//! reached in the same way.

use crate::activation::Activation;
use crate::global_state::has_two_slot_frames;
use crate::state::State;
use crate::version::Version;

/// `CallInfo.previous` and `CallInfo.next`, from 5.2 on (64-bit).
const PREVIOUS: u64 = 16;
const NEXT: u64 = 24;

/// Where `lua_State` has its outermost call built in, from 5.2 on: somewhere in this range. What lies
/// behind it may be another block of memory.
const BASE_CALL: std::ops::Range<u64> = 64..153;

/// How many levels the stack has: what `lua_getstack` answers, found without asking for each.
pub(super) fn level_count(thread: State, record: &mut Activation) -> i32 {
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

/// The call that runs the one in `record`, or `None` where that cannot be told. `level` is that
/// of the call in `record`, of `levels` in all. `are_linked` becomes false where the calls of this
/// thread are not linked as we know it.
pub(super) fn step_out(
    thread: State,
    record: &mut Activation,
    level: i32,
    levels: i32,
    are_linked: &mut bool,
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
        _ if !*are_linked => None,
        _ => {
            let outer = step_out_linked(thread, record, call, level, outermost);
            *are_linked = outer.is_some();
            outer
        }
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
    record: &mut Activation,
    call: u64,
    level: i32,
    outermost: bool,
) -> Option<Frame> {
    // SAFETY: lua_getstack gave the address of a CallInfo, which is larger than this in each of
    // these versions, or an earlier step did, which was proved.
    let outer = unsafe { ((call + PREVIOUS) as *const u64).read() };
    let is_host_call = BASE_CALL.contains(&outer.wrapping_sub(thread.raw() as u64));
    if outermost {
        // Where the structure is another, anything may stand in that place: the host's call has to
        // lead back.
        // SAFETY: it lies within the thread, which has at least 184 bytes in each of these versions.
        let leads_back = || unsafe { ((outer + NEXT) as *const u64).read_unaligned() } == call;
        return (is_host_call && leads_back()).then(|| {
            record.set_call(thread.version(), outer);
            Frame::Host
        });
    }
    if is_host_call {
        return None; // too early: this VM's structures are not those we know
    }
    // The first steps are checked against lua_getstack; a wrong offset shows there.
    const CHECKED: i32 = 8;
    if level < CHECKED {
        let known = thread
            .stack_level(level + 1, record)
            .then(|| record.call(thread.version()));
        if known.flatten() != Some(outer) {
            return None;
        }
    } else {
        record.set_call(thread.version(), outer);
    }
    Some(Frame::Function)
}

/// LuaJIT's record holds the slot of a frame, and how many slots further the next one is. The
/// host's frame starts at the bottom.
fn host_frame_jit(thread: State, record: &mut Activation, call: u64) -> Option<Frame> {
    if !has_two_slot_frames(thread) {
        return None;
    }
    const BOTTOM: u64 = 1;
    let slot = call & 0xffff;
    let size = slot.checked_sub(BOTTOM).filter(|&size| size > 0)?;
    record.set_call(thread.version(), size << 16 | BOTTOM);
    Some(Frame::Host)
}
