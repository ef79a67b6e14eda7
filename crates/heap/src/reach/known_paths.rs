//! Shortest paths that are known by node: the last step of each. Of a few objects these are the paths, without a search
//! through the heap.

use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, held, push, room};
use crate::graph::heap::Heap;
use crate::graph::label_order::{LabelOrder, in_order};
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::shared_sort::sort_by_number;
use crate::reach::reach::{Reach, Through};
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};

/// The last step of each object's shortest path.
///
/// They may have been read from a file. Each is an edge of the heap that leads to the object, but together they need not be
/// paths: whoever follows them finds that out.
#[derive(Debug)]
pub(crate) struct KnownPaths {
    /// By node: the number of the edge; [`KnownPaths::NONE`] for what has no path.
    edges: Vec<u32>,
    /// In the order of their nodes.
    environments: Vec<Environment>,
}

/// An object of a part of the tree, as a child.
#[derive(Clone, Copy)]
struct Child {
    parent: NodeId,
    edge: u32,
}

impl KnownPaths {
    const NONE: u32 = u32::MAX;

    /// Returns no steps yet.
    pub(crate) fn new(
        heap: &Heap,
        environments: Vec<Environment>,
    ) -> Result<KnownPaths, BuildError> {
        Ok(KnownPaths {
            edges: filled(heap.node_count(), Self::NONE)?,
            environments,
        })
    }

    /// Notes the last step of a path. Returns false if another one is known.
    #[inline]
    pub(crate) fn note(&mut self, node: NodeId, edge: u32) -> bool {
        std::mem::replace(&mut self.edges[node.index()], edge) == Self::NONE
    }

    /// Whether an object has a path.
    #[inline]
    pub(crate) fn has(&self, node: NodeId) -> bool {
        self.edges[node.index()] != Self::NONE
    }

    /// Returns what has a path.
    pub(crate) fn reach(&self, heap: &Heap) -> Result<Reach, BuildError> {
        let mut reached = NodeSet::with_room_for(heap.node_count())?;
        for node in heap.nodes().filter(|node| self.has(*node)) {
            reached.insert(node);
        }
        let count = reached.len();
        if heap.node_count() > 0 {
            reached.insert(NodeId::ROOT);
        }
        Ok(Reach::of_set(reached, Through::Everything, count))
    }

    /// Returns the environments at which paths for people start, in the order of their nodes.
    pub(crate) fn environments(&self) -> &[Environment] {
        &self.environments
    }

    /// Returns the part of the tree of shortest paths that leads to these objects. Ranks are others than in the whole tree,
    /// but in the same order, and it knows no [references](ShortestPathTree::refs). `None` if the steps are no paths.
    pub(crate) fn tree_to(
        &self,
        heap: &Heap,
        nodes: &[NodeId],
    ) -> Result<Option<ShortestPathTree>, BuildError> {
        let mut roots = heap.root_range();
        let Some(first) = roots.find(|&edge| !heap.strength(edge).is_weak()) else {
            return Ok(None);
        };
        let root = heap.target(first);
        let Some((mut children, reached)) = self.steps_to(heap, root, nodes)? else {
            return Ok(None);
        };
        let order = |child: &Child| u64::from(child.parent.0) << 32 | u64::from(child.edge);
        sort_by_number(&mut children, order)?;
        let mut tree = ShortestPathTree::with_room(children.len() + 1)?;
        tree.reached = reached;
        tree.environments = room(self.environments.len())?;
        tree.environments.extend_from_slice(&self.environments);
        tree.nodes.push(root);
        tree.parents.push(Rank::ROOT);
        tree.edges.push(first as u32);
        let mut order = LabelOrder::default();
        let mut edges = Vec::new();
        let mut at = 0;
        while let Some(&parent) = tree.nodes.get(at) {
            let start = children.partition_point(|child| child.parent < parent);
            edges.clear();
            for child in children[start..]
                .iter()
                .take_while(|of| of.parent == parent)
            {
                push(&mut edges, child.edge)?;
            }
            // GC roots are children of the first object, too, behind those to which it refers.
            let is_root = |edge: &u32| heap.root_range().contains(&(*edge as usize));
            let roots = edges.partition_point(is_root);
            edges.rotate_left(roots);
            for edges in edges.chunk_by_mut(|a, b| is_root(a) == is_root(b)) {
                if !edges.is_sorted_by(|a, b| in_order(heap, *a, *b)) {
                    order.sort(heap, edges)?;
                }
            }
            for &edge in &edges {
                tree.nodes.push(heap.target(edge as usize));
                tree.parents.push(Rank(at as u32));
                tree.edges.push(edge);
            }
            at += 1;
        }
        // What lies on a circle is below nothing.
        Ok((tree.nodes.len() == children.len() + 1).then_some(tree))
    }

    /// Returns all steps but the first of the paths to these objects, and what they lead to. `None` if one of them leads
    /// from nowhere.
    fn steps_to(
        &self,
        heap: &Heap,
        root: NodeId,
        nodes: &[NodeId],
    ) -> Result<Option<(Vec<Child>, NodeSet)>, BuildError> {
        let mut seen = NodeSet::with_room_for(heap.node_count())?;
        seen.insert(root);
        let mut steps = Vec::new();
        let reachable = nodes.iter().filter(|node| self.has(**node));
        for &node in reachable {
            let mut node = node;
            while seen.insert(node) {
                let edge = self.edges[node.index()];
                if edge == Self::NONE {
                    return Ok(None);
                }
                // The other GC roots are below the first.
                let parent = match heap.source_of(edge as usize) {
                    NodeId::ROOT => root,
                    parent => parent,
                };
                push(&mut steps, Child { parent, edge })?;
                node = parent;
            }
        }
        Ok(Some((steps, seen)))
    }

    /// Returns the bytes of memory that it takes.
    pub(crate) fn memory(&self) -> usize {
        held(&self.edges) + held(&self.environments)
    }
}
