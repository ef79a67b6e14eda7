//! The arguments of a call: what each of them is, and the snapshots among them.

use crate::background::job::Job;
use crate::lua::snapshot_handle::Handle;
use crate::lua::state::{
    TYPE_CDATA, TYPE_FUNCTION, TYPE_NIL, TYPE_NONE, TYPE_NUMBER, TYPE_STRING, TYPE_TABLE,
    TYPE_THREAD, TYPE_USERDATA,
};
use crate::module::call::Call;
use crate::module::result::Error;
use luasnap_heap::Snapshot;
use std::ffi::c_int;

impl Call<'_> {
    /// The error for an argument that is not of the expected type.
    pub fn type_error(&self, number: u32, expected: &str) -> Error {
        let reason = format!("{expected} expected, got {}", self.type_name(number));
        Error::Argument { number, reason }
    }

    fn type_name(&self, number: u32) -> &'static str {
        match self.argument_type(number) {
            TYPE_NONE => "no value",
            TYPE_USERDATA if self.job(number).is_some() => "job",
            TYPE_USERDATA if self.handle(number).is_some() => "snapshot",
            other => basic_type_name(other),
        }
    }

    pub(crate) fn argument_type(&self, number: u32) -> c_int {
        if number > self.argument_count() {
            return TYPE_NONE;
        }
        self.state().type_of(number as c_int)
    }

    /// The bytes of argument `number`, a string. A number is not accepted.
    pub fn string_argument(&self, number: u32) -> Result<&[u8], Error> {
        match self.argument_type(number) {
            TYPE_STRING => Ok(self.frame.state.string(number as c_int)),
            _ => Err(self.type_error(number, "string")),
        }
    }

    /// Argument `number` as a non-negative whole number; `None` where it is absent or nil.
    pub fn count_argument(&self, number: u32) -> Result<Option<usize>, Error> {
        let value = match self.argument_type(number) {
            TYPE_NONE | TYPE_NIL => return Ok(None),
            TYPE_NUMBER => self.state().number(number as c_int),
            _ => return Err(self.type_error(number, "number")),
        };
        if value >= 0.0 && value.fract() == 0.0 {
            return Ok(Some(value as usize));
        }
        let reason = format!("whole number from 0 on expected, got {value}");
        Err(Error::Argument { number, reason })
    }

    /// Whether argument `number` is absent or nil.
    pub fn is_nil_argument(&self, number: u32) -> bool {
        matches!(self.argument_type(number), TYPE_NONE | TYPE_NIL)
    }

    /// Whether argument `number` is a table.
    pub fn is_table_argument(&self, number: u32) -> bool {
        self.argument_type(number) == TYPE_TABLE
    }

    /// Whether argument `number` is a function.
    pub fn is_function_argument(&self, number: u32) -> bool {
        self.argument_type(number) == TYPE_FUNCTION
    }

    /// Whether argument `number` is a string.
    pub fn is_string_argument(&self, number: u32) -> bool {
        self.argument_type(number) == TYPE_STRING
    }

    /// The address of the object in argument `number`, as in [`luasnap_heap::Heap::address`];
    /// `None` where it is not an object.
    pub fn object_argument(&self, number: u32) -> Option<u64> {
        let is_object = matches!(
            self.argument_type(number),
            TYPE_TABLE | TYPE_FUNCTION | TYPE_THREAD | TYPE_USERDATA | TYPE_CDATA
        );
        is_object.then(|| self.state().pointer(number as c_int))
    }

    /// Calls the function in argument `number` without arguments, and drops its results.
    pub fn call_argument(&self, number: u32) -> Result<(), Error> {
        let state = self.state();
        state.push_value(number as c_int);
        match state.call_protected(0, 0) {
            0 => Ok(()),
            _ => Err(Error::Raised),
        }
    }

    /// Checks that argument `number` can be the root of a snapshot: a table, function, thread or
    /// userdata that is not a snapshot.
    pub fn root_argument(&self, number: u32) -> Result<(), Error> {
        match self.argument_type(number) {
            TYPE_TABLE | TYPE_FUNCTION | TYPE_THREAD => Ok(()),
            TYPE_USERDATA if self.handle(number).is_none() => Ok(()),
            _ => Err(self.type_error(number, "table")),
        }
    }

    /// The snapshot in argument `number`; `None` when it was freed.
    pub fn snapshot_argument(&self, number: u32) -> Result<Option<Snapshot>, Error> {
        match self.handle(number) {
            // SAFETY: proved to be a handle, and alive as an argument of the running function.
            Some(handle) if self.job(number).is_none() => Ok(unsafe { (*handle).get() }),
            _ => Err(self.type_error(number, "snapshot")),
        }
    }

    /// The job in argument `number`.
    pub fn job_argument(&mut self, number: u32) -> Result<&mut Job, Error> {
        match self.job(number) {
            // SAFETY: as in `snapshot_argument`; no other function runs meanwhile that could have it too.
            Some(job) => Ok(unsafe { &mut *job }),
            None => Err(self.type_error(number, "job")),
        }
    }

    /// The job in argument `number`, where it is one. Uses two slots.
    fn job(&self, number: u32) -> Option<*mut Job> {
        let handle = self.handle(number)?;
        // SAFETY: as in `snapshot_argument`.
        unsafe { (*handle).job() }.map(std::ptr::from_mut)
    }

    /// Frees the snapshot in argument `number`, unless that was done already. A job's process goes on.
    pub fn free_argument(&self, number: u32) -> Result<(), Error> {
        let handle = self
            .handle(number)
            .ok_or_else(|| self.type_error(number, "snapshot"))?;
        // SAFETY: as in `snapshot_argument`.
        let (reported, snapshot) = unsafe { ((*handle).reported, (*handle).take()) };
        self.frame
            .with_outside_memory(|outside| outside.remove(reported));
        drop(snapshot);
        // SAFETY: as above.
        if let Some(job) = unsafe { (*handle).take_job() } {
            job.abandon();
        }
        Ok(())
    }

    /// Frees the snapshot in argument `number`, as its finalizer does: from now on, what the
    /// userdata refers to may be freed before it.
    pub fn finalize_argument(&self, number: u32) -> Result<(), Error> {
        self.free_argument(number)?;
        if let Some(handle) = self.handle(number) {
            // SAFETY: as in `snapshot_argument`.
            unsafe { (*handle).marker = 0 };
        }
        self.wait_for_abandoned_jobs();
        Ok(())
    }

    /// The handle in argument `number`. Uses two slots.
    pub(crate) fn handle(&self, number: u32) -> Option<*mut Handle> {
        let (state, index) = (self.state(), number as c_int);
        let ours = self.argument_type(number) == TYPE_USERDATA && state.metatable(index) && {
            let same = state.raw_equal(-1, self.frame.metatable_index());
            state.pop(1);
            same
        };
        if ours { Handle::at(state, index) } else { None }
    }
}

/// The name of a type in messages.
pub(crate) fn basic_type_name(lua_type: c_int) -> &'static str {
    const NAMES: [&str; 9] = [
        "nil",
        "boolean",
        "light userdata",
        "number",
        "string",
        "table",
        "function",
        "userdata",
        "thread",
    ];
    NAMES.get(lua_type as usize).copied().unwrap_or("cdata")
}
