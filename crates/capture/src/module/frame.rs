//! A Lua module whose functions are safe Rust.
//!
//! A call goes through two C functions. The outer one, which Lua calls, owns Rust values and so
//! never calls anything that raises. What may raise runs in the inner one, under `pcall`, and
//! owns nothing. Once the outer one's values are dropped, it raises the error, if any.

use crate::lua::collector::OutsideMemory;
use crate::lua::debug_record::DebugRecord;
use crate::lua::snapshot_handle::Handle;
use crate::lua::state::{State, TYPE_TABLE, TYPE_USERDATA};
use crate::module::result::Error;
use crate::native::trust::Trust;
use std::ffi::c_int;

/// The indices of the upvalues of a module's function.
pub(super) mod upvalue {
    pub const SHARED: i32 = 1;
    pub const METATABLE: i32 = 2;
    pub const INNER: i32 = 3;
    pub const NUMBER: i32 = 4;
}

/// What runs in protected mode: it gets the state of the inner function's own frame and returns the
/// number of results it left. It owns nothing, since a raise skips its destructors.
pub(crate) type Task<'a> = dyn FnMut(State) -> c_int + 'a;

/// What all functions of one loaded module share: the payload of a userdata that each has as an
/// upvalue.
#[repr(C)]
pub(crate) struct Shared {
    /// Its own address, by which it is recognized.
    mark: *const Shared,
    functions: &'static dyn Dispatch,
    task: Option<*mut Task<'static>>,
    pub(crate) outside: OutsideMemory,
    /// What the native engine has found out about this VM.
    pub(crate) trust: Trust,
}

/// The functions of a module, by their numbers.
pub(crate) trait Dispatch {
    /// Calls function `number`. Nothing is owned any more when it has returned.
    fn call(&self, frame: Frame, number: usize) -> Outcome;
}

/// What the outer function is to do once it owns nothing.
pub(crate) enum Outcome {
    Return(c_int),
    /// The error value is on the top.
    Raise,
}

/// Pushes the userdata that all functions of a new module share. Uses one slot. Raises.
pub(super) fn push_shared(state: State, functions: &'static dyn Dispatch) {
    let shared = state.new_userdata(size_of::<Shared>()).cast::<Shared>();
    // SAFETY: new, large enough, and aligned: payloads are aligned to 8 bytes in every VM.
    unsafe {
        shared.write(Shared {
            mark: shared,
            functions,
            task: None,
            outside: OutsideMemory::default(),
            trust: Trust::default(),
        });
    }
}

/// The shared userdata of the running function; `None` when a debugger took it away.
fn shared(state: State) -> Option<*mut Shared> {
    let index = state.upvalue_index(upvalue::SHARED);
    if state.type_of(index) != TYPE_USERDATA || state.raw_len(index) != size_of::<Shared>() {
        return None;
    }
    let shared = state.userdata(index).cast::<Shared>();
    // SAFETY: a userdata of this size can be read in full, and has the alignment of any.
    let genuine = unsafe { (*shared).mark == shared };
    genuine.then_some(shared)
}

/// A call of one of the module's functions.
pub(crate) fn call(state: State) -> Outcome {
    let number = state.number(state.upvalue_index(upvalue::NUMBER));
    let Some(shared) = shared(state) else {
        return Outcome::Return(0);
    };
    // SAFETY: proved to be ours, and alive while the running function has it as an upvalue.
    let functions = unsafe { (*shared).functions };
    functions.call(Frame { state, shared }, number as usize)
}

/// The frame of the outer function.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) state: State,
    shared: *mut Shared,
}

impl Frame {
    /// Changes the count of the memory outside Lua that the module's snapshots take. `change` may
    /// lead back here: nothing is borrowed meanwhile, and the last to finish wins.
    pub(crate) fn with_outside_memory<R>(&self, change: impl FnOnce(&mut OutsideMemory) -> R) -> R {
        // SAFETY: alive while the running function has it as an upvalue; a plain value is copied.
        let mut outside = unsafe { (*self.shared).outside };
        let result = change(&mut outside);
        // SAFETY: as above.
        unsafe { (*self.shared).outside = outside };
        result
    }

