//! The little that the C API of 5.1 and LuaJIT does not tell: whether the collector runs (5.1),
//! which thread is the main one, how a thread's stack lies.
//!
//! Everything here is read so that it cannot fault, and believed only when it proves itself
//! against what the API does tell. Offsets are those of 64-bit builds.

use crate::collector::allocated_bytes;
use crate::native::careful_read::{byte, pair, word};
use crate::state::State;
use crate::version::Version;
use luasnap_heap::BuildError;

/// `lua_State` of 5.1.
mod lua51 {
    pub const L_G: u64 = 32;
    pub const TOP: u64 = 16;
    pub const STACK_LAST: u64 = 56;
    pub const BASE_CI: u64 = 80;
    pub const TYPE_TAG: u64 = 8;
    pub const THREAD: u8 = 8;
    /// `global_State` of 5.1.
    pub const G_FREALLOC: u64 = 16;
    pub const G_UD: u64 = 24;
    pub const G_THRESHOLD: u64 = 112;
    pub const G_TOTALBYTES: u64 = 120;
    pub const G_MAINTHREAD: u64 = 176;
    /// `GCthreshold` of a stopped collector (`MAX_LUMEM`).
    pub const NEVER: u64 = u64::MAX - 2;
    /// `CallInfo` of 5.1.
    pub const SIZEOF_CI: u64 = 40;
    /// `base`; `func` follows.
    pub const CI_BASE: u64 = 0;
}

/// `lua_State` of LuaJIT with 64-bit references (GC64).
mod luajit {
    pub const GLREF: u64 = 16;
    pub const GCT: u64 = 9;
    pub const THREAD: u8 = 6;
    /// The main state lies this far before its global state: 112 in OpenResty's fork.
    pub const MAIN_TO_GLOBAL: [u64; 2] = [96, 112];
}

fn address(state: State) -> u64 {
    state.raw() as u64
}

/// Whether 5.1's collector is stopped; `None` where that cannot be proved.
pub(crate) fn collector_is_stopped(state: State) -> Option<bool> {
    let global = word(address(state) + lua51::L_G)?;
    let [alloc, owner] = state.allocator();
    let proved = word(global + lua51::G_FREALLOC)? == alloc
        && word(global + lua51::G_UD)? == owner
        && word(global + lua51::G_TOTALBYTES)? == allocated_bytes(state)?;
    proved.then_some(word(global + lua51::G_THRESHOLD)? == lua51::NEVER)
}

/// The main thread of the state's VM, for 5.1 and LuaJIT, whose registry does not hold it.
pub(crate) fn main_thread(state: State) -> Option<State> {
    let found = match state.version() {
        Version::Lua51 => main_thread_51(address(state)),
        Version::LuaJit => main_thread_jit(address(state)),
        _ => None,
    }?;
    // SAFETY: a thread's header that points to this VM's global state, which points back to it
    // (5.1) or lies right behind it (LuaJIT): the main thread, which lives as long as the VM.
    Some(unsafe { state.of_thread(found as *mut _) })
}

fn main_thread_51(state: u64) -> Option<u64> {
    let global = word(state + lua51::L_G)?;
    let main = word(global + lua51::G_MAINTHREAD)?;
    let proved = word(main + lua51::L_G)? == global
        && byte(main + lua51::TYPE_TAG)? == lua51::THREAD
        && byte(state + lua51::TYPE_TAG)? == lua51::THREAD;
    proved.then_some(main)
}

fn main_thread_jit(state: u64) -> Option<u64> {
    if !is_gc64(state) {
        return None;
    }
    let global = word(state + luajit::GLREF)?;
    luajit::MAIN_TO_GLOBAL
        .into_iter()
        .map(|distance| global.wrapping_sub(distance))
        .find(|&main| {
            word(main + luajit::GLREF) == Some(global)
                && byte(main + luajit::GCT) == Some(luajit::THREAD)
        })
}

/// Whether a LuaJIT thread has 64-bit references, and so two slots for each frame.
pub(crate) fn has_two_slot_frames(state: State) -> bool {
    is_gc64(address(state))
}

fn is_gc64(state: u64) -> bool {
    byte(state + luajit::GCT) == Some(luajit::THREAD)
}

/// A slot of a 5.1 stack that holds an extra argument (`...`), which the API does not show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vararg {
    /// Where the slot is.
    pub(crate) slot: u64,
    /// `LUA_T…` of the value.
    pub(crate) lua_type: i32,
    /// The value: for an object its address (for a userdata its header's).
    pub(crate) value: u64,
}

/// Fills `into` with the extra arguments of frame `index` (as `lua_getstack` numbers it) of a 5.1
/// thread, whose function the API says to be at `function`. They lie between the function and the
/// frame's base.
pub(crate) fn varargs_51(
    thread: State,
    index: u64,
    function: u64,
    into: &mut Vec<Vararg>,
) -> Result<(), BuildError> {
    into.clear();
    let Some((first, count)) = vararg_slots(thread, index, function) else {
        return Ok(());
    };
    into.try_reserve(count as usize)?;
    for slot in (0..count).map(|at| first + at * VALUE) {
        if let (Some(value), Some(lua_type)) = (word(slot), word(slot + 8)) {
            into.push(Vararg {
                slot,
                lua_type: lua_type as u32 as i32,
                value,
            });
        }
    }
    Ok(())
}

/// Bytes of a stack slot.
const VALUE: u64 = 16;

/// The first slot with an extra argument, and how many there are.
fn vararg_slots(thread: State, index: u64, function: u64) -> Option<(u64, u64)> {
    const MOST: u64 = 1 << 20; // LUAI_MAXCSTACK is far below
    let call = thread_word_51(thread, lua51::BASE_CI) + index * lua51::SIZEOF_CI;
    let [base, func] = pair(call + lua51::CI_BASE)?;
    let slots = base.checked_sub(func)? / VALUE;
    // Nearly all frames end here; what has extra arguments has to prove itself.
    let proved = (2..MOST).contains(&slots) && word(func)? == function;
    proved.then(|| (func + VALUE, slots - 1))
}

/// A word of a thread of 5.1.
fn thread_word_51(thread: State, offset: u64) -> u64 {
    // SAFETY: the thread is live by the promise of State::new, and `lua_State` of 5.1 is larger
    // (184 bytes) than any of our offsets.
    unsafe { ((address(thread) + offset) as *const u64).read() }
}

/// Indices from this one on mean the registry and the like (5.1).
const PSEUDO_INDICES_51: i32 = -10000;

/// The index, counted from the top, of a slot of a 5.1 thread's stack; `None` where it is too far
/// from there.
pub(crate) fn index_from_top_51(thread: State, slot: u64) -> Option<i32> {
    let top = thread_word_51(thread, lua51::TOP);
    let distance = top.checked_sub(slot)? / VALUE;
    i32::try_from(distance)
        .ok()
        .map(|distance| -distance)
        .filter(|index| (PSEUDO_INDICES_51 + 1..0).contains(index))
}

/// Whether a 5.1 thread's stack has a free slot, so that `lua_checkstack` need not grow it: a
/// failure to grow the stack of a thread that does not run would end the process.
pub(crate) fn has_free_slot_51(thread: State) -> bool {
    let top = thread_word_51(thread, lua51::TOP);
    let last = thread_word_51(thread, lua51::STACK_LAST);
    (2 * VALUE..1 << 32).contains(&last.wrapping_sub(top))
}
