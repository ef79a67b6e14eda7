//! Signals that end `luasnap`: what is cleaned up first, and how a script under `luasnap run` is
//! interrupted so that its heap can still be looked at.
//!
//! Nothing here runs in a host by itself: [`end_cleanly`] is called by the program `luasnap`, and the
//! functions for scripts are given to the driver of `luasnap run` alone.

use crate::lua::api::{Api, Lua, LuaState};
use crate::lua::state::{State, TYPE_FUNCTION};
use std::ffi::{c_int, c_void};
use std::ptr::null_mut;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicBool, AtomicI32, AtomicPtr, AtomicUsize, Ordering};

/// What is cleaned up before a signal ends the process. It is called by a signal handler.
static CLEAR_AWAY: OnceLock<fn()> = OnceLock::new();

/// The signal that interrupted the script, or was noted; 0 while there was none.
static SIGNAL: AtomicI32 = AtomicI32::new(0);
/// Whether a signal interrupts the script or is only noted.
static INTERRUPTS: AtomicBool = AtomicBool::new(false);
/// The API of the VM that runs the script.
static API: OnceLock<&'static Api> = OnceLock::new();
/// The running Lua thread: the last that was resumed. Null while no script runs.
static RUNNING: AtomicPtr<LuaState> = AtomicPtr::new(null_mut());
/// The system thread that runs the script (a `pthread_t`), and its process: a child process has
/// another.
static THREAD: AtomicUsize = AtomicUsize::new(0);
static PROCESS: AtomicI32 = AtomicI32::new(0);
/// Its address is the key of the driver's function in the registry.
static KEY: u8 = 0;

/// The signals with which people and tools end a program, and which a script survives for a while.
const INTERRUPTING: [c_int; 3] = [libc::SIGHUP, libc::SIGINT, libc::SIGTERM];
/// `LUA_MASKCALL | LUA_MASKRET | LUA_MASKLINE | LUA_MASKCOUNT`.
const ALL_EVENTS: c_int = 15;

/// From now on a signal that ends this program (`SIGHUP`, `SIGINT`, `SIGQUIT`, `SIGTERM`) calls
/// `clear_away` first, and `SIGXFSZ` (a file has grown too large) has no effect: the write returns
/// an error instead. Signals that the program was started to ignore stay ignored.
///
/// `clear_away` is called by a signal handler: it must take no lock and allocate no memory.
pub fn end_cleanly(clear_away: fn()) {
    CLEAR_AWAY.get_or_init(|| clear_away);
    for signal in [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM] {
        handle(signal, end, libc::SA_RESTART);
    }
    // A handler, since child programs would inherit an ignored signal.
    handle(libc::SIGXFSZ, go_on, libc::SA_RESTART);
}

/// From now on the first signal with which people and tools end a program (`SIGHUP`, `SIGINT`, `SIGTERM`) is only
/// [noted](signal_noted); a second one cleans up as [`end_cleanly`] says and ends the process at once.
pub fn note_signals() {
    set_handlers(note, libc::SA_RESTART);
}

/// From now on `SIGINT` has no effect on this program, which has started another one: a terminal sends it to both. Signals that are
/// sent to one program alone (`SIGHUP`, `SIGTERM`) are noted, as by [`note_signals`].
pub fn leave_interrupts() {
    handle(libc::SIGINT, go_on, libc::SA_RESTART);
    for signal in [libc::SIGHUP, libc::SIGTERM] {
        handle(signal, note, libc::SA_RESTART);
    }
}

/// Returns the number of the signal that was [noted](note_signals), if one came.
pub fn signal_noted() -> Option<i32> {
    Some(SIGNAL.load(Ordering::Relaxed)).filter(|signal| *signal != 0)
}

extern "C" fn note(signal: c_int) {
    let known = SIGNAL.compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed);
    if known.is_err() {
        end(signal);
    }
}

/// Sets a handler, unless the signal is ignored.
fn handle(signal: c_int, handler: extern "C" fn(c_int), flags: c_int) {
    // SAFETY: both records are plain data, for which zeros are valid; the handlers do only what is
    // safe in handlers.
    unsafe {
        let mut before: libc::sigaction = std::mem::zeroed();
        libc::sigaction(signal, std::ptr::null(), &mut before);
        if before.sa_sigaction == libc::SIG_IGN {
            return;
        }
        let mut action: libc::sigaction = std::mem::zeroed();
        action.sa_sigaction = handler as usize;
        action.sa_flags = flags;
        libc::sigemptyset(&mut action.sa_mask);
        libc::sigaction(signal, &action, null_mut());
    }
}

extern "C" fn go_on(_: c_int) {}

/// Ends the process as if nobody had handled the signal.
extern "C" fn end(signal: c_int) {
    clear_away();
    // SAFETY: both may be called in a handler; the signal comes when this one has returned.
    unsafe {
        libc::signal(signal, libc::SIG_DFL);
        libc::raise(signal);
    }
}

fn clear_away() {
    if let Some(clear_away) = CLEAR_AWAY.get() {
        clear_away();
    }
}

