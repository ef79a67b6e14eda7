//! What is known of a heap's trees by node: enough to answer for a few objects, in a fraction of the memory that the trees
//! take.

use crate::dominators::known_dominators::KnownDominators;
use crate::reach::known_paths::KnownPaths;

/// The last step of each shortest path, and the immediate dominators.
#[derive(Debug)]
pub(crate) struct KnownTrees {
    pub(crate) paths: KnownPaths,
    pub(crate) dominators: KnownDominators,
}

impl KnownTrees {
    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        self.paths.memory() + self.dominators.memory()
    }
}
