//! A Lua module whose functions are safe Rust.
//!
//! A call goes through two C functions. The outer one, which Lua calls, owns Rust values and so
//! never calls anything that raises. What may raise runs in the inner one, under `pcall`, and
//! owns nothing. When the outer one's values are gone, it raises what there is to raise.

use crate::activation::Activation;
use crate::api::{Api, CFunction, LuaState};
use crate::call::{Call, Error, Return};
use crate::collector::OutsideMemory;
use crate::handle::Handle;
use crate::native::Trust;
use crate::resolve::{self, Failure};
use crate::signals;
use crate::slot;
use crate::state::{State, TYPE_STRING, TYPE_TABLE, TYPE_USERDATA};
use crate::static_program;
use std::ffi::{CStr, c_int, c_void};
use std::io::Write;
use std::panic::{AssertUnwindSafe, catch_unwind};

/// A function of a module.
pub struct Function {
    /// Its name in the module's table, or in the metatable of snapshots.
    pub name: &'static str,
    /// What it does.
    pub body: fn(&mut Call<'_>) -> Result<Return, Error>,
}

/// A Lua module.
pub struct Module {
    /// Its name: of the global, and in the registry.
    pub name: &'static str,
    /// The functions in its table, which are also the methods of snapshots.
    pub functions: &'static [Function],
    /// The metamethods of snapshots. `__index` is the module's table.
    pub metamethods: &'static [Function],
}

impl Module {
    fn function(&self, number: usize) -> Option<&'static Function> {
        self.functions.iter().chain(self.metamethods).nth(number)
    }
}

/// What the driver of `luasnap run` gives as a third argument, which `require` does not: it gets a second
/// result for it, and interrupts its script by that.
pub(crate) const DRIVER: &[u8] = b"luasnap run";

/// What a function of the module has as upvalues.
mod upvalue {
    pub const SHARED: i32 = 1;
    pub const METATABLE: i32 = 2;
    pub const INNER: i32 = 3;
    pub const NUMBER: i32 = 4;
}

/// What runs in protected mode: it gets the state of the inner function's own frame and says how
/// many results it left. It owns nothing, since a raise skips its destructors.
pub(crate) type Task<'a> = dyn FnMut(State) -> c_int + 'a;

/// What all functions of one loaded module share: the payload of a userdata that each has as an
/// upvalue.
#[repr(C)]
pub(crate) struct Shared {
    /// Its own address: no other userdata says that of itself.
    mark: *const Shared,
    module: &'static Module,
    task: Option<*mut Task<'static>>,
    pub(crate) outside: OutsideMemory,
    /// What the native engine has found out of this VM.
    pub(crate) trust: Trust,
}

/// Opens a module: pushes its table and answers 1, or raises. `caller` is an address in the code
/// of the VM that calls, null where unknown.
///
/// # Safety
/// `state` is a live Lua state that called in the way of `lua_CFunction`; no frame between this
/// one and the VM owns anything with a destructor.
pub unsafe fn open(state: *mut LuaState, caller: *const c_void, module: &'static Module) -> c_int {
    // Before all else, which needs what is not there.
    if static_program::is_static() {
        // SAFETY: this function's own contract.
        return unsafe { static_program::refuse(state, caller) };
    }
    // SAFETY: this function's own contract.
    let refusal = match unsafe { find_entry(state, caller) } {
        Ok(entry) => {
            // SAFETY: the state is live, and this is its VM's API.
            let state = unsafe { State::new(state, entry.api) };
            let is_for_driver =
                state.top() >= 3 && state.type_of(3) == TYPE_STRING && state.string(3) == DRIVER;
            push_module(state, entry, module);
            if !is_for_driver {
                return 1;
            }
            signals::push_functions(state);
            return 2;
        }
        Err(refusal) => *refusal,
    };
    if let Some(api) = refusal.api {
        // SAFETY: the state is live, and this is its VM's API.
        let state = unsafe { State::new(state, api) };
        state.push_string(refusal.message.bytes());
        return state.raise();
    }
    // SAFETY: this function's own contract.
    unsafe { resolve::raise_without_api(state, caller, refusal.message.c_str()) };
    // A stripped program gives us no way to raise. (And a closed stderr is no reason to panic.)
    let _ = writeln!(
        std::io::stderr(),
        "{}",
        String::from_utf8_lossy(refusal.message.bytes())
    );
    0
}

