//! The machine code of the entry points: for each place two C functions that differ by the number they
//! hand on.

use crate::api::{CFunction, Lua};
use crate::slot::{self, PLACES};
use std::arch::naked_asm;
use std::ffi::c_int;

/// Bytes of one entry point.
const SIZE: usize = 16;

/// The function of that place that Lua calls.
pub(crate) fn outer_entry(place: usize) -> CFunction {
    entry(outer_entries, place)
}

/// The function of that place that the outer one calls in protected mode.
pub(crate) fn inner_entry(place: usize) -> CFunction {
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
        // SAFETY: only registers of the second argument are written, and the stack is as it was when the
        // common function starts, which returns in our stead.
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

entries!(outer_entries => slot::outer);
entries!(inner_entries => slot::inner);

#[cfg(test)]
mod tests {
    use super::*;

    /// Gives its number back.
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
