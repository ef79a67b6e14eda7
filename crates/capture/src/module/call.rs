//! One call of a module's function, as safe Rust sees it: what it captures and returns.

use crate::capture_time::CaptureTime;
use crate::lua::collector::{Standstill, collect, is_running, stop};
use crate::lua::debug_record::DebugRecord;
use crate::lua::snapshot_handle::Handle;
use crate::lua::state::{State, TYPE_FUNCTION, TYPE_TABLE, TYPE_USERDATA};
use crate::module::frame::{Frame, Hold, Outcome, push_handle};
use crate::module::result::{Error, Return};
use crate::module::value::Value;
use crate::native::capture::{self, Unavailable};
use crate::native::origin::{self, Origin};
use crate::portable::walk::{Root, Walk};
use luasnap_heap::{Birthmark, Engine, Heap, Printable, Snapshot};
use std::ffi::c_int;
use std::sync::atomic::{AtomicU64, Ordering};

/// Number of native captures in this process that got a marker.
static CAPTURES: AtomicU64 = AtomicU64::new(0);

/// A call of a module's function.
pub struct Call<'a> {
    pub(crate) frame: Frame,
    name: &'a str,
    arguments: c_int,
}

impl<'a> Call<'a> {
    pub(crate) fn new(frame: Frame, name: &'a str) -> Self {
        Call {
            frame,
            name,
            arguments: frame.state.top(),
        }
    }

    pub(crate) fn state(&self) -> State {
        self.frame.state
    }

    /// The function's name.
    pub fn name(&self) -> &str {
        self.name
    }

    /// Number of arguments.
    pub fn argument_count(&self) -> u32 {
        self.arguments as u32
    }

    /// Runs two full collections, so that what the finalizers of the first release is collected
    /// too. Errors of finalizers are dropped, and a collector that was stopped stays so.
    pub fn collect_garbage(&self) {
        let stopped = !is_running(self.state());
        for _ in 0..2 {
            self.collect_protected();
        }
        if stopped {
            stop(self.state());
        }
    }

    /// Runs a full collection. Errors of finalizers are dropped.
    fn collect_protected(&self) {
        let top = self.state().top();
        let _ = self.frame.protected(&[], 0, &mut |state| {
            collect(state);
            0
        });
        self.state().set_top(top);
    }

    /// Captures the whole heap with the given engine, or with the best one available.
    pub fn capture_whole(&self, engine: Option<Engine>) -> Result<Heap, Error> {
        self.collect_dropped_snapshots();
        let held = self.frame.with_outside_memory(|outside| outside.held());
        let moment = CaptureTime::with_memory(held);
        let captured = match engine {
            Some(Engine::Portable) => self.walk(Root::Whole, &[]),
            _ => match self.sweep(None) {
                Err(Unavailable::Reason(reason)) if engine.is_none() => {
                    self.walk(Root::Whole, &[]).map(|mut heap| {
                        heap.set_engine_reason(reason.to_string());
                        heap
                    })
                }
                swept => swept.map_err(Error::from),
            },
        };
        captured.map(|heap| moment.mark(heap))
    }

    /// Captures what is reachable from argument 1, under the name in argument 2. Uses the portable
    /// engine unless the native one is asked for, which has to read the whole heap for that.
    pub fn capture_argument(&self, engine: Option<Engine>) -> Result<Heap, Error> {
        self.collect_dropped_snapshots();
        let moment = CaptureTime::now();
        let name = self.string_argument(2)?;
        let captured = match engine {
            Some(Engine::Native) => self.sweep(Some(self.native_root(name)))?,
            _ => self.walk(Root::Argument(name), &[1])?,
        };
        Ok(moment.mark(captured))
    }

