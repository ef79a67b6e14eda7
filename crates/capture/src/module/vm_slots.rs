//! A place for each VM of the process, with its API.
//!
//! A place becomes free when its VM is gone, that is, when the VM's code is no longer mapped; not
//! sooner. While the code is there, nothing tells whether all states of the VM are closed:
//! finalizers that run after ours may still call functions of the module, and would then use
//! another VM's API on their state.

use crate::lua::api::Api;
use crate::lua::resolve;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// Number of different Luas that one process may have loaded at once.
pub(crate) const PLACES: usize = 1024;

/// The API of each VM; null where no VM has been.
static APIS: [AtomicPtr<Api>; PLACES] = [const { AtomicPtr::new(std::ptr::null_mut()) }; PLACES];
/// Number of times each place was assigned, to the VM that has it or to another one. Whoever
/// assigns places holds the lock, and only accesses memory meanwhile: the dynamic linker has locks
/// of its own, under which a library's constructor may come here.
static CLAIMS: Mutex<[u64; PLACES]> = Mutex::new([0; PLACES]);

/// The place of a loaded VM, and its API; `None` when others have taken all places.
pub(super) fn claim(api: Api) -> Option<(usize, &'static Api)> {
    let taken = taken();
    let gone: Vec<Taken> = match taken.iter().any(|taken| is_same(&taken.api, &api)) {
        true => Vec::new(),
        // Without the lock, since this asks the dynamic linker.
        false => taken
            .into_iter()
            .filter(|taken| !resolve::is_loaded(&taken.api))
            .collect(),
    };
    resolve::clear_assert_cache();
    let mut claims = lock();
    let place = find(&api, &gone, &claims)?;
    claims[place] += 1;
    if at(place).is_none_or(|known| !is_same(known, &api)) {
        let old = APIS[place].swap(Box::into_raw(Box::new(api)), Ordering::AcqRel);
        if !old.is_null() {
            // SAFETY: made by `Box::into_raw` above. Only functions that the VM called can still
            // have a reference to it, and that VM's code is gone: nothing can return to it.
            drop(unsafe { Box::from_raw(old) });
        }
    }
    Some((place, at(place)?))
}

/// A place that a VM has taken.
struct Taken {
    place: usize,
    api: Api,
    claims: u64,
}

/// The places that are taken, and by whom.
fn taken() -> Vec<Taken> {
    let claims = lock();
    let taken = |place| {
        Some(Taken {
            place,
            api: *at(place)?,
            claims: claims[place],
        })
    };
    (0..PLACES).map_while(taken).collect()
}

/// The place that the VM already has; else the first place whose VM is gone (and that has not been
/// assigned again since that was seen); else the first that nobody has had.
fn find(api: &Api, gone: &[Taken], claims: &[u64; PLACES]) -> Option<usize> {
    let mut known = (0..PLACES).map_while(|place| Some((place, at(place)?)));
    if let Some((place, _)) = known.find(|(_, known)| is_same(known, api)) {
        return Some(place);
    }
    let is_free = |taken: &&Taken| claims[taken.place] == taken.claims;
    match gone.iter().find(is_free) {
        Some(taken) => Some(taken.place),
        None => (0..PLACES).find(|place| at(*place).is_none()),
    }
}

fn is_same(one: &Api, other: &Api) -> bool {
    one.version == other.version && one.addresses() == other.addresses()
}

fn lock() -> MutexGuard<'static, [u64; PLACES]> {
    CLAIMS.lock().unwrap_or_else(PoisonError::into_inner)
}

/// The API of the VM at a place.
pub(super) fn at(place: usize) -> Option<&'static Api> {
    let api = APIS[place].load(Ordering::Acquire);
    // SAFETY: null, or made by `Box::into_raw` and there until its VM is gone: whoever is called by
    // the VM, or holds the lock, has it until then.
    unsafe { api.as_ref() }
}
