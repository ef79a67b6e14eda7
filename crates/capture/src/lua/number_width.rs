//! Numbers on their way to and from a VM, and which width it has them.

use crate::lua::api::{Api, Lua};
use crate::lua::numbers::{Numbers, Width};
use crate::version::Version;
use std::ffi::c_int;

/// The numbers of an API's VM; `None` where they are neither wide nor narrow (`long double`, or
/// floats that are integers): they are pushed, and have to come back unchanged. Uses 2 stack slots,
/// which a function that was just called has, and raises nothing.
///
/// # Safety
/// `state` is a live state of the API's VM, in a call of a C function.
pub(crate) unsafe fn numbers(api: &Api, state: Lua) -> Option<Numbers> {
    // SAFETY: this function's own contract.
    unsafe {
        let floats = floats(api, state)?;
        let integers = integers(api, state, floats)?;
        Some(Numbers { floats, integers })
    }
}

/// # Safety
/// As [`numbers`].
unsafe fn floats(api: &Api, state: Lua) -> Option<Width> {
    // After the number another one is pushed: an integral `lua_Number` would leave the float register
    // as it is, and that holds the last one.
    const WIDE: [f64; 2] = [0.1, 0.7];
    const NARROW: [f32; 2] = [0.1, 0.7];
    // SAFETY: the state is live by the caller's promise; slots are pushed, read and dropped.
    unsafe {
        for number in WIDE {
            (api.pushnumber)(state, number);
        }
        (api.settop)(state, -2);
        let is_wide = api.number_at(state, -1) == WIDE[0];
        (api.settop)(state, -2);
        if is_wide {
            return Some(Width::Wide);
        }
        for number in NARROW {
            api.push_narrow_number(state, number);
        }
        (api.settop)(state, -2);
        let is_narrow = api.narrow_number_at(state, -1) == NARROW[0];
        (api.settop)(state, -2);
        is_narrow.then_some(Width::Narrow)
    }
}

/// # Safety
/// As [`numbers`].
unsafe fn integers(api: &Api, state: Lua, floats: Width) -> Option<Width> {
    const LOW: i32 = 5;
    const HIGH: i64 = 1 << 33;
    const INTEGER: i64 = HIGH + LOW as i64;
    // SAFETY: as above.
    unsafe {
        (api.pushinteger)(state, INTEGER);
        let width = match api.tointegerx {
            Some(tointegerx) if api.version >= Version::Lua53 => {
                match tointegerx(state, -1, std::ptr::null_mut()) {
                    INTEGER => Some(Width::Wide),
                    other => (other as i32 == LOW).then_some(Width::Narrow),
                }
            }
            // A float now, perhaps a rounded one.
            _ => {
                let number = match floats {
                    Width::Wide => api.number_at(state, -1),
                    Width::Narrow => f64::from(api.narrow_number_at(state, -1)),
                };
                let width = if number >= HIGH as f64 {
                    Width::Wide
                } else {
                    Width::Narrow
                };
                Some(width)
            }
        };
        (api.settop)(state, -2);
        width
    }
}

/// `lua_pushnumber`, `lua_tonumber` and `lua_tonumberx` of a VM with floats of 32 bits: the same
/// functions, whose numbers lie in the same registers.
type PushNarrow = unsafe extern "C-unwind" fn(Lua, f32);
type ToNarrow = unsafe extern "C-unwind" fn(Lua, c_int) -> f32;
type ToNarrowX = unsafe extern "C-unwind" fn(Lua, c_int, *mut c_int) -> f32;

impl Api {
    /// `lua_tonumber`.
    ///
    /// # Safety
    /// `state` is a live state of this VM, whose floats have 64 bits, with a value at `index`.
    pub(crate) unsafe fn number_at(&self, state: Lua, index: c_int) -> f64 {
        // SAFETY: this function's own contract; 5.1 and LuaJIT have the one, all others the other.
        unsafe {
            match (self.tonumberx, self.tonumber) {
                (Some(tonumberx), _) => tonumberx(state, index, std::ptr::null_mut()),
                (None, Some(tonumber)) => tonumber(state, index),
                (None, None) => f64::NAN,
            }
        }
    }

    /// The same where floats have 32 bits.
    ///
    /// # Safety
    /// `state` is a live state of this VM with a value at `index`.
    pub(crate) unsafe fn narrow_number_at(&self, state: Lua, index: c_int) -> f32 {
        // SAFETY: this function's own contract; the signature differs only in what is returned, and
        // from a VM of another width that is some number.
        unsafe {
            match (self.tonumberx, self.tonumber) {
                (Some(tonumberx), _) => {
                    let tonumberx =
                        std::mem::transmute::<*const (), ToNarrowX>(tonumberx as *const ());
                    tonumberx(state, index, std::ptr::null_mut())
                }
                (None, Some(tonumber)) => {
                    let tonumber =
                        std::mem::transmute::<*const (), ToNarrow>(tonumber as *const ());
                    tonumber(state, index)
                }
                (None, None) => f32::NAN,
            }
        }
    }

    /// `lua_pushnumber` where floats have 32 bits. Uses one slot.
    ///
    /// # Safety
    /// `state` is a live state of this VM with a free slot.
    pub(crate) unsafe fn push_narrow_number(&self, state: Lua, number: f32) {
        // SAFETY: this function's own contract; a VM of another width takes some number.
        unsafe {
            let push = std::mem::transmute::<*const (), PushNarrow>(self.pushnumber as *const ());
            push(state, number);
        }
    }
}
