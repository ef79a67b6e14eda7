//! Where paths for people start.

use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::node::NodeId;
use crate::groups::path_pattern::GroupStep;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};

/// Where paths for people start, though the shortest paths begin at the registry.
#[derive(Clone, Copy, Debug)]
pub struct PathStarts {
    globals: Option<NodeId>,
    registry: Option<NodeId>,
    main_thread: Option<(NodeId, Label)>,
}

impl PathStarts {
    /// Returns the starts of a heap's paths: the table of globals, the table of loaded modules, and the main
    /// thread. [Environments](ShortestPathTree::environments) are known to the tree.
    pub fn of(heap: &Heap) -> PathStarts {
        let main_thread = heap.root_named(b"[mainthread]");
        PathStarts {
            globals: heap.globals,
            registry: heap.root_named(b"[REGISTRY]").map(|edge| edge.target),
            main_thread: main_thread.map(|edge| (edge.target, edge.label)),
        }
    }

    /// Returns the registry, if it is a GC root.
    pub(crate) fn registry(&self) -> Option<NodeId> {
        self.registry
    }

    /// Returns the step of an object at which paths start; `None` for all others.
    pub fn step(&self, heap: &Heap, tree: &ShortestPathTree, rank: Rank) -> Option<GroupStep> {
        let node = tree.node(rank);
        if self.globals == Some(node) {
            return Some(GroupStep::Globals);
        }
        if let Some(environment) = tree.environment(node) {
            return Some(GroupStep::Environment(environment.chunk));
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
