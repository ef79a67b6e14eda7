//! The `objects` view: of everything that a VM holds, what people see.
//!
//! Strings, prototypes and upvalues are folded away, so that the two engines' heaps read the same.

use crate::error::BuildError;
use crate::grow::filled;
use crate::heap::Heap;
use crate::kind::Kind;
use crate::label::Label;
use crate::node::NodeId;
use crate::reach::{Reach, Through};
use std::hint::black_box;
use std::sync::Arc;

/// A heap with only the tables, functions, threads and userdata of another one that its roots keep
/// alive, in the same order.
///
/// A closure's reference runs straight to the upvalue's value, by the upvalue's name. References to
/// what is not in the view are left out, and so are ephemerons whose key is not; any other
/// reference whose key is not in the view has the key's address for a label.
pub fn objects_view(heap: &Heap) -> Result<Heap, BuildError> {
    let reach = Reach::new(heap, Through::Objects)?;
    let (new_ids, count) = new_ids(heap, &reach)?;
    let mut view = match heap.node_count() {
        0 => Heap::default(),
        _ => Heap::with_root(),
    };
    view.names = Arc::clone(&heap.names);
    view.provenance = heap.provenance.clone();
    view.globals = heap
        .globals
        .filter(|node| new_ids[node.index()] != LEFT_OUT);
    view.globals = view.globals.map(|node| NodeId(new_ids[node.index()]));
    let is_kept = |(node, id): (usize, &u32)| node == 0 || *id != LEFT_OUT;
    view.order = heap
        .order
        .of_view(new_ids.iter().enumerate().map(is_kept))?;
    view.reserve_nodes(count)?;
    let mut copy = Copy {
        from: heap,
        reach: &reach,
        new_ids: &new_ids,
        to: view,
    };
    for node in heap.nodes() {
        if node == NodeId::ROOT || new_ids[node.index()] != LEFT_OUT {
            copy.node(node)?;
        }
    }
    let mut view = copy.to;
    view.shrink();
    view.all_reached = true;
    Ok(view)
}

/// In the place of the new id of a node that is not in the view.
const LEFT_OUT: u32 = NodeId::ROOT.0;

/// By node: its id in the view. And how many are in the view.
fn new_ids(heap: &Heap, reach: &Reach) -> Result<(Vec<u32>, usize), BuildError> {
    let mut ids = filled(heap.node_count(), LEFT_OUT)?;
    let mut count = 0;
    for node in heap.nodes().skip(1) {
        if heap.kind(node).is_object() && reach.contains(node) {
            count += 1;
            ids[node.index()] = count;
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
        for edge in from.edge_range(node) {
            self.read_ahead(edge);
            let target = from.target(edge);
            let id = self.new_ids[target.index()];
            if id != LEFT_OUT {
                self.edge(edge, NodeId(id))?;
            } else if from.kind(target) == Kind::Upvalue {
                self.edges_through(target, edge)?;
            }
        }
        self.to.end_edges(new, start)
    }

    /// Reads what edges soon to come will need, so that the waits for memory overlap.
    #[inline]
    fn read_ahead(&self, edge: usize) {
        if let Some(target) = self.from.targets.get(edge + 16) {
            black_box(self.new_ids[target.index()]);
        }
    }

    /// Copies an edge to an upvalue, as one to what the upvalue holds.
    fn edges_through(&mut self, upvalue: NodeId, edge: usize) -> Result<(), BuildError> {
        for inner in self.from.edge_range(upvalue) {
            let id = self.new_ids[self.from.target(inner).index()];
            if id != LEFT_OUT && self.reach.holds(self.from, inner) {
                self.edge(edge, NodeId(id))?;
            }
        }
        Ok(())
    }

    /// Copies an edge, as one to `target`, unless it is an ephemeron that holds nothing.
    #[inline]
    fn edge(&mut self, edge: usize, target: NodeId) -> Result<(), BuildError> {
        let packed = self.from.labels[edge];
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

    /// The label of the value under an object.
    fn key(&self, key: NodeId) -> Label {
        let address = self.from.address(key);
        match (self.new_ids[key.index()], self.from.kind(key)) {
            (LEFT_OUT, Kind::Snapshot) => Label::Address(Kind::Userdata, address),
            (LEFT_OUT, kind) => Label::Address(kind, address),
            (id, _) => Label::Object(NodeId(id)),
        }
    }
}