/// Why a module cannot be opened. It owns nothing, since it is there when the error is raised.
#[derive(Clone, Copy)]
struct Refusal {
    /// By what to raise the message, where there is an API.
    api: Option<&'static Api>,
    message: Message,
}

/// A sentence in place, with a zero byte behind.
#[derive(Clone, Copy)]
struct Message {
    text: [u8; Message::SIZE],
    len: usize,
}

impl Message {
    const SIZE: usize = 512;

    fn new(sentence: &str) -> Message {
        let mut text = [0; Message::SIZE];
        let len = sentence.len().min(Message::SIZE - 1);
        text[..len].copy_from_slice(&sentence.as_bytes()[..len]);
        Message { text, len }
    }

    fn bytes(&self) -> &[u8] {
        &self.text[..self.len]
    }

    fn c_str(&self) -> &CStr {
        CStr::from_bytes_until_nul(&self.text).unwrap_or_default()
    }
}

/// # Safety
/// As [`open`].
unsafe fn find_entry(
    raw: *mut LuaState,
    caller: *const c_void,
) -> Result<slot::Entry, Box<Refusal>> {
    let refuse = |api, sentence: &str| {
        Box::new(Refusal {
            api,
            message: Message::new(sentence),
        })
    };
    let claim = |api| {
        slot::claim(api).ok_or_else(|| {
            // No place will ever hold it, and a raise needs it.
            refuse(
                Some(Box::leak(Box::new(api))),
                &format!(
                    "snapshot is in use by {} different Luas of this process already: unload one \
                     that is not needed (dlclose)",
                    slot::PLACES
                ),
            )
        })
    };
    // SAFETY: this function's own contract.
    match unsafe { resolve::resolve(raw, caller) } {
        Ok(api) => claim(api),
        Err(Failure::Refused(api, sentence)) => Err(refuse(Some(claim(*api)?.api), &sentence)),
        Err(Failure::Incomplete(missing)) => Err(refuse(
            None,
            &format!(
                "snapshot found no {} in this program: its Lua C API is not one of Lua 5.1 to \
                 5.5 or LuaJIT",
                missing.to_string_lossy()
            ),
        )),
        Err(Failure::NotExported) => Err(refuse(None, resolve::NO_API)),
    }
}

/// Pushes the module's table, the one that the registry already has or a new one, and makes it the
/// global of the module's name. Uses 10 slots. Raises; owns nothing.
fn push_module(state: State, entry: slot::Entry, module: &'static Module) {
    push_registry_key(state, module);
    state.raw_get(state.registry());
    if state.type_of(-1) != TYPE_TABLE {
        state.pop(1);
        push_new_module(state, entry, module);
    }
    let table = state.top();
    state.push_globals();
    state.push_string(module.name.as_bytes());
    state.push_value(table);
    state.raw_set(table + 1);
    state.set_top(table);
}

/// Pushes a new table of the module, which the registry knows from now on.
fn push_new_module(state: State, entry: slot::Entry, module: &'static Module) {
    state.new_table(); // the module
    push_shared(state, module);
    state.new_table(); // the metatable of snapshots
    state.push_value(-2);
    state.push_value(-2);
    state.push_closure(entry.inner, 2);
    let (table, shared) = (state.top() - 3, state.top() - 2);
    for (number, function) in module
        .functions
        .iter()
        .chain(module.metamethods)
        .enumerate()
    {
        let into = if number < module.functions.len() {
            table
        } else {
            shared + 1
        };
        state.push_string(function.name.as_bytes());
        push_function(state, entry.outer, shared, number);
        state.raw_set(into);
    }
    state.push_string(b"__index");
    state.push_value(table);
    state.raw_set(shared + 1);
    state.push_string(b"__name");
    state.push_string(module.name.as_bytes());
    state.raw_set(shared + 1);
    // No reader of tables asks for it: by it the native engine knows where tables have theirs.
    state.push_value(table);
    state.set_metatable(shared + 1);
    push_registry_key(state, module);
    state.push_value(table);
    state.raw_set(state.registry());
    state.set_top(table);
}

