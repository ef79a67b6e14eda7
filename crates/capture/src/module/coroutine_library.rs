//! `coroutine.resume` and `coroutine.wrap` as in `lcorolib.c`, except that they note which Lua
//! thread is running. In PUC Lua each thread has its own hook, and only its resumer knows which
//! thread a signal has to be given to.

use crate::lua::api::{CFunction, Lua};
use crate::lua::debug_record::DebugRecord;
use crate::lua::state::{State, TYPE_FUNCTION, TYPE_NUMBER, TYPE_STRING};
use crate::module::signals::{noted, state_of};
use crate::version::Version;
use std::ffi::{CStr, c_int};

/// `LUA_YIELD`.
const YIELD: c_int = 1;
/// `LUA_ERRMEM`.
const OUT_OF_MEMORY: c_int = 4;

/// The functions, by name. LuaJIT needs none: its hook belongs to the whole VM.
pub(crate) fn functions(state: State) -> impl Iterator<Item = (&'static [u8], CFunction)> {
    let api = state.api();
    let has_all = api.resume.is_some()
        && api.status.is_some()
        && api.newthread.is_some()
        && api.where_.is_some()
        && api.concat.is_some()
        && api.argerror.is_some();
    let is_needed = has_all && state.version() != Version::LuaJit;
    let functions: [(&'static [u8], CFunction); 2] = [(b"resume", resume), (b"wrap", wrap)];
    functions.into_iter().filter(move |_| is_needed)
}

/// `coroutine.resume(co, ...)`.
unsafe extern "C-unwind" fn resume(raw: Lua) -> c_int {
    let Some(state) = state_of(raw) else { return 0 };
    let Some(thread) = state.thread(1) else {
        return argument_error(state, c"coroutine expected");
    };
    let arguments = state.top() - 1;
    match resume_thread(state, thread, arguments) {
        Some(results) => {
            state.push_boolean(true);
            move_from(thread, state, results);
            results + 1
        }
        None => {
            state.push_boolean(false);
            state.push_value(-2);
            2
        }
    }
}

/// `coroutine.wrap(f)`.
unsafe extern "C-unwind" fn wrap(raw: Lua) -> c_int {
    let Some(state) = state_of(raw) else { return 0 };
    let Some(newthread) = state.api().newthread else {
        return 0;
    };
    if state.type_of(1) != TYPE_FUNCTION {
        return argument_error(state, c"function expected");
    }
    // SAFETY: the state is the running one, with room for a thread and a function; and the new thread is
    // on its stack, and has room for a function.
    unsafe {
        let thread = state.of_thread(newthread(raw));
        state.push_value(1);
        state.move_top(thread);
    }
    state.push_closure(resume_wrapped, 1);
    1
}

/// The function that `coroutine.wrap` returns.
unsafe extern "C-unwind" fn resume_wrapped(raw: Lua) -> c_int {
    let Some(state) = state_of(raw) else { return 0 };
    let Some(thread) = state.thread(state.upvalue_index(1)) else {
        return 0;
    };
    if let Some(results) = resume_thread(state, thread, state.top()) {
        move_from(thread, state, results);
        return results;
    }
    let is_in_memory = close(state, thread) != OUT_OF_MEMORY;
    if is_in_memory && is_text(state) {
        prepend_position(state);
    }
    state.raise()
}

/// Resumes a thread with the top `arguments` values, which it pops. Returns the number of results
/// on the thread's top, for which `state` has room; on `None`, the error is on the top of `state`.
fn resume_thread(state: State, thread: State, arguments: c_int) -> Option<c_int> {
    if let Some(reason) = resume_refusal(state, thread) {
        state.push_string(reason);
        return None;
    }
    if !thread.check_stack(arguments) {
        state.push_string(b"too many arguments to resume");
        return None;
    }
    move_from(state, thread, arguments);
    let (status, results) = noted(thread.raw(), || resume_raw(state, thread, arguments));
    if status > YIELD {
        thread.move_top(state);
        return None;
    }
    if !state.check_stack(results + 1) {
        thread.pop(results);
        state.push_string(b"too many results to resume");
        return None;
    }
    Some(results)
}

/// The status that `lua_resume` returns, and the number of results.
fn resume_raw(state: State, thread: State, arguments: c_int) -> (c_int, c_int) {
    let api = state.api();
    let Some(resume) = api.resume else {
        return (OUT_OF_MEMORY, 0);
    };
    let mut results = -1;
    // SAFETY: both threads are alive, and the arguments are on the stack of the one that is
    // resumed. In 5.1 there is no argument for the resumer: the number comes second.
    let status = unsafe {
        match state.version().is_51_api() {
            true => {
                if let Some(setlevel) = api.setlevel {
                    setlevel(state.raw(), thread.raw());
                }
                let number = arguments as usize as Lua;
                resume(thread.raw(), number, 0, std::ptr::null_mut())
            }
            false => resume(thread.raw(), state.raw(), arguments, &mut results),
        }
    };
    let all = state.version() < Version::Lua54;
    (status, if all { thread.top() } else { results })
}

/// Why a thread cannot be resumed, where `lua_resume` does not say so itself.
fn resume_refusal(state: State, thread: State) -> Option<&'static [u8]> {
    if state.version() >= Version::Lua54 {
        return None;
    }
    let is_dead = match status(thread) {
        YIELD => false,
        0 => thread.top() == 0,
        _ => true,
    };
    if !state.version().is_51_api() {
        let is_new = status(thread) == 0;
        return (is_new && is_dead).then_some(b"cannot resume dead coroutine");
    }
    if state.raw() == thread.raw() {
        return Some(b"cannot resume running coroutine");
    }
    let mut call = DebugRecord::new(state.version());
    if status(thread) == 0 && thread.stack_level(0, &mut call) {
        return Some(b"cannot resume normal coroutine");
    }
    is_dead.then_some(b"cannot resume dead coroutine")
}

fn status(thread: State) -> c_int {
    // SAFETY: the thread is alive.
    thread
        .api()
        .status
        .map_or(0, |status| unsafe { status(thread.raw()) })
}

/// Closes the variables of a thread that ended with an error, as 5.4 does. The error, which closing
/// may have replaced, stays on the top of `state`. Returns its status.
fn close(state: State, thread: State) -> c_int {
    let status = status(thread);
    if state.version() < Version::Lua54 || status <= YIELD {
        return status;
    }
    let api = state.api();
    // SAFETY: both threads are alive, and `thread` is not running.
    let closed = noted(thread.raw(), || unsafe {
        match (api.closethread, api.resetthread) {
            (Some(closethread), _) => closethread(thread.raw(), state.raw()),
            (None, Some(resetthread)) => resetthread(thread.raw()),
            (None, None) => 0,
        }
    });
    if closed > YIELD && thread.top() > 0 {
        thread.move_top(state);
        return closed;
    }
    status
}

/// Whether the position of the call is added to the error on the top.
fn is_text(state: State) -> bool {
    match state.type_of(-1) {
        TYPE_STRING => true,
        TYPE_NUMBER => state.version() < Version::Lua53,
        _ => false,
    }
}

/// Prepends the position of the failed call to the error on the top. Uses two slots.
fn prepend_position(state: State) {
    let api = state.api();
    if let (Some(where_), Some(concat)) = (api.where_, api.concat) {
        // SAFETY: the state is the running one; room for two values is there in any C function.
        unsafe {
            where_(state.raw(), 1);
            state.push_value(-2);
            concat(state.raw(), 2);
        }
    }
}

/// Moves values from the top of one thread to that of another, which has room for them.
fn move_from(from: State, to: State, count: c_int) {
    // SAFETY: both are threads of one VM, and alive.
    unsafe { (from.api().xmove)(from.raw(), to.raw(), count) }
}

fn argument_error(state: State, reason: &CStr) -> c_int {
    match state.api().argerror {
        // SAFETY: the state is the running one, and this frame owns nothing.
        Some(argerror) => unsafe { argerror(state.raw(), 1, reason.as_ptr()) },
        None => 0,
    }
}
