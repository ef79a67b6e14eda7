//! The C functions that a VM calls.
//!
//! A C function gets nothing but a state, and can ask it for nothing before it knows which API to
//! use. So each VM has a [place](vm_slots) with its API, and entry points of its own: machine code,
//! two functions per place, which differ only in the number they pass on.

use crate::lua::api::{Api, CFunction, Lua};
use crate::lua::state::State;
use crate::module::frame;
use crate::module::vm_slots::{self, PLACES, at};
use std::arch::naked_asm;
use std::ffi::c_int;

/// Bytes of one entry point.
const SIZE: usize = 16;

/// The entry points of a VM.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) api: &'static Api,
    /// What Lua calls.
    pub(crate) outer: CFunction,
    /// What the outer one calls in protected mode.
    pub(crate) inner: CFunction,
}

/// The entry points of a loaded VM; `None` when others have taken all places.
pub(crate) fn claim(api: Api) -> Option<Entry> {
    let (place, api) = vm_slots::claim(api)?;
    Some(Entry {
        api,
        outer: outer_entry(place),
        inner: inner_entry(place),
    })
}

/// The function that Lua calls, for a place.
fn outer_entry(place: usize) -> CFunction {
    entry(outer_entries, place)
}

/// The function that the outer one calls in protected mode, for a place.
fn inner_entry(place: usize) -> CFunction {
    entry(inner_entries, place)
}

fn entry(first: CFunction, place: usize) -> CFunction {
    assert!(place < PLACES);
    let address = first as usize + place * SIZE;
    // SAFETY: the code below has an entry of `SIZE` bytes for each place, one after the other, and each is
    // a C function.
    unsafe { std::mem::transmute::<usize, CFunction>(address) }
}

macro_rules! entries {
    ($name:ident => $common:path) => {
        /// # Safety
        /// To be called by a Lua VM with its own state, as the function of the place that its API has.
        // SAFETY: only registers of the second argument are written, and the stack is unchanged
        // when the common function starts, which returns for us.
        #[unsafe(naked)]
        unsafe extern "C-unwind" fn $name(state: Lua) -> c_int {
            #[cfg(target_arch = "x86_64")]
            naked_asm!(
                ".set .Lplace, 0",
                ".rept {places}",
                "2:",
                "mov esi, .Lplace",
                "jmp {common}",
                ".skip {size} - (. - 2b), 0xcc",
                ".set .Lplace, .Lplace + 1",
                ".endr",
                places = const PLACES,
                size = const SIZE,
                common = sym $common,
            );
            #[cfg(target_arch = "aarch64")]
            naked_asm!(
                ".set .Lplace, 0",
                ".rept {places}",
                "2:",
                "mov x1, #.Lplace",
                "b {common}",
                ".skip {size} - (. - 2b)",
                ".set .Lplace, .Lplace + 1",
                ".endr",
                places = const PLACES,
                size = const SIZE,
                common = sym $common,
            );
        }
    };
}

entries!(outer_entries => outer);
entries!(inner_entries => inner);

/// The common target of the outer entry points; each passes its place.
unsafe extern "C-unwind" fn outer(raw: Lua, place: usize) -> c_int {
    let Some(api) = at(place) else {
        return 0;
    };
    // SAFETY: the VM calls with its own state, and only functions made with this place's API lead here
    // with its number.
    let state = unsafe { State::new(raw, api) };
    match frame::call(state) {
        // Nothing here owns anything.
        frame::Outcome::Raise => state.raise(),
        frame::Outcome::Return(results) => results,
    }
}

/// The common target of the inner entry points; each passes its place.
unsafe extern "C-unwind" fn inner(raw: Lua, place: usize) -> c_int {
    let Some(api) = at(place) else {
        return 0;
    };
    // SAFETY: as in `outer`.
    let state = unsafe { State::new(raw, api) };
    frame::run_task(state)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Returns its number.
    unsafe extern "C-unwind" fn number(_: Lua, place: usize) -> c_int {
        place as c_int
    }

    entries!(numbers => number);

    #[test]
    fn each_entry_hands_on_its_place() {
        for place in 0..PLACES {
            // SAFETY: the function does not look at its state.
            let got = unsafe { entry(numbers, place)(std::ptr::null_mut()) };
            assert_eq!(got, place as c_int);
        }
    }
}
