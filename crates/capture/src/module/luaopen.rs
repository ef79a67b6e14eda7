//! Opening a module: the symbol by which Lua finds it, the API of the calling VM, and the table
//! that the VM gets, or why it gets none.

use crate::lua::api::{Api, CFunction, LuaState};
use crate::lua::debug_record::DebugRecord;
use crate::lua::resolve::{self, Failure};
use crate::lua::state::{State, TYPE_STRING, TYPE_TABLE};
use crate::module::driver::{self, DRIVER};
use crate::module::entry_points::{self, Entry};
use crate::module::frame::{push_shared, upvalue};
use crate::module::message::Message;
use crate::module::module::Module;
use crate::module::static_program;
use crate::module::vm_slots::PLACES;
use std::ffi::{c_int, c_void};
use std::io::Write;

/// Defines `luaopen_…` for a [`Module`](crate::Module) (a static). The function's return address
/// lies in the VM that calls it, which is how its API is found; only machine code can read it.
#[macro_export]
macro_rules! lua_module {
    ($(#[$doc:meta])* $name:ident => $module:path) => {
        extern "C-unwind" fn open_for_caller(
            state: *mut $crate::LuaState,
            caller: *const ::std::ffi::c_void,
        ) -> ::std::ffi::c_int {
            // SAFETY: called through the symbol below alone, by a VM with its own state.
            unsafe { $crate::open(state, caller, &$module) }
        }

        $(#[$doc])*
        ///
        /// # Safety
        /// To be called by a Lua VM, or as a VM would: with a live state.
        // SAFETY: the name is Lua's convention for this module, and nobody else's.
        #[unsafe(no_mangle)]
        #[unsafe(naked)]
        pub unsafe extern "C-unwind" fn $name(state: *mut $crate::LuaState) -> ::std::ffi::c_int {
            #[cfg(target_arch = "x86_64")]
            ::std::arch::naked_asm!("mov rsi, [rsp]", "jmp {}", sym open_for_caller);
            #[cfg(target_arch = "aarch64")]
            ::std::arch::naked_asm!("mov x1, x30", "b {}", sym open_for_caller);
        }
    };
}

/// Opens a module: pushes its table and returns 1, or raises. For the driver of `luasnap run` it
/// pushes a table of functions as well and returns 2. Where it cannot raise, it prints the error
/// and returns 0. `caller` is an address in the code of the calling VM, null where unknown.
///
/// # Safety
/// `state` is a live Lua state that called as it calls a `lua_CFunction`; no frame between this one
/// and the VM owns anything with a destructor.
pub unsafe fn open(state: *mut LuaState, caller: *const c_void, module: &'static Module) -> c_int {
    // First of all: everything else needs what is missing there.
    if static_program::is_static() {
        // SAFETY: this function's own contract.
        return unsafe { static_program::refuse(state, caller) };
    }
    // SAFETY: this function's own contract.
    let refusal = match unsafe { find_entry(state, caller) } {
        Ok(entry) => {
            // SAFETY: the state is live, and this is its VM's API.
            let state = unsafe { State::new(state, entry.api) };
            if !knows_debug_records(state) {
                state.push_string(OTHER_RECORDS);
                return state.raise();
            }
            let is_for_driver =
                state.top() >= 3 && state.type_of(3) == TYPE_STRING && state.string(3) == DRIVER;
            push_module(state, entry, module);
            if !is_for_driver {
                return 1;
            }
            driver::push_functions(state);
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

const OTHER_RECORDS: &[u8] = b"snapshot does not know the debug interface of this Lua: its lua_Debug has \
    another layout than that of the released sources; build it with the lua.h and the alignment of these";

/// Whether `lua_getinfo` describes the running function, which is a C function, as expected. Uses
/// no slot.
fn knows_debug_records(state: State) -> bool {
    let mut record = DebugRecord::new(state.version());
    if !state.stack_level(0, &mut record) {
        return true; // called by nobody that knows of frames
    }
    state.info(c"Sl", &mut record) && record.is_of_c_function()
}

/// Why a module cannot be opened. It owns nothing, since it still exists when the error is raised.
#[derive(Clone, Copy)]
struct Refusal {
    /// The API to raise the message with, if any.
    api: Option<&'static Api>,
    message: Message,
}

/// # Safety
/// As [`open`].
unsafe fn find_entry(raw: *mut LuaState, caller: *const c_void) -> Result<Entry, Box<Refusal>> {
    let refuse = |api, sentence: &str| {
        Box::new(Refusal {
            api,
            message: Message::new(sentence),
        })
    };
    let claim = |api| {
        entry_points::claim(api).ok_or_else(|| {
            // Leaked: no place will ever hold it, and the raise needs it.
            refuse(
                Some(Box::leak(Box::new(api))),
                &format!(
                    "snapshot is in use by {} different Luas of this process already: unload one \
                     that is not needed (dlclose)",
                    PLACES
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
fn push_module(state: State, entry: Entry, module: &'static Module) {
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

/// Pushes a new table of the module and stores it in the registry.
fn push_new_module(state: State, entry: Entry, module: &'static Module) {
    state.new_table(); // the module
    push_shared(state, module);
    state.new_table(); // the metatable of snapshots
    state.push_value(-2);
    state.push_value(-2);
    state.push_closure(entry.inner, 2);
    let (table, shared) = (state.top() - 3, state.top() - 2);
    for (number, function) in module.all().enumerate() {
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
    // No Lua code needs this metatable: it shows the native engine where tables keep theirs.
    state.push_value(table);
    state.set_metatable(shared + 1);
    push_registry_key(state, module);
    state.push_value(table);
    state.raw_set(state.registry());
    state.set_top(table);
}

/// Pushes the key, which names the version: another version's table has other functions.
fn push_registry_key(state: State, module: &Module) {
    const KEY: &str = concat!(" ", env!("CARGO_PKG_VERSION"));
    // On the stack, so that a raise leaks nothing.
    let mut key = [0; 64];
    let len = module.name.len();
    key[..len].copy_from_slice(module.name.as_bytes());
    key[len..len + KEY.len()].copy_from_slice(KEY.as_bytes());
    state.push_string(&key[..len + KEY.len()]);
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
