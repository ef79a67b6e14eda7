//! What the threads of a heap are doing.

use crate::graph::heap::Heap;
use crate::graph::node::NodeId;
use crate::graph::thread_state::ThreadState;

impl Heap {
    /// Returns what the threads are doing, in the order of their nodes. Empty if that is not known, as
    /// in a file of an older luasnap.
    pub fn threads(&self) -> &[ThreadState] {
        &self.threads
    }

    /// Returns what a thread is doing, if it is known.
    pub fn thread(&self, node: NodeId) -> Option<&ThreadState> {
        let found = self.threads.binary_search_by_key(&node, |of| of.node);
        found.ok().map(|at| &self.threads[at])
    }

    /// Returns what a coroutine is doing, if it is known; `None` for the main thread, which is no
    /// coroutine.
    pub fn coroutine(&self, node: NodeId) -> Option<&ThreadState> {
        let state = self.thread(node)?;
        let main = self.root_named(b"[mainthread]");
        main.is_none_or(|main| main.target != node).then_some(state)
    }
}