    /// Argument 1 as the native engine's root.
    fn native_root<'n>(&self, name: &'n [u8]) -> origin::Root<'n> {
        let (state, lua_type) = (self.state(), self.argument_type(1));
        origin::Root {
            address: state.pointer(1),
            is_userdata: lua_type == TYPE_USERDATA,
            is_c_function: lua_type == TYPE_FUNCTION && state.is_c_function(1),
            name,
        }
    }

    /// Captures with the native engine.
    fn sweep(&self, root: Option<origin::Root<'_>>) -> Result<Heap, Unavailable> {
        let (state, origin) = (self.state(), self.origin());
        self.frame
            .trust(|trust| capture::capture(state, origin, root, trust))
    }

    /// Where a native capture is made. Uses two slots.
    pub(super) fn origin(&self) -> Origin {
        let state = self.state();
        Origin {
            own_metatable: state.pointer(self.frame.metatable_index()),
            metatables: self.known_metatables(),
            own_function: self.frame.function_address(),
            running_thread: state.raw() as u64,
            is_stopped_at_any_instruction: false,
            extra_space: None,
        }
    }

    /// The metatable of snapshots, and its own, which is the module's table: each with its
    /// metatable, as addresses. Uses two slots.
    fn known_metatables(&self) -> [(u64, u64); 2] {
        let state = self.state();
        let own = self.frame.metatable_index();
        if state.type_of(own) != TYPE_TABLE || !state.metatable(own) {
            return [(0, 0); 2]; // the debug library took it away
        }
        let (own, module) = (state.pointer(own), state.pointer(-1));
        let above = match state.metatable(-1) {
            true => state.pointer(-1),
            false => 0,
        };
        state.set_top(self.arguments);
        [(own, module), (module, above)]
    }

    /// Captures with the portable engine.
    fn walk(&self, root: Root<'_>, arguments: &[c_int]) -> Result<Heap, Error> {
        let mut walk = Walk::new(
            self.state().version(),
            self.frame.function_address(),
            self.state().pointer(self.frame.metatable_index()),
        );
        let total = self.state().allocated_bytes();
        let standstill = Standstill::begin(self.state());
        let walked = self.frame.protected(arguments, 0, &mut |state| {
            walk.run(state, root);
            0
        });
        drop(standstill);
        walked?;
        Ok(walk.finish(total)?)
    }

    /// Collects when dropped snapshots may have piled up. Errors of finalizers are dropped: someone
    /// else's error is no reason to go without a snapshot.
    fn collect_dropped_snapshots(&self) {
        let state = self.state();
        if self
            .frame
            .with_outside_memory(|outside| outside.collection_is_due(state))
        {
            self.collect_protected();
            self.frame
                .with_outside_memory(|outside| outside.collected());
        }
    }

    /// Counts again the memory of the snapshots among the arguments, which grows with what they
    /// compute.
    fn count_memory(&self) {
        for number in 1..=self.argument_count() {
            let Some(handle) = self.handle(number) else {
                continue;
            };
            // SAFETY: as in `snapshot_argument`.
            let handle = unsafe { &mut *handle };
            let held = handle.get().map_or(0, |snapshot| snapshot.memory());
            self.frame
                .with_outside_memory(|outside| match held.checked_sub(handle.reported) {
                    Some(more) => outside.add(more),
                    None => outside.remove(handle.reported - held),
                });
            handle.reported = held;
        }
    }

    pub(crate) fn finish(self, result: Result<Return, Error>) -> Outcome {
        self.count_memory();
        let pushed = match result {
            Ok(Return::Nothing) => return Outcome::Return(0),
            Ok(Return::Snapshot(snapshot)) => self.push_captured(snapshot),
            Ok(Return::Job) => Ok(()),
            Ok(Return::Nil) => {
                self.state().push_nil();
                Ok(())
            }
            Ok(Return::Loaded(snapshot)) => self.push_snapshot(snapshot, &[], Hold::Nothing),
            Ok(Return::Copy(snapshot, of)) => {
                self.push_snapshot(snapshot, &[of as c_int], Hold::Same(1))
            }
            Ok(Return::Text(text)) => self.push_text(&text),
            Ok(Return::Count(count)) => {
                self.state().push_integer(count as i64);
                Ok(())
            }
            Ok(Return::Value(value)) => self.push_new_value(&value),
            Ok(Return::Absent(reason)) => {
                self.state().push_nil();
                return match self.push_text(reason.as_bytes()) {
                    Ok(()) => Outcome::Return(2),
                    Err(_) => Outcome::Raise,
                };
            }
            Err(error) => self.push_error(error),
        };
        match pushed {
            Ok(()) => Outcome::Return(1),
            Err(_) => Outcome::Raise,
        }
    }

    /// Pushes the first handle of a snapshot. That of a native capture gets a marker, which tells
    /// later captures what is older than this one.
    fn push_captured(&self, snapshot: Snapshot) -> Result<(), Error> {
        let engine = snapshot.everything().provenance().engine;
        let hold = match engine == Engine::Native && !snapshot.is_difference() {
            true => Hold::Marker,
            false => Hold::Nothing,
        };
        self.push_snapshot(snapshot, &[], hold)
    }

    /// Pushes a handle of a snapshot. Where `hold` names another handle, that is one of
    /// `arguments`.
    fn push_snapshot(
        &self,
        snapshot: Snapshot,
        arguments: &[c_int],
        hold: Hold,
    ) -> Result<(), Error> {
        let provenance = snapshot.everything().provenance();
        let (mut handle, mut marks) = (std::ptr::null_mut(), [0; 2]);
        let standstill = Standstill::begin(self.state());
        let pushed = self.frame.protected(arguments, 1, &mut |state| {
            (handle, marks) = push_handle(state, hold);
            1
        });
        drop(standstill);
        pushed?;
        // With the debug library, someone can replace the inner function.
        let on_top = self.state().type_of(-1) == TYPE_USERDATA;
        if !on_top || Handle::at(self.state(), -1) != Some(handle) {
            return Ok(());
        }
        if hold == Hold::Marker {
            snapshot.set_birthmark(Birthmark {
                vm_address: provenance.vm_address,
                sequence: CAPTURES.fetch_add(1, Ordering::Relaxed),
                marks,
            });
        }
        let bytes = snapshot.memory();
        // SAFETY: proved to be a handle, and on the top of the stack.
        unsafe { (*handle).put(snapshot, bytes) };
        self.frame.with_outside_memory(|outside| outside.add(bytes));
        Ok(())
    }

    fn push_text(&self, text: &[u8]) -> Result<(), Error> {
        self.frame.protected(&[], 1, &mut |state| {
            state.push_string(text);
            1
        })
    }

    fn push_new_value(&self, value: &Value) -> Result<(), Error> {
        self.frame.protected(&[], 1, &mut |state| {
            if !Value::make_room(state) {
                state.push_string(b"not enough memory");
                return state.raise();
            }
            value.push(state);
            1
        })
    }

    /// Leaves the error value on the top.
    fn push_error(&self, error: Error) -> Result<(), Error> {
        let text = match error {
            Error::Raised => return Err(Error::Raised),
            Error::OutOfMemory => "not enough memory".to_owned(),
            Error::Message(message) => format!("{}{message}", self.position()),
            Error::Failure(message) => {
                let failure = format!("{}{message}", self.position());
                self.fail_test(failure.as_bytes())?;
                failure
            }
            Error::Argument { number, reason } => self.argument_message(number, &reason),
        };
        self.push_text(text.as_bytes())?;
        Err(Error::Raised)
    }

    /// The message of `luaL_argerror`, but with the function's own name, however it was called.
    fn argument_message(&self, number: u32, reason: &str) -> String {
        let (position, name) = (self.position(), self.name);
        match number - u32::from(self.is_method_call()) {
            0 => format!("{position}calling '{name}' on bad self ({reason})"),
            number => format!("{position}bad argument #{number} to '{name}' ({reason})"),
        }
    }

    fn is_method_call(&self) -> bool {
        let mut record = DebugRecord::new(self.state().version());
        self.state().stack_level(0, &mut record)
            && self.state().info(c"n", &mut record)
            && record.is_method_call()
    }

    /// The position of the call, in the form of `luaL_where`.
    fn position(&self) -> String {
        let mut record = DebugRecord::new(self.state().version());
        if !self.state().stack_level(1, &mut record) || !self.state().info(c"Sl", &mut record) {
            return String::new();
        }
        match record.current_line() {
            Some(line) => {
                format!("{}:{line}: ", Printable(record.short_source()))
            }
            None => String::new(),
        }
    }
}
