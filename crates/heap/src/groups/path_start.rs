//! Where the paths that people read start.

use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::groups::path_pattern::GroupStep;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};

/// Where the paths that people read start, though on the shortest way they go on to the registry.
#[derive(Clone, Copy, Debug)]
pub struct PathStarts {
    globals: Option<NodeId>,
    registry: Option<NodeId>,
    main_thread: Option<(NodeId, Label)>,
}

impl PathStarts {
    /// The starts of a heap's paths: the table of globals, that of loaded modules, and the main
    /// thread. How these hang in the registry tells nobody anything.
    pub fn of(heap: &Heap) -> PathStarts {
        let main_thread = heap.root_named(b"[mainthread]");
        PathStarts {
            globals: heap.globals,
            registry: heap.root_named(b"[REGISTRY]").map(|edge| edge.target),
            main_thread: main_thread.map(|edge| (edge.target, edge.label)),
        }
    }

    /// The registry, where it is a root.
    pub(crate) fn registry(&self) -> Option<NodeId> {
        self.registry
    }

    /// The step that an object is by itself, if it is one at which paths start.
    pub fn step(&self, heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> Option<GroupStep> {
        let node = tree.node(rank);
        if self.globals == Some(node) {
            return Some(GroupStep::Globals);
        }
        if let Some((_, label)) = self.main_thread.filter(|(thread, _)| *thread == node) {
            return Some(GroupStep::Exact(label));
        }
        let parent = tree.parent(rank).map(|parent| tree.node(parent))?;
        let is_loaded = self.registry == Some(parent)
            && matches!(heap.label(tree.edge(rank)), Label::Field(id) if heap.name(id) == b"_LOADED");
        is_loaded.then_some(GroupStep::Loaded)
    }
}
