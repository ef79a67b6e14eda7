//! Excerpts: a small heap of some objects of a larger one and their paths.

use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::label::Label;
use crate::graph::name::{NameId, NameIndex, Names};
use crate::graph::node::NodeId;
use crate::graph::strength::Strength;
use crate::graph::thread_state::ThreadState;
use crate::reach::shortest_path_tree::{Rank, ShortestPathTree};
use std::sync::Arc;

/// A heap with some objects of another one, their shortest paths, and nothing else.
pub(crate) struct Excerpt {
    pub(crate) heap: Heap,
    /// By node: its rank in the other heap's tree. The first one stands for the synthetic root.
    pub(crate) ranks: Vec<Rank>,
}

impl Excerpt {
    /// Returns the excerpt with the objects of `chosen`.
    pub(crate) fn new(
        heap: &Heap,
        tree: &ShortestPathTree,
        chosen: impl Iterator<Item = Rank>,
    ) -> Result<Excerpt, BuildError> {
        Ok(Self::copy(heap, tree, chosen, false, |_| Ok(()))?.0)
    }

    /// Like [`new`](Self::new), but paths for people start where they do in the other heap: the main thread
    /// is a GC root here as well. `add` copies further names of the other heap.
    pub(crate) fn with_names<T>(
        heap: &Heap,
        tree: &ShortestPathTree,
        chosen: impl Iterator<Item = Rank>,
        add: impl FnOnce(&mut NameCopy<'_>) -> Result<T, BuildError>,
    ) -> Result<(Excerpt, T), BuildError> {
        Self::copy(heap, tree, chosen, true, add)
    }

    fn copy<T>(
        heap: &Heap,
        tree: &ShortestPathTree,
        chosen: impl Iterator<Item = Rank>,
        with_main_thread: bool,
        add: impl FnOnce(&mut NameCopy<'_>) -> Result<T, BuildError>,
    ) -> Result<(Excerpt, T), BuildError> {
        let kept = with_ancestors(tree, chosen)?;
        let mut copy = Copy {
            from: heap,
            tree,
            to: Heap::with_root(),
            names: NameCopy {
                from: heap,
                names: Names::default(),
                index: NameIndex::default(),
            },
        };
        let ranks = copy.nodes(&kept)?;
        copy.edges(&kept, &ranks, with_main_thread)?;
        copy.threads(&ranks)?;
        copy.loaded_code(&ranks)?;
        copy.environments(&ranks)?;
        let added = add(&mut copy.names)?;
        copy.to.shrink();
        copy.names.names.shrink();
        copy.to.names = Arc::new(copy.names.names);
        copy.to.provenance = heap.provenance.of_excerpt();
        copy.to.all_reached = true;
        let heap = copy.to;
        Ok((Excerpt { heap, ranks }, added))
    }

    /// Returns the rank that an object has in the excerpt's own tree, by its rank in the other heap's;
    /// `None` if the excerpt does not have it.
    pub(crate) fn rank_of(&self, rank: Rank) -> Option<Rank> {
        // The first one stands for the synthetic root, and the others keep their order.
        let at = self.ranks.get(1..)?.binary_search(&rank).ok()?;
        Some(Rank(at as u32))
    }
}

/// Copies names of one heap to another.
pub(crate) struct NameCopy<'a> {
    from: &'a Heap,
    names: Names,
    index: NameIndex,
}

impl NameCopy<'_> {
    /// Returns the id that a name has in the copy.
    pub(crate) fn name(&mut self, name: NameId) -> Result<NameId, BuildError> {
        self.index.intern(&mut self.names, self.from.name(name))
    }

    /// Returns a label with its name in the copy. A key that is an object becomes its address.
    pub(crate) fn label(&mut self, label: Label) -> Result<Label, BuildError> {
        Ok(match label {
            Label::Field(name) => Label::Field(self.name(name)?),
            Label::Upvalue(name) => Label::Upvalue(self.name(name)?),
            Label::Local(name) => Label::Local(self.name(name)?),
            Label::Root(name) => Label::Root(self.name(name)?),
            // The key itself may be left out.
            Label::Object(key) => Label::Address(self.from.kind(key), self.from.address(key)),
            label => label,
        })
    }
}

/// Returns, by rank, whether the object or something below it was chosen.
fn with_ancestors(
    tree: &ShortestPathTree,
    chosen: impl Iterator<Item = Rank>,
) -> Result<Vec<bool>, BuildError> {
    let mut kept = filled(tree.len(), false)?;
    for rank in chosen {
        let mut next = Some(rank);
        while let Some(rank) = next
            && !kept[rank.index()]
        {
            kept[rank.index()] = true;
            next = tree.parent(rank);
        }
    }
    Ok(kept)
}

