//! The `objects` view: the part of a VM's heap that people see.
//!
//! Strings, prototypes and upvalues are folded away, so that the two engines' heaps read the same.

use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::loaded_code::LoadedCode;
use crate::graph::node::NodeId;
use crate::graph::node_set::NodeSet;
use crate::graph::prefetch::prefetch;
use crate::graph::provenance::Provenance;
use crate::graph::thread_state::ThreadState;
use crate::reach::reach::{Reach, Through};
use std::sync::Arc;

/// Returns a heap with only the tables, functions, threads and userdata of `heap` that its roots keep
/// alive, in the same order.
///
/// A closure refers to the value of an upvalue directly, under the upvalue's name. References to nodes
/// outside the view are left out, and so are ephemerons whose key is outside. Any other reference whose
/// key is outside the view is labelled with the key's address.
///
/// # Errors
///
/// [`BuildError::OutOfMemory`] if memory runs out.
pub fn objects_view(heap: &Heap) -> Result<Heap, BuildError> {
    let reach = Reach::new(heap, Through::Objects)?;
    let mut members = reach.to_set()?;
    for (node, kind) in heap.nodes().zip(&heap.kinds) {
        if !kind.is_object() {
            members.remove(node);
        }
    }
    let mut view = PartOfView::new(heap, &reach, &members)?.heap;
    let is_kept = |node: NodeId| node == NodeId::ROOT || members.contains(node);
    view.order = heap.order.of_view(heap.nodes().map(is_kept))?;
    Ok(view)
}

/// Some objects of the view of a heap, with the references among them. Those to all others are left out.
pub(crate) struct PartOfView<'a> {
    from: &'a Heap,
    reach: &'a Reach,
    /// By node of the other heap: its id here.
    new_ids: Vec<u32>,
    pub(crate) heap: Heap,
}

impl<'a> PartOfView<'a> {
    /// Copies `members`, which are objects among what is reached.
    pub(crate) fn new(
        heap: &'a Heap,
        reach: &'a Reach,
        members: &NodeSet,
    ) -> Result<PartOfView<'a>, BuildError> {
        let (new_ids, count) = new_ids(heap, reach, members)?;
        let mut view = match heap.node_count() {
            0 => Heap::default(),
            _ => Heap::with_root(),
        };
        view.names = Arc::clone(&heap.names);
        view.provenance = Provenance {
            slot_sizes: None, // it leaves sparse tables out
            ..heap.provenance.clone()
        };
        let globals = heap.globals.map(|node| new_ids[node.index()]);
        view.globals = globals.filter(|id| is_shown(*id)).map(NodeId);
        view.reserve_nodes(count)?;
        let mut part = PartOfView {
            from: heap,
            reach,
            new_ids,
            heap: view,
        };
        if heap.node_count() > 0 {
            part.copy_node(NodeId::ROOT)?;
        }
        let mut ahead = members.nodes().skip(8);
        for node in members.nodes() {
            if let Some(node) = ahead.next() {
                part.read_ahead(heap.edge_range(node).take(EDGES_AHEAD));
            }
            part.copy_node(node)?;
        }
        part.copy_notes()?;
        part.heap.shrink();
        part.heap.all_reached = true;
        Ok(part)
    }

    /// Returns the id that a node of the other heap has here; `None` if it is left out.
    #[inline]
    pub(crate) fn id(&self, node: NodeId) -> Option<NodeId> {
        let id = self.new_ids[node.index()];
        is_shown(id).then_some(NodeId(id))
    }

    /// Calls `tell` with each reference that keeps one of the objects here alive: the one that has it, wherever that
    /// is in the view, the number of the edge in the other heap, and the object.
    #[inline]
    pub(crate) fn each_holding_reference(
        &self,
        mut tell: impl FnMut(NodeId, usize, NodeId) -> Result<(), BuildError>,
    ) -> Result<(), BuildError> {
        let heap = self.from;
        for source in self.reach.nodes() {
            if source != NodeId::ROOT && !heap.kind(source).is_object() {
                continue;
            }
            for edge in heap.edge_range(source) {
                let target = heap.target(edge);
                match self.new_ids[target.index()] {
                    LEFT_OUT => {}
                    _ if heap.labels[edge].is_constant() || !self.reach.holds(heap, edge) => {}
                    UPVALUE => {
                        for inner in heap.edge_range(target) {
                            if let Some(id) = self.id(heap.target(inner))
                                && self.reach.holds(heap, inner)
                            {
                                tell(source, edge, id)?;
                            }
                        }
                    }
                    id => tell(source, edge, NodeId(id))?,
                }
            }
        }
        Ok(())
    }
}

