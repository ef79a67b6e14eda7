//! System calls for tracing a thread, and the state of a traced one.

use std::ffi::{c_int, c_long, c_void};
use std::io;
use std::ptr::null_mut;

/// The state of a thread that we trace.
pub(super) enum ThreadState {
    /// With the signal that it is about to get, or 0.
    Stopped(c_int),
    Ended,
    Runs,
}

/// Asks the kernel for the state of a thread that we trace, without consuming it: if this process
/// is killed, the thread still gets the signal that stopped it.
pub(super) fn state_of(thread: u32) -> ThreadState {
    let stops = libc::WSTOPPED | libc::WNOWAIT;
    let Ok((code, status)) = wait_for(thread, stops | libc::WEXITED) else {
        return ThreadState::Ended;
    };
    match code {
        0 => ThreadState::Runs,
        libc::CLD_TRAPPED | libc::CLD_STOPPED => match status >> 8 {
            0 => ThreadState::Stopped(status),
            // The event behind the signal shows that the stop is ours, or the whole process's.
            _ => ThreadState::Stopped(0),
        },
        _ => ThreadState::Ended,
    }
}

/// The state change of a thread, as `si_code` and `si_status`; zeroes where there was none.
pub(super) fn wait_for(thread: u32, options: c_int) -> io::Result<(c_int, c_int)> {
    // SAFETY: it is made of numbers, for which zero is a valid value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let options = options | libc::__WALL | libc::WNOHANG;
    // SAFETY: there is room for the result.
    match unsafe { libc::waitid(libc::P_PID, thread, &raw mut info, options) } {
        // SAFETY: what this call fills in has a status.
        0 => Ok((info.si_code, unsafe { info.si_status() })),
        _ => Err(io::Error::last_os_error()),
    }
}

/// The type of a request, in which C libraries differ.
#[cfg(target_env = "musl")]
pub(super) type Request = c_int;
#[cfg(not(target_env = "musl"))]
pub(super) type Request = libc::c_uint;

/// To trace a thread without disturbing it.
pub(super) const SEIZE: Request = libc::PTRACE_SEIZE;
/// To stop one that is traced.
pub(super) const INTERRUPT: Request = libc::PTRACE_INTERRUPT;
/// To let one go.
pub(super) const DETACH: Request = libc::PTRACE_DETACH;

/// Makes a request about a thread. `data` is a number, such as that of a signal.
pub(super) fn request(request: Request, thread: u32, data: c_int) -> io::Result<()> {
    // SAFETY: the requests of this file read and write no memory of ours: the last argument is a number.
    let answer: c_long = unsafe {
        libc::ptrace(
            request,
            thread as libc::pid_t,
            null_mut::<c_void>(),
            data as usize as *mut c_void,
        )
    };
    match answer {
        -1 => Err(io::Error::last_os_error()),
        _ => Ok(()),
    }
}

/// The number of the calling thread. The system call, since glibc has a function for it only from 2.30 on.
pub(super) fn own_thread() -> u32 {
    // SAFETY: it takes nothing and always succeeds.
    unsafe { libc::syscall(libc::SYS_gettid) as u32 }
}
