//! Running two functions at once.

use rustix::process::{Resource, getrlimit};
use std::thread;

/// Runs both functions and returns their results: the first one in a thread of its own, if one is available and
/// the address space is not limited.
pub fn both<A: Send, B>(first: impl Fn() -> A + Send + Sync, second: impl FnOnce() -> B) -> (A, B) {
    // A library's thread-locals are allocated when a thread first uses them; if there is no memory for them, the
    // C library ends the process.
    if getrlimit(Resource::As).current.is_some() {
        return (first(), second());
    }
    let first = &first;
    thread::scope(
        |scope| match thread::Builder::new().spawn_scoped(scope, first) {
            Ok(thread) => {
                let second = second();
                match thread.join() {
                    Ok(first) => (first, second),
                    Err(panic) => std::panic::resume_unwind(panic),
                }
            }
            Err(_) => (first(), second()),
        },
    )
}
