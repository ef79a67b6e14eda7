//! Doing two things at once.

use std::thread;

/// Does both, the first in a thread of its own where the system gives one, and answers what they
/// answered.
pub(super) fn both<A: Send, B>(
    first: impl Fn() -> A + Send + Sync,
    second: impl FnOnce() -> B,
) -> (A, B) {
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