/// The first signal interrupts the script, a second one ends the process at once.
extern "C" fn interrupt(signal: c_int) {
    // SAFETY: what is called here may be called in a handler, and so may `lua_sethook`: Lua's own
    // interpreter does so. It is called on the system thread that runs the script, for a Lua thread
    // that is alive, since it is running.
    unsafe {
        let before = errno::errno();
        if libc::getpid() != PROCESS.load(Ordering::Relaxed) {
            return end(signal);
        }
        // A number in glibc, an address in musl.
        let thread = THREAD.load(Ordering::Relaxed) as libc::pthread_t;
        if libc::pthread_equal(libc::pthread_self(), thread) == 0 {
            libc::pthread_kill(thread, signal);
        } else if SIGNAL
            .compare_exchange(0, signal, Ordering::Relaxed, Ordering::Relaxed)
            .is_err()
        {
            clear_away();
            libc::_exit(128 + signal);
        } else {
            set_hook(RUNNING.load(Ordering::Relaxed));
        }
        errno::set_errno(before);
    }
}

/// Interrupts the script at the next instruction of this Lua thread.
///
/// # Safety
/// `raw` is null, or a live thread of the VM of `API`.
unsafe fn set_hook(raw: Lua) {
    let hook = API.get().and_then(|api| api.sethook);
    if let (Some(sethook), true, false) = (hook, INTERRUPTS.load(Ordering::Relaxed), raw.is_null())
    {
        // SAFETY: this function's own contract.
        unsafe { sethook(raw, Some(call_driver), ALL_EVENTS, 1) };
    }
}

/// The hook: calls the driver's function, which returns only if it is at work already.
unsafe extern "C-unwind" fn call_driver(raw: Lua, _: *mut c_void) {
    let Some(state) = state_of(raw) else { return };
    if let Some(sethook) = state.api().sethook {
        // SAFETY: the state is the running one.
        unsafe { sethook(raw, None, 0, 0) };
    }
    let top = state.top();
    push_key(state);
    state.raw_get(state.registry());
    if state.type_of(-1) == TYPE_FUNCTION {
        state.push_integer(SIGNAL.load(Ordering::Relaxed).into());
        state.call_protected(1, 0);
    }
    state.set_top(top);
}

pub(super) fn state_of(raw: Lua) -> Option<State> {
    // SAFETY: only the VM of `API` has the functions of this file, and calls them with its own state.
    API.get().map(|api| unsafe { State::new(raw, api) })
}

/// Uses one slot.
fn push_key(state: State) {
    let key = (&raw const KEY).cast_mut().cast::<c_void>();
    // SAFETY: a light userdata may be any address.
    unsafe { (state.api().pushlightuserdata)(state.raw(), key) }
}

/// Resumes a Lua thread, and notes meanwhile that it is the running one. A signal that came for it
/// but that it ended too early to see goes to its resumer.
pub(super) fn noted<R>(thread: Lua, resume: impl FnOnce() -> R) -> R {
    let before = RUNNING.swap(thread, Ordering::Relaxed);
    let result = resume();
    RUNNING.store(before, Ordering::Relaxed);
    if SIGNAL.load(Ordering::Relaxed) != 0 {
        // SAFETY: it runs again, and so is alive.
        unsafe { set_hook(before) };
    }
    result
}

/// Makes the VM of this state the one whose script is interrupted: of several in a process, that is
/// the first. Returns whether it is this one and can be interrupted.
pub(super) fn claim(state: State) -> bool {
    let api = API.get_or_init(|| state.api());
    std::ptr::eq(*api, state.api()) && api.sethook.is_some()
}

/// `arm(f)`.
pub(super) unsafe extern "C-unwind" fn arm(raw: Lua) -> c_int {
    let Some(state) = state_of(raw) else { return 0 };
    state.set_top(1);
    push_key(state);
    state.push_value(1);
    state.raw_set(state.registry());
    // SAFETY: both only return an id.
    let (thread, process) = unsafe { (libc::pthread_self(), libc::getpid()) };
    THREAD.store(thread as usize, Ordering::Relaxed);
    PROCESS.store(process, Ordering::Relaxed);
    RUNNING.store(raw, Ordering::Relaxed);
    INTERRUPTS.store(true, Ordering::Relaxed);
    // No `SA_RESTART`: a blocking call must end, since the script has nothing more to do.
    set_handlers(interrupt, 0);
    0
}

/// `settle()`: what is at work now must not be disturbed.
pub(super) unsafe extern "C-unwind" fn settle(_: Lua) -> c_int {
    INTERRUPTS.store(false, Ordering::Relaxed);
    set_handlers(interrupt, libc::SA_RESTART);
    0
}

/// `disarm()`: returns the signal that came, or nothing. The state may be closed after it.
pub(super) unsafe extern "C-unwind" fn disarm(raw: Lua) -> c_int {
    INTERRUPTS.store(false, Ordering::Relaxed);
    set_handlers(end, libc::SA_RESTART);
    RUNNING.store(null_mut(), Ordering::Relaxed);
    match (state_of(raw), SIGNAL.load(Ordering::Relaxed)) {
        (Some(state), signal) if signal != 0 => {
            state.push_integer(signal.into());
            1
        }
        _ => 0,
    }
}

fn set_handlers(handler: extern "C" fn(c_int), flags: c_int) {
    for signal in INTERRUPTING {
        handle(signal, handler, flags);
    }
}
