//! What is derived from a snapshot, by two threads: a process of luasnap has nothing else to do.

use luasnap_format::both;
use luasnap_heap::{BuildError, Snapshot};

/// Derives the groups of a snapshot. They take the shortest paths and the dominators, of which neither needs the other.
pub fn group(snapshot: &Snapshot) -> Result<(), BuildError> {
    find_paths_and_dominators(snapshot)?;
    snapshot.groups().map(drop)
}

/// Derives the shortest paths and the dominators of a snapshot at once.
pub fn find_paths_and_dominators(snapshot: &Snapshot) -> Result<(), BuildError> {
    let (paths, dominators) = both(
        || snapshot.everything_tree().map(drop),
        || snapshot.dominators().map(drop),
    );
    paths.and(dominators)
}