struct Copy<'a> {
    from: &'a Heap,
    tree: &'a ShortestPathTree,
    to: Heap,
    names: NameCopy<'a>,
}

impl Copy<'_> {
    /// Copies the objects in breadth-first order.
    fn nodes(&mut self, kept: &[bool]) -> Result<Vec<Rank>, BuildError> {
        let mut ranks = Vec::new();
        push(&mut ranks, Rank::ROOT)?;
        for rank in self.tree.ranks().filter(|rank| kept[rank.index()]) {
            push(&mut ranks, rank)?;
            let old = self.tree.node(rank);
            let new = self
                .to
                .push_node(self.from.kind(old), self.from.address(old))?;
            if self.from.globals == Some(old) {
                self.to.globals = Some(new);
            }
            self.to.set_size(new, self.from.size(old));
            self.to.counts[new.index()] = self.from.count(old);
            self.to.sources[new.index()] = self.names.name(self.from.source_id(old))?;
        }
        Ok(ranks)
    }

    /// Copies the tree's edges. All objects but the tree's root are, in order, the children of the
    /// objects in breadth-first order, so counting finds their new ids.
    fn edges(
        &mut self,
        kept: &[bool],
        ranks: &[Rank],
        with_main_thread: bool,
    ) -> Result<(), BuildError> {
        let roots = self.from.root_range();
        let tree = self.tree;
        let is_root = |rank: Rank| roots.contains(&tree.edge(rank));
        // The tree's root is node 1. The other roots are the last of its children.
        if ranks.len() > 1 {
            self.edge(Rank::ROOT, NodeId(1))?;
        }
        let top = if ranks.len() > 1 {
            tree.child_range(Rank::ROOT)
        } else {
            0..0
        };
        let mut new = 2;
        let main_thread = self.from.root_named(b"[mainthread]");
        let main_thread = main_thread.filter(|_| with_main_thread);
        for rank in top.map(Rank).filter(|rank| kept[rank.index()]) {
            if is_root(rank) {
                self.edge(rank, NodeId(new))?;
            } else if let Some(edge) = main_thread
                && edge.target == tree.node(rank)
            {
                let label = self.names.label(edge.label)?;
                self.to.push_edge(NodeId(new), label, Strength::Strong)?;
            }
            new += 1;
        }
        self.to.end_edges(NodeId::ROOT, 0)?;
        new = 2;
        for (node, &rank) in (1..).zip(&ranks[1..]) {
            let start = self.to.edge_count();
            for child in tree.children(rank).filter(|child| kept[child.index()]) {
                if rank != Rank::ROOT || !is_root(child) {
                    self.edge(child, NodeId(new))?;
                }
                new += 1;
            }
            self.to.end_edges(NodeId(node), start)?;
        }
        Ok(())
    }

    /// Copies what the threads are doing.
    fn threads(&mut self, ranks: &[Rank]) -> Result<(), BuildError> {
        if self.from.threads.is_empty() {
            return Ok(());
        }
        for (node, &rank) in (1..).map(NodeId).zip(&ranks[1..]) {
            let Some(&state) = self.from.thread(self.tree.node(rank)) else {
                continue;
            };
            let mut name = |name| self.names.name(name);
            let state = ThreadState {
                node,
                place: state.place.with_name(&mut name)?,
                caller: state.caller.with_name(&mut name)?,
                function: name(state.function)?,
                error: name(state.error)?,
                ..state
            };
            push(&mut self.to.threads, state)?;
        }
        Ok(())
    }

    /// Copies the shapes of code that was loaded without a name.
    fn loaded_code(&mut self, ranks: &[Rank]) -> Result<(), BuildError> {
        if self.from.loaded_code.is_empty() {
            return Ok(());
        }
        for (node, &rank) in (1..).map(NodeId).zip(&ranks[1..]) {
            if let Some(shape) = self.from.shape_of_loaded_code(self.tree.node(rank)) {
                self.to.note_loaded_code(node, shape)?;
            }
        }
        Ok(())
    }

    /// Paths start where they do in the other heap.
    fn environments(&mut self, ranks: &[Rank]) -> Result<(), BuildError> {
        let mut copied = Vec::new();
        if !self.tree.environments().is_empty() {
            for (node, &rank) in (1..).map(NodeId).zip(&ranks[1..]) {
                if let Some(of) = self.tree.environment(self.tree.node(rank)) {
                    let chunk = self.names.name(of.chunk)?;
                    push(&mut copied, Environment { node, chunk })?;
                }
            }
        }
        self.to.environments = Some(copied);
        Ok(())
    }

    /// Copies the edge by which the tree reaches an object.
    fn edge(&mut self, rank: Rank, new: NodeId) -> Result<(), BuildError> {
        let label = self.names.label(self.from.label(self.tree.edge(rank)))?;
        self.to.push_edge(new, label, Strength::Strong)
    }
}
