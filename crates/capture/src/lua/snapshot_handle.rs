//! The userdata that is a snapshot in Lua.

use crate::lua::state::{State, TYPE_USERDATA};
use luasnap_heap::Snapshot;
use std::ffi::c_int;

/// The payload of a snapshot's userdata.
#[repr(C)]
pub(crate) struct Handle {
    /// Its own address, which a userdata of another library that was given our metatable lacks.
    mark: *const Handle,
    snapshot: Option<Snapshot>,
    /// What the collector was told of the snapshot's memory, in bytes.
    pub(crate) reported: usize,
    /// Address of the marker that the userdata refers to; 0 where it has none, and from the
    /// finalizer on: after that the VM may free the marker first and reuse its address for another
    /// table.
    pub(crate) marker: u64,
}

impl Handle {
    /// Offset of the marker's address in the payload.
    pub(crate) const MARKER: u64 = std::mem::offset_of!(Handle, marker) as u64;

    /// # Safety
    /// `at` can hold a handle.
    pub(crate) unsafe fn write_empty(at: *mut Handle) {
        // SAFETY: this function's own contract.
        unsafe {
            at.write(Handle {
                mark: at,
                snapshot: None,
                reported: 0,
                marker: 0,
            })
        }
    }

    /// The handle in the userdata at `index`, whatever its metatable.
    pub(crate) fn at(state: State, index: c_int) -> Option<*mut Handle> {
        if state.raw_len(index) != size_of::<Handle>() {
            return None;
        }
        let handle = state.userdata(index).cast::<Handle>();
        // SAFETY: a userdata of that size can be read in full; the field is a plain word.
        let mark = unsafe { (&raw const (*handle).mark).read() };
        (mark == handle).then_some(handle)
    }

    /// The same for a value of any type.
    pub(crate) fn at_any(state: State, index: c_int) -> Option<*mut Handle> {
        match state.type_of(index) {
            TYPE_USERDATA => Handle::at(state, index),
            _ => None,
        }
    }

    pub(crate) fn put(&mut self, snapshot: Snapshot, reported: usize) {
        self.snapshot = Some(snapshot);
        self.reported = reported;
    }

    /// The snapshot; `None` once it was freed.
    pub(crate) fn get(&self) -> Option<Snapshot> {
        self.snapshot.clone()
    }

    pub(crate) fn take(&mut self) -> Option<Snapshot> {
        self.reported = 0;
        self.snapshot.take()
    }
}
