//! The userdata that is a snapshot in Lua, or the job of a process that writes one.

use crate::background::job::Job;
use crate::lua::state::{State, TYPE_USERDATA};
use luasnap_heap::Snapshot;
use std::ffi::c_int;

/// The payload of a userdata of ours.
#[repr(C)]
pub(crate) struct Handle {
    /// Its own address, which a userdata of another library that was given our metatable lacks.
    mark: *const Handle,
    held: Held,
    /// What the collector was told of the snapshot's memory, in bytes.
    pub(crate) reported: usize,
    /// Address of the marker that the userdata refers to; 0 where it has none, and from the
    /// finalizer on: after that the VM may free the marker first and reuse its address for another
    /// table.
    pub(crate) marker: u64,
}

/// What a userdata of ours stands for.
enum Held {
    /// Nothing yet, or nothing any more.
    Nothing,
    Snapshot(Snapshot),
    Job(Box<Job>),
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
                held: Held::Nothing,
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
        self.held = Held::Snapshot(snapshot);
        self.reported = reported;
    }

    /// The snapshot; `None` once it was freed.
    pub(crate) fn get(&self) -> Option<Snapshot> {
        match &self.held {
            Held::Snapshot(snapshot) => Some(snapshot.clone()),
            _ => None,
        }
    }

    pub(crate) fn take(&mut self) -> Option<Snapshot> {
        self.reported = 0;
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Snapshot(snapshot) => Some(snapshot),
            other => {
                self.held = other;
                None
            }
        }
    }

    pub(crate) fn put_job(&mut self, job: Job) {
        self.held = Held::Job(Box::new(job));
    }

    /// The job, where it is one.
    pub(crate) fn job(&mut self) -> Option<&mut Job> {
        match &mut self.held {
            Held::Job(job) => Some(job),
            _ => None,
        }
    }

    pub(crate) fn take_job(&mut self) -> Option<Box<Job>> {
        match std::mem::replace(&mut self.held, Held::Nothing) {
            Held::Job(job) => Some(job),
            other => {
                self.held = other;
                None
            }
        }
    }
}
