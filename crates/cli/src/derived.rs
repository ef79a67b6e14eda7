//! What is derived from a snapshot, by two threads: a process of luasnap has nothing else to do.

use luasnap_heap::{BuildError, Snapshot};
use rustix::process::{Resource, getrlimit};
use std::panic::resume_unwind;
use std::thread::{Builder, scope};

/// Derives the groups of a snapshot. They take the shortest paths and the dominators, of which neither needs the other.
pub fn group(snapshot: &Snapshot) -> Result<(), BuildError> {
    find_paths_and_dominators(snapshot)?;
    snapshot.groups().map(drop)
}

/// Derives the shortest paths and the dominators of a snapshot at once.
pub fn find_paths_and_dominators(snapshot: &Snapshot) -> Result<(), BuildError> {
    both(
        || snapshot.everything_tree().map(drop),
        || snapshot.dominators().map(drop),
    )
}

/// Runs both, the second one in a thread of its own. Without a thread it is left to whoever needs it; so it is where the
/// address space is limited: a library's thread-locals are allocated when a thread first uses them, and if there is no
/// memory for them, the C library ends the process.
pub fn both(
    first: impl FnOnce() -> Result<(), BuildError>,
    second: impl FnOnce() -> Result<(), BuildError> + Send,
) -> Result<(), BuildError> {
    if getrlimit(Resource::As).current.is_some() {
        return first();
    }
    scope(|scope| {
        let second = Builder::new().spawn_scoped(scope, second);
        first()?;
        match second {
            Ok(second) => second.join().unwrap_or_else(|panic| resume_unwind(panic)),
            Err(_) => Ok(()),
        }
    })
}