    /// Changes what the native engine knows about this VM, in the same way.
    pub(crate) fn trust<R>(&self, change: impl FnOnce(&mut Trust) -> R) -> R {
        // SAFETY: as in `outside`.
        let mut trust = unsafe { (*self.shared).trust };
        let result = change(&mut trust);
        // SAFETY: as in `outside`.
        unsafe { (*self.shared).trust = trust };
        result
    }

    /// The index of the metatable of snapshots in this frame.
    pub(crate) fn metatable_index(&self) -> c_int {
        self.state.upvalue_index(upvalue::METATABLE)
    }

    /// Runs `task` in protected mode on a stack that starts with the values at `arguments`, and
    /// leaves its `results` on the top. On a raise the error value is there instead. Uses 3 slots
    /// and those of arguments and results.
    pub(crate) fn protected(
        &self,
        arguments: &[c_int],
        results: c_int,
        task: &mut Task<'_>,
    ) -> Result<(), Error> {
        let state = self.state;
        state.push_value(state.upvalue_index(upvalue::INNER));
        for &argument in arguments {
            state.push_value(argument);
        }
        let task: *mut Task<'_> = task;
        // SAFETY: only the lifetime changes. The inner function takes the task out before it
        // runs it, and whatever remains is taken back below, before `task` ends.
        let task: *mut Task<'static> = unsafe { std::mem::transmute(task) };
        // SAFETY: as in `outside`. A finalizer that a task lets run may call us again, hence the
        // exchange.
        let before = unsafe { (*self.shared).task.replace(task) };
        let status = state.call_protected(arguments.len() as c_int, results);
        // SAFETY: as above.
        unsafe { (*self.shared).task = before };
        if status == 0 {
            Ok(())
        } else {
            Err(Error::Raised)
        }
    }

    /// The address of the running function.
    pub(crate) fn function_address(&self) -> u64 {
        let mut record = DebugRecord::new(self.state.version());
        if !self.state.stack_level(0, &mut record) || !self.state.info(c"f", &mut record) {
            return 0;
        }
        let address = self.state.pointer(-1);
        self.state.pop(1);
        address
    }
}

/// Runs the task that the outer function left, in the frame of the inner one.
pub(crate) fn run_task(state: State) -> c_int {
    let Some(shared) = shared(state) else {
        return 0;
    };
    // SAFETY: proved to be ours; the task lives in the frame of `Frame::protected`, which is
    // waiting for this call.
    match unsafe { (*shared).task.take() } {
        // SAFETY: as above.
        Some(task) => unsafe { (*task)(state) },
        None => 0,
    }
}

/// What a new handle refers to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing.
    Nothing,
    /// A new marker.
    Marker,
    /// What the handle at this index refers to.
    Same(c_int),
}

/// Pushes the handle of a new snapshot, still empty, with the metatable that is the inner
/// function's second upvalue; returns it with the addresses of its marker and of the userdata. Uses
/// four slots. Raises.
pub(crate) fn push_handle(state: State, hold: Hold) -> (*mut Handle, [u64; 2]) {
    let mut marks = [0; 2];
    if hold == Hold::Marker {
        state.new_table();
        marks[0] = state.pointer(-1);
    }
    let handle = state.new_userdata(size_of::<Handle>()).cast::<Handle>();
    // SAFETY: new, large enough, aligned to 8 bytes in every VM.
    unsafe { Handle::write_empty(handle) };
    state.push_value(state.upvalue_index(upvalue::METATABLE));
    if state.type_of(-1) != TYPE_TABLE {
        state.push_string(b"snapshot has lost its metatable"); // to the debug library
        state.raise();
    }
    state.set_metatable(-2);
    marks[1] = state.pointer(-1);
    match hold {
        Hold::Nothing => {}
        Hold::Marker => {
            state.push_value(-2);
            state.set_user_value(-2);
            // SAFETY: written above, and on the top of the stack.
            unsafe { (*handle).marker = marks[0] };
        }
        Hold::Same(other) => {
            // With the debug library, someone may call us with anything.
            if let Some(other_handle) = Handle::at_any(state, other)
                && state.retainer_row(other)
            {
                state.set_user_value(-2);
                // SAFETY: both proved to be handles, and on the stack.
                unsafe { (*handle).marker = (*other_handle).marker };
            }
        }
    }
    (handle, marks)
}
