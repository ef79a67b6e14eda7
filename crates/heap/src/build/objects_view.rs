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
    let (new_ids, count) = new_ids(heap, &reach)?;
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
    let is_kept = |node: &NodeId| *node == NodeId::ROOT || is_shown(new_ids[node.index()]);
    view.order = heap
        .order
        .of_view(heap.nodes().map(|node| is_kept(&node)))?;
    view.reserve_nodes(count)?;
    let mut copy = Copy {
        from: heap,
        reach: &reach,
        new_ids: &new_ids,
        to: view,
    };
    let mut ahead = heap.nodes().filter(is_kept).skip(8);
    for node in heap.nodes().filter(is_kept) {
        if let Some(node) = ahead.next() {
            copy.read_ahead(heap.edge_range(node).take(EDGES_AHEAD));
        }
        copy.node(node)?;
    }
    let mut view = copy.to;
    for &state in &heap.threads {
        let id = new_ids[state.node.index()];
        if is_shown(id) {
            let node = NodeId(id);
            push(&mut view.threads, ThreadState { node, ..state })?;
        }
    }
    for &code in &heap.loaded_code {
        let id = new_ids[code.node.index()];
        if is_shown(id) {
            let node = NodeId(id);
            push(&mut view.loaded_code, LoadedCode { node, ..code })?;
        }
    }
    view.shrink();
    view.all_reached = true;
    Ok(view)
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

/// Returns the id of each node in the view, by node, and the number of nodes in the view.
fn new_ids(heap: &Heap, reach: &Reach) -> Result<(Vec<u32>, usize), BuildError> {
    let mut ids = filled(heap.node_count(), LEFT_OUT)?;
    let mut count = 0;
    for node in heap.nodes().skip(1) {
        let kind = heap.kind(node);
        if !reach.contains(node) {
            continue;
        }
        if kind.is_object() {
            count += 1;
            ids[node.index()] = count;
        } else if kind == Kind::Upvalue {
            ids[node.index()] = UPVALUE;
        }
    }
    Ok((ids, count as usize))
}

struct Copy<'a> {
    from: &'a Heap,
    reach: &'a Reach,
    new_ids: &'a [u32],
    to: Heap,
}

impl Copy<'_> {
    /// Copies a node and its edges.
    fn node(&mut self, node: NodeId) -> Result<(), BuildError> {
        let from = self.from;
        let new = match node {
            NodeId::ROOT => NodeId::ROOT,
            _ => self.to.push_node(from.kind(node), from.address(node))?,
        };
        self.to.set_size(new, from.size(node));
        self.to.counts[new.index()] = from.count(node);
        self.to.sources[new.index()] = from.source_id(node);
        let start = self.to.targets.len();
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
        self.to.end_edges(new, start)
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
            return self.to.push_packed(target, packed);
        }
        let strength = packed.strength();
        if !strength.is_weak() && !self.reach.holds(self.from, edge) {
            return Ok(());
        }
        let label = match self.from.label(edge) {
            Label::Object(key) => self.key(key),
            label => label,
        };
        self.to.push_edge(target, label, strength)
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
}
