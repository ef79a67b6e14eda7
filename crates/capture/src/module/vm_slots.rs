//! A place for each VM of the process, with its API.
//!
//! A place is free again when its VM is gone: when its code is mapped no more. Not sooner. That all states
//! of a VM are closed cannot be known while its code is there: finalizers that run after ours may still
//! call functions of the module, and would then ask another VM's API for what is in their state.

use crate::lua::api::Api;
use crate::lua::resolve;
use std::sync::atomic::{AtomicPtr, Ordering};
use std::sync::{Mutex, MutexGuard, PoisonError};

/// How many different Luas one process may have loaded at once.
pub(crate) const PLACES: usize = 1024;

/// The API of each VM; null where no VM has been.
static APIS: [AtomicPtr<Api>; PLACES] = [const { AtomicPtr::new(std::ptr::null_mut()) }; PLACES];
/// How often each place was given away, to the VM that has it or to another one. Whoever gives places away
/// holds the lock, and looks at memory alone meanwhile: the dynamic linker has locks of its own, under
/// which a library's constructor may come here.
static CLAIMS: Mutex<[u64; PLACES]> = Mutex::new([0; PLACES]);

/// The place of a VM that is loaded, and its API; `None` when all are taken by others.
pub(super) fn claim(api: Api) -> Option<(usize, &'static Api)> {
    let taken = taken();
    let gone: Vec<Taken> = match taken.iter().any(|taken| is_same(&taken.api, &api)) {
        true => Vec::new(),
        // Without the lock: the dynamic linker is asked.
        false => taken
            .into_iter()
            .filter(|taken| !resolve::is_loaded(&taken.api))
            .collect(),
    };
    resolve::forget_asked();
    let mut claims = lock();
    let place = find(&api, &gone, &claims)?;
    claims[place] += 1;
    if at(place).is_none_or(|known| !is_same(known, &api)) {
        let old = APIS[place].swap(Box::into_raw(Box::new(api)), Ordering::AcqRel);
        if !old.is_null() {
            // SAFETY: made by `Box::into_raw` above. Who still has a reference to it is a function that
            // the VM called, and that VM's code is gone: nothing can return to it.
            drop(unsafe { Box::from_raw(old) });
        }
    }
    Some((place, at(place)?))
}

/// A place that a VM has.
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

/// The place that a VM has already, or else the first that was taken by one of those that are gone (and
/// not given away again since that was seen), or that nobody has had.
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
    // SAFETY: null, or made by `Box::into_raw` and there until its VM is gone: who is called by the VM, or
    // holds the lock, has it until then.
    unsafe { api.as_ref() }
}
