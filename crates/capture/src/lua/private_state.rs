//! The little that the C API of 5.1 and LuaJIT does not tell: whether the collector runs (5.1),
//! which thread is the main one, how a thread's stack is laid out.
//!
//! No read here can fault, and what is read is believed only when it agrees with what the API does
//! tell. Offsets are those of the native engine's layouts.

use crate::layout::{self, PucLayout};
use crate::lua::state::State;
use crate::machine::Machine;
use crate::memory::careful_read::{byte, pair, word};
use crate::version::Version;
use luasnap_heap::BuildError;

/// The structures of 5.1; all its layouts agree on what is read here.
const LUA_51: &PucLayout = layout::newest(Version::Lua51);
/// `GCthreshold` of a stopped collector (`MAX_LUMEM`).
const NEVER: u64 = u64::MAX - 2;
/// Offset of the type in the header of an object of 5.1.
const TYPE_51: u64 = 8;
/// Bytes of a reference of LuaJIT's with 64 bits (GC64).
const GC64: u16 = 8;
/// The same with 32 bits.
const GC32: u16 = 4;

/// Widens an offset, to be added to an address.
const fn at(place: u16) -> u64 {
    place as u64
}

fn address(state: State) -> u64 {
    state.raw() as u64
}

/// Whether 5.1's collector is stopped; `None` where that cannot be verified.
pub(crate) fn collector_is_stopped(state: State) -> Option<bool> {
    let global = word(address(state) + at(LUA_51.state.global))?;
    let [alloc, owner] = state.allocator();
    let proved = word(global + at(LUA_51.global_state.allocator))? == alloc
        && word(global + at(LUA_51.global_state.allocator) + 8)? == owner
        && word(global + at(LUA_51.global_state.total_bytes))? == state.allocated_bytes()?;
    proved.then_some(word(global + at(LUA_51.global_state.threshold))? == NEVER)
}

/// The main thread of the state's VM, for 5.1 and LuaJIT, whose registry does not contain it.
pub(crate) fn main_thread(state: State) -> Option<State> {
    let found = match state.version() {
        Version::Lua51 => main_thread_51(address(state)),
        Version::LuaJit => main_thread_jit(address(state)),
        _ => None,
    }?;
    // SAFETY: a thread's header that points to this VM's global state, which points back to it
    // (5.1) or lies right after it (LuaJIT): the main thread, which lives as long as the VM.
    Some(unsafe { state.of_thread(found as *mut _) })
}

fn main_thread_51(state: u64) -> Option<u64> {
    let global = word(state + at(LUA_51.state.global))?;
    let main = word(global + at(LUA_51.global_state.main_thread))?;
    let proved = word(main + at(LUA_51.state.global))? == global
        && byte(main + TYPE_51)? == layout::puc::THREAD
        && byte(state + TYPE_51)? == layout::puc::THREAD;
    proved.then_some(main)
}

fn main_thread_jit(state: u64) -> Option<u64> {
    layout::jit_layouts(Machine::HERE).find_map(|layout| {
        let size = layout.global_state.reference_size;
        let global_of = |thread: u64| {
            let global = word(thread + at(layout.state.global))?;
            let bits = u64::from(size) * 8;
            is_thread_jit(thread, size).then_some(global & (u64::MAX >> (64 - bits)))
        };
        let global = global_of(state)?;
        let main = global.wrapping_sub(at(layout.global_state.from_main_thread));
        (global_of(main) == Some(global)).then_some(main)
    })
}

/// Number of slots of a LuaJIT thread's frame before its values: two where references have 64 bits, one
/// where they have 32.
pub(crate) fn frame_slots_jit(state: State) -> Option<u64> {
    let has = |size| is_thread_jit(address(state), size);
    match (has(GC64), has(GC32)) {
        (true, _) => Some(2),
        (false, true) => Some(1),
        _ => None,
    }
}

/// Whether there is a thread of a LuaJIT with references of this size: the type is behind the
/// reference to the next object and a byte for the collector.
fn is_thread_jit(address: u64, reference_size: u16) -> bool {
    byte(address + at(reference_size) + 1) == Some(layout::jit::THREAD)
}

