//! In the place of `ptrace.rs` on other systems than Linux: nothing can be traced, nor stopped. A port begins here.

use std::ffi::c_int;
use std::io;

/// The state of a thread that we trace.
#[expect(dead_code, reason = "no thread here has the others")]
pub(super) enum ThreadState {
    /// With the signal that it is about to get, or 0.
    Stopped(c_int),
    Ended,
    Runs,
}

/// A request, of which there are none.
pub(super) type Request = c_int;
pub(super) const SEIZE: Request = 0;
pub(super) const INTERRUPT: Request = 1;
pub(super) const DETACH: Request = 2;

/// Says that there is no such thread.
pub(super) fn state_of(_: u32) -> ThreadState {
    ThreadState::Ended
}

/// Fails.
pub(super) fn wait_for(_: u32, _: c_int) -> io::Result<(c_int, c_int)> {
    Err(io::ErrorKind::Unsupported.into())
}

/// Fails.
pub(super) fn request(_: Request, _: u32, _: c_int) -> io::Result<()> {
    Err(io::ErrorKind::Unsupported.into())
}

/// The number of no thread.
pub(super) fn own_thread() -> u32 {
    0
}