/// The key names the version: another version's table holds other functions.
fn push_registry_key(state: State, module: &Module) {
    const KEY: &str = concat!(" ", env!("CARGO_PKG_VERSION"));
    // On the stack, so that a raise leaks nothing.
    let mut key = [0; 64];
    let len = module.name.len();
    key[..len].copy_from_slice(module.name.as_bytes());
    key[len..len + KEY.len()].copy_from_slice(KEY.as_bytes());
    state.push_string(&key[..len + KEY.len()]);
}

fn push_shared(state: State, module: &'static Module) {
    let shared = state.new_userdata(size_of::<Shared>()).cast::<Shared>();
    // SAFETY: new, large enough, and aligned: payloads are aligned to 8 bytes in every VM.
    unsafe {
        shared.write(Shared {
            mark: shared,
            module,
            task: None,
            outside: OutsideMemory::default(),
            trust: Trust::default(),
        });
    }
}

/// Pushes function `number`; the shared userdata, the metatable and the inner function lie at
/// `shared` and after.
fn push_function(state: State, outer: CFunction, shared: c_int, number: usize) {
    for index in shared..shared + 3 {
        state.push_value(index);
    }
    state.push_integer(number as i64);
    state.push_closure(outer, upvalue::NUMBER);
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

/// What the outer function is to do once it owns nothing.
pub(crate) enum Outcome {
    Return(c_int),
    /// The error value is on the top.
    Raise,
}

/// A call of one of the module's functions.
pub(crate) fn call(state: State) -> Outcome {
    let number = state.number(state.upvalue_index(upvalue::NUMBER));
    let Some(shared) = shared(state) else {
        return Outcome::Return(0);
    };
    // SAFETY: proved to be ours, and alive while the running function has it as an upvalue.
    let module = unsafe { (*shared).module };
    let Some(function) = module.function(number as usize) else {
        return Outcome::Return(0);
    };
    let mut call = Call::new(Frame { state, shared }, function.name);
    let result = catch_unwind(AssertUnwindSafe(|| (function.body)(&mut call)))
        .unwrap_or_else(|_| Err(Error::Message("internal error in snapshot (a bug)".into())));
    call.finish(result)
}

/// The frame of the outer function.
#[derive(Clone, Copy)]
pub(crate) struct Frame {
    pub(crate) state: State,
    shared: *mut Shared,
}

impl Frame {
    /// What the module counts of the memory that its snapshots hold.
    pub(crate) fn outside<R>(&self, change: impl FnOnce(&mut OutsideMemory) -> R) -> R {
        // SAFETY: alive while the running function has it as an upvalue, and nothing else
        // borrows it: `change` cannot call Lua.
        change(unsafe { &mut (*self.shared).outside })
    }

    /// What the native engine knows of this VM.
    pub(crate) fn trust<R>(&self, change: impl FnOnce(&mut Trust) -> R) -> R {
        // SAFETY: as in `outside`.
        change(unsafe { &mut (*self.shared).trust })
    }

    /// Where the metatable of snapshots is, for this frame.
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
        let mut record = Activation::new(self.state.version());
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

/// What a new handle holds on to.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Hold {
    /// Nothing.
    Nothing,
    /// A new marker.
    Marker,
    /// What the handle at this index holds.
    Same(c_int),
}

/// Pushes the handle of a new snapshot, still empty, with the metatable that is the inner
/// function's second upvalue; answers the addresses of its marker and its own as well. Uses four
/// slots. Raises.
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
            // Somebody with the debug library may call us with anything.
            if let Some(other_handle) = Handle::at_any(state, other)
                && state.held_by(other)
            {
                state.set_user_value(-2);
                // SAFETY: both proved to be handles, and on the stack.
                unsafe { (*handle).marker = (*other_handle).marker };
            }
        }
    }
    (handle, marks)
}