/// A slot of a 5.1 stack with an extra argument (`...`), which the API does not show.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Vararg {
    /// Address of the slot.
    pub(crate) slot: u64,
    /// `LUA_T…` of the value.
    pub(crate) lua_type: i32,
    /// The value: the address of an object (of the header, for a userdata).
    pub(crate) value: u64,
}

/// Fills `into` with the extra arguments of frame `index` (as `lua_getstack` numbers it) of a 5.1
/// thread, whose function is at `function` according to the API. They lie between the function and
/// the frame's base.
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

/// The first slot with an extra argument, and the number of such slots.
fn vararg_slots(thread: State, index: u64, function: u64) -> Option<(u64, u64)> {
    const MAX_SLOTS: u64 = 1 << 20; // LUAI_MAXCSTACK is far below
    let calls = thread_word_51(thread, LUA_51.state.base_call);
    let call = calls.wrapping_add(index.wrapping_mul(at(LUA_51.call.size)));
    let [base, func] = pair(call.wrapping_add(at(LUA_51.call.base)))?;
    let slots = base.checked_sub(func)? / VALUE;
    // Nearly all frames end here; any other must have the function that the API told.
    let proved = (2..MAX_SLOTS).contains(&slots) && word(func)? == function;
    proved.then(|| (func + VALUE, slots - 1))
}

/// Reads a word of a 5.1 thread.
fn thread_word_51(thread: State, place: u16) -> u64 {
    // SAFETY: the thread is live by the contract of State::new, and only fields of 5.1's
    // `lua_State` are read, at their offsets.
    unsafe { ((address(thread) + at(place)) as *const u64).read() }
}

/// Indices from this one down are pseudo-indices (5.1).
const PSEUDO_INDICES_51: i32 = -10000;

/// The index, counted from the top, of a slot of a 5.1 thread's stack; `None` where it is too far
/// from the top.
pub(crate) fn index_from_top_51(thread: State, slot: u64) -> Option<i32> {
    let top = thread_word_51(thread, LUA_51.state.top);
    let distance = top.checked_sub(slot)? / VALUE;
    i32::try_from(distance)
        .ok()
        .map(|distance| -distance)
        .filter(|index| (PSEUDO_INDICES_51 + 1..0).contains(index))
}

/// Whether a 5.1 state's stack is laid out as we know it: a number that is pushed must be in the
/// slot at `top`, and `top` a slot further on then.
///
/// Uses one stack slot.
pub(crate) fn is_known_stack_51(state: State) -> bool {
    const NUMBER: u64 = 3; // LUA_TNUMBER
    const PUSHED: f64 = 5.1;
    let slot = thread_word_51(state, LUA_51.state.top);
    state.push_number(PUSHED);
    let top = thread_word_51(state, LUA_51.state.top);
    let numbers = state.api().numbers;
    let is_known = top == slot.wrapping_add(VALUE)
        && word(slot).map(|word| numbers.float(word)) == Some(PUSHED)
        && word(slot.wrapping_add(8)).is_some_and(|tag| tag & 0xFFFF_FFFF == NUMBER);
    state.pop(1);
    is_known
}

/// Whether a 5.1 thread's stack has a free slot, so that `lua_checkstack` need not grow it: a
/// failure to grow the stack of a thread that is not running would end the process.
pub(crate) fn has_free_slot_51(thread: State) -> bool {
    let top = thread_word_51(thread, LUA_51.state.top);
    let last = thread_word_51(thread, LUA_51.state.stack_last);
    (2 * VALUE..1 << 32).contains(&last.wrapping_sub(top))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::layout::Layout;

    #[test]
    fn what_is_read_here_is_in_one_place_in_all_layouts_of_5_1() {
        assert_eq!(LUA_51.call.function, LUA_51.call.base + 8);
        for layout in Layout::all(Version::Lua51) {
            let Layout::Puc(number) = layout else {
                panic!("{layout:?}");
            };
            let other = layout::puc(number);
            assert_eq!(other.state, LUA_51.state);
            assert_eq!(other.call, LUA_51.call);
            let read = |layout: &PucLayout| {
                let places = layout.global_state;
                let counts = [places.total_bytes, places.threshold];
                (places.allocator, places.main_thread, counts)
            };
            assert_eq!(read(other), read(LUA_51));
        }
    }
}
