//! The Lua that this program is linked with.

use crate::lua::api::{Api, Lua, LuaState};
use crate::lua::resolve::{self, Failure};
use crate::lua::state::{State, TYPE_STRING};
use crate::module::driver;
use crate::module::entry_points;
use crate::module::luaopen;
use crate::module::module::Module;
use std::ffi::{CStr, c_char, c_int, c_void};
use std::sync::OnceLock;

type NewState = unsafe extern "C-unwind" fn() -> Lua;
type OpenLibraries = unsafe extern "C-unwind" fn(Lua);
type Close = unsafe extern "C-unwind" fn(Lua);
type Load =
    unsafe extern "C-unwind" fn(Lua, *const c_char, usize, *const c_char, *const c_char) -> c_int;

/// The API of that Lua. It is static because a C function gets nothing but a state.
static API: OnceLock<&'static Api> = OnceLock::new();

/// Lua source to run.
#[derive(Clone, Copy, Debug)]
pub struct Chunk<'a> {
    /// Its name in messages, as `load` takes it: `=NAME` or `@FILE`.
    pub name: &'a CStr,
    /// The source.
    pub source: &'a str,
    /// What the chunk gets as `...`, after a table of functions for interrupting it.
    pub arguments: &'a [Vec<u8>],
}

/// A state of the Lua that the program is linked with. Dropping closes it.
pub struct EmbeddedLua {
    state: State,
    host: Host,
}

/// Functions that only a host calls.
#[derive(Clone, Copy)]
struct Host {
    open_libraries: OpenLibraries,
    load: Load,
    close: Close,
}

/// What [`enter`] is to do.
#[derive(Clone, Copy)]
struct Job<'a> {
    host: Host,
    module: &'static Module,
    chunk: Chunk<'a>,
}

impl EmbeddedLua {
    /// A new state of the Lua whose C API this program exports. The error is a sentence.
    ///
    /// `SIGPIPE` gets back its default action, which Rust took away and Lua programs expect.
    pub fn new() -> Result<EmbeddedLua, String> {
        // SAFETY: the default action runs no code of this process.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
        let new_state = find_new_state()?;
        // SAFETY: what exports this name is a Lua, and so its declaration is Lua's.
        let raw = unsafe { new_state() };
        if raw.is_null() {
            return Err("there is no memory for a Lua state".to_owned());
        }
        // SAFETY: the state is live, and `new_state` lies in its VM's code.
        let api = unsafe { resolve::resolve(raw, new_state as *const c_void) };
        let api = entry_points::claim(api.map_err(sentence)?)
            .ok_or_else(not_linked)?
            .api;
        let (Some(open_libraries), Some(load), Some(close)) =
            (api.openlibs, api.loadbufferx, api.close)
        else {
            return Err("the Lua in this program is no 5.2 or later".to_owned());
        };
        let api = API.get_or_init(|| api);
        // SAFETY: the state is new and its API's own; no other thread gets it, since a raw
        // pointer is not `Send`.
        let state = unsafe { State::new(raw, api) };
        Ok(EmbeddedLua {
            state,
            host: Host {
                open_libraries,
                load,
                close,
            },
        })
    }

    /// Opens the standard libraries and `module`, which `require` then finds loaded, and runs a
    /// chunk. The error is what the chunk raised.
    pub fn run(&mut self, module: &'static Module, chunk: Chunk<'_>) -> Result<(), String> {
        let state = self.state;
        let mut job = Job {
            host: self.host,
            module,
            chunk,
        };
        state.push_closure(enter, 0); // no object: a function without upvalues is none
        let address = (&raw mut job).cast::<c_void>();
        // SAFETY: a new state has room, and so has one whose stack this function has cleared.
        unsafe { (state.api().pushlightuserdata)(state.raw(), address) };
        let failed = state.call_protected(1, 0) != 0;
        let result = if failed { Err(message(state)) } else { Ok(()) };
        state.set_top(0);
        result
    }
}

impl Drop for EmbeddedLua {
    fn drop(&mut self) {
        // SAFETY: the state is live, and this was its last use. Errors of finalizers become
        // warnings.
        unsafe { (self.host.close)(self.state.raw()) }
    }
}

/// The outermost function of the state, in protected mode: it and what it calls own nothing, so a
/// raise may leave them.
unsafe extern "C-unwind" fn enter(raw: *mut LuaState) -> c_int {
    let Some(api) = API.get() else { return 0 };
    // SAFETY: only `EmbeddedLua::run` hands this function to a VM, that of `API`.
    let state = unsafe { State::new(raw, api) };
    // SAFETY: the argument is the job in the frame of `EmbeddedLua::run`, which waits for us.
    let job = unsafe { *state.userdata(1).cast::<Job<'_>>() };
    // SAFETY: the state is live, and the call protected.
    unsafe { (job.host.open_libraries)(raw) };
    open_module(state, job);
    load_chunk(state, job);
    driver::push_functions(state);
    let arguments = job.chunk.arguments;
    if !state.check_stack(arguments.len() as c_int + 1) {
        state.push_string(b"too many arguments for a Lua script");
        return state.raise();
    }
    for argument in arguments {
        state.push_string(argument);
    }
    if state.call_protected(arguments.len() as c_int + 1, 0) != 0 {
        return state.raise();
    }
    0
}

/// Opens the module and enters it in `package.loaded`. Uses 14 slots. Raises.
fn open_module(state: State, job: Job<'_>) {
    let code = job.host.open_libraries as *const c_void;
    // SAFETY: the state is live and `code` its VM's own; the frames up to the VM own nothing.
    unsafe { luaopen::open(state.raw(), code, job.module) };
    state.push_string(b"_LOADED");
    state.raw_get(state.registry());
    state.push_string(job.module.name.as_bytes());
    state.push_value(-3);
    state.raw_set(-3);
    state.pop(2);
}

/// Pushes the chunk as a function. Raises.
fn load_chunk(state: State, job: Job<'_>) {
    let Chunk { name, source, .. } = job.chunk;
    let start = source.as_ptr().cast::<c_char>();
    // SAFETY: the source is as long as it says, and Lua copies what it keeps.
    let failed = unsafe {
        (job.host.load)(
            state.raw(),
            start,
            source.len(),
            name.as_ptr(),
            c"t".as_ptr(),
        ) != 0
    };
    if failed {
        state.raise();
    }
}

/// The error on the top.
fn message(state: State) -> String {
    if state.type_of(-1) == TYPE_STRING {
        String::from_utf8_lossy(state.string(-1)).into_owned()
    } else {
        "an error that is no string".to_owned()
    }
}

fn find_new_state() -> Result<NewState, String> {
    let symbol = resolve::process_symbol(c"luaL_newstate");
    if symbol.is_null() {
        return Err(not_linked());
    }
    // SAFETY: what exports this name is a Lua, and so its declaration is Lua's.
    Ok(unsafe { std::mem::transmute::<*mut c_void, NewState>(symbol) })
}

fn not_linked() -> String {
    "this program was linked without a Lua that it exports: link it with -rdynamic".to_owned()
}

fn sentence(failure: Failure) -> String {
    match failure {
        Failure::NotExported => not_linked(),
        Failure::Refused(_, sentence) => sentence,
        Failure::Incomplete(name) => {
            format!("the Lua in this program has no {}", name.to_string_lossy())
        }
    }
}
