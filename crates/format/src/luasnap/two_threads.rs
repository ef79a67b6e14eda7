//! Doing two things at once.

use rustix::process::{Resource, getrlimit};
use std::thread;

/// Does both and answers what they answered: the first in a thread of its own, where the system gives one
/// and addresses are not limited.
pub(super) fn both<A: Send, B>(
    first: impl Fn() -> A + Send + Sync,
    second: impl FnOnce() -> B,
) -> (A, B) {
    // A library's thread-locals are fetched when a thread first uses them, and where there is no memory for
    // that, the C library ends the host.
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
