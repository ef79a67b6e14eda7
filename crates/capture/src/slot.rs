//! One entry point for each VM of the process.
//!
//! A C function gets nothing but a state, and cannot ask that state for anything before it knows
//! whose API to ask by. So each VM has a slot with its API, and functions of its own whose code
//! says which slot is theirs.

use crate::api::{Api, CFunction, Lua};
use crate::module;
use crate::state::State;
use std::ffi::c_int;
use std::sync::{Mutex, OnceLock, PoisonError};

/// How many different Luas one process may hold.
const SLOTS: usize = 32;

static APIS: [OnceLock<Api>; SLOTS] = [const { OnceLock::new() }; SLOTS];
static CLAIM: Mutex<()> = Mutex::new(());

/// The entry points of a slot.
#[derive(Clone, Copy)]
pub(crate) struct Entry {
    pub(crate) api: &'static Api,
    /// What Lua calls.
    pub(crate) outer: CFunction,
    /// What the outer one calls in protected mode.
    pub(crate) inner: CFunction,
}

/// The slot of a VM; `None` when all are taken by others.
pub(crate) fn claim(api: Api) -> Option<Entry> {
    let _guard = CLAIM.lock().unwrap_or_else(PoisonError::into_inner);
    let addresses = api.addresses();
    for (slot, entry) in APIS.iter().zip(ENTRIES) {
        let known = slot.get_or_init(|| api);
        if known.version == api.version && known.addresses() == addresses {
            return Some(Entry {
                api: known,
                outer: entry.0,
                inner: entry.1,
            });
        }
    }
    None
}

unsafe extern "C-unwind" fn outer<const SLOT: usize>(raw: Lua) -> c_int {
    let Some(api) = APIS[SLOT].get() else {
        return 0;
    };
    // SAFETY: the VM calls with its own state, and only functions made with this slot's API
    // have this code.
    let state = unsafe { State::new(raw, api) };
    match module::call(state) {
        // Nothing here owns anything.
        module::Outcome::Raise => state.raise(),
        module::Outcome::Return(results) => results,
    }
}

unsafe extern "C-unwind" fn inner<const SLOT: usize>(raw: Lua) -> c_int {
    let Some(api) = APIS[SLOT].get() else {
        return 0;
    };
    // SAFETY: as in `outer`.
    let state = unsafe { State::new(raw, api) };
    module::run_task(state)
}

macro_rules! entries {
    ($($slot:literal)*) => { [$((outer::<$slot>, inner::<$slot>)),*] };
}

static ENTRIES: [(CFunction, CFunction); SLOTS] = entries!(
    0 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24 25 26 27 28 29 30 31
);