/// Stands for the new id of a node that is not in the view.
const LEFT_OUT: u32 = NodeId::ROOT.0;
/// Stands for the new id of an upvalue whose value may be in the view. No node has this id.
const UPVALUE: u32 = u32::MAX;

/// The number of edges of an object that are prefetched before it is copied.
const EDGES_AHEAD: usize = 8;

/// Whether `id` is that of a node in the view.
#[inline]
fn is_shown(id: u32) -> bool {
    id != LEFT_OUT && id != UPVALUE
}

/// Returns the id of each member, by node, and their number.
fn new_ids(heap: &Heap, reach: &Reach, members: &NodeSet) -> Result<(Vec<u32>, usize), BuildError> {
    let mut ids = filled(heap.node_count(), LEFT_OUT)?;
    for (node, &kind) in heap.nodes().zip(&heap.kinds) {
        if kind == Kind::Upvalue && reach.contains(node) {
            ids[node.index()] = UPVALUE;
        }
    }
    let mut count = 0;
    for node in members.nodes() {
        count += 1;
        ids[node.index()] = count;
    }
    Ok((ids, count as usize))
}

impl PartOfView<'_> {
    /// Copies a node and its edges.
    fn copy_node(&mut self, node: NodeId) -> Result<(), BuildError> {
        let from = self.from;
        let new = match node {
            NodeId::ROOT => NodeId::ROOT,
            _ => self.heap.push_node(from.kind(node), from.address(node))?,
        };
        self.heap.set_size(new, from.size(node));
        self.heap.counts[new.index()] = from.count(node);
        self.heap.sources[new.index()] = from.source_id(node);
        let start = self.heap.targets.len();
        let edges = from.edge_range(node);
        for edge in edges.clone() {
            self.read_ahead((edge + EDGES_AHEAD..edges.end).take(1));
            let target = from.target(edge);
            match self.new_ids[target.index()] {
                LEFT_OUT => {}
                UPVALUE => self.edges_through(target, edge)?,
                id => self.edge(edge, NodeId(id))?,
            }
        }
        self.heap.end_edges(new, start)
    }

    /// Prefetches what the next edges need.
    #[inline]
    fn read_ahead(&self, edges: impl Iterator<Item = usize>) {
        for edge in edges {
            prefetch(self.new_ids[self.from.target(edge).index()]);
        }
    }

    /// Copies an edge to an upvalue as an edge to the upvalue's value.
    fn edges_through(&mut self, upvalue: NodeId, edge: usize) -> Result<(), BuildError> {
        for inner in self.from.edge_range(upvalue) {
            let id = self.new_ids[self.from.target(inner).index()];
            if is_shown(id) && self.reach.holds(self.from, inner) {
                self.edge(edge, NodeId(id))?;
            }
        }
        Ok(())
    }

    /// Copies an edge, with `target` as its target. Leaves out ephemerons that keep nothing alive,
    /// and edges that only the VM sees.
    #[inline]
    fn edge(&mut self, edge: usize, target: NodeId) -> Result<(), BuildError> {
        let packed = self.from.labels[edge];
        if packed.is_constant() {
            return Ok(());
        }
        if packed.is_plain() {
            return self.heap.push_packed(target, packed);
        }
        let strength = packed.strength();
        if !strength.is_weak() && !self.reach.holds(self.from, edge) {
            return Ok(());
        }
        let label = match self.from.label(edge) {
            Label::Object(key) => self.key(key),
            label => label,
        };
        self.heap.push_edge(target, label, strength)
    }

    /// Returns the label of the value under a key that is an object.
    fn key(&self, key: NodeId) -> Label {
        let address = self.from.address(key);
        match self.from.kind(key) {
            _ if is_shown(self.new_ids[key.index()]) => {
                Label::Object(NodeId(self.new_ids[key.index()]))
            }
            Kind::Snapshot => Label::Address(Kind::Userdata, address),
            kind => Label::Address(kind, address),
        }
    }

    /// Copies what is known of threads and of code that was loaded without a name.
    fn copy_notes(&mut self) -> Result<(), BuildError> {
        for &state in &self.from.threads {
            if let Some(node) = self.id(state.node) {
                push(&mut self.heap.threads, ThreadState { node, ..state })?;
            }
        }
        for &code in &self.from.loaded_code {
            if let Some(node) = self.id(code.node) {
                push(&mut self.heap.loaded_code, LoadedCode { node, ..code })?;
            }
        }
        Ok(())
    }
}
