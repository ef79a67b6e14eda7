//! Building a heap from a stream of nodes and edges.

use crate::build::thread_notes::{ThreadNote, ThreadNotes};
use crate::graph::address_map::AddressMap;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::{Label, PackedLabel};
use crate::graph::loaded_code::CodeShape;
use crate::graph::name::{NameId, NameIndex, Names};
use crate::graph::node::NodeId;
use crate::graph::provenance::Provenance;
use crate::graph::strength::Strength;
use std::sync::Arc;

/// The edges of a node that is still being walked.
///
/// The walks of several objects may overlap, but the edges of each must be consecutive.
#[derive(Debug, Default)]
pub struct OpenEdges {
    edges: Vec<(NodeId, PackedLabel)>,
}

/// An edge that came after the others of its source had been placed.
#[derive(Clone, Copy, Debug)]
struct LateEdge {
    source: NodeId,
    target: NodeId,
    label: PackedLabel,
    /// Its place among the late ones.
    order: u32,
}

/// Builds a [`Heap`] from nodes and edges in any order.
///
/// Nodes are numbered in the order in which they are added, and the edges of each node keep their
/// order. Edges that are added together ([`OpenEdges`]) are cheapest. A call that fails leaves the
/// builder consistent: it may be dropped or finished.
///
/// # Examples
///
/// ```
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Strength};
/// # fn main() -> Result<(), luasnap_heap::BuildError> {
/// let mut builder = HeapBuilder::new();
/// let (globals, is_new) = builder.node(Kind::Table, 0x10)?;
/// assert!(is_new);
/// builder.set_size(globals, 56);
/// let name = builder.name(b"_G")?;
/// builder.edge(NodeId::ROOT, globals, Label::Root(name), Strength::Strong)?;
/// let heap = builder.finish()?;
///
/// assert_eq!(heap.node_count(), 2); // with the synthetic root
/// assert_eq!(heap.size(globals), 56);
/// assert_eq!(heap.root_named(b"_G").map(|edge| edge.target), Some(globals));
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct HeapBuilder {
    heap: Heap,
    map: AddressMap,
    names: Names,
    name_index: NameIndex,
    late: Vec<LateEdge>,
    /// Edges of huge tables, kept apart until the builder's own memory is freed: otherwise two
    /// copies would exist at the peak.
    huge: Vec<(NodeId, OpenEdges)>,
    threads: ThreadNotes,
}

/// The number of edges from which a table is huge.
const HUGE: usize = 1 << 16;

impl Default for HeapBuilder {
    fn default() -> Self {
        Self::new()
    }
}

impl HeapBuilder {
    /// Returns a builder whose heap has only the synthetic root.
    pub fn new() -> Self {
        HeapBuilder {
            heap: Heap::with_root(),
            map: AddressMap::default(),
            names: Names::default(),
            name_index: NameIndex::default(),
            late: Vec::new(),
            huge: Vec::new(),
            threads: ThreadNotes::default(),
        }
    }

    /// Returns the number of nodes so far, the synthetic root included.
    pub fn node_count(&self) -> usize {
        self.heap.node_count()
    }

    /// Returns the node of `kind` at `address`, which is added if it is new, and whether it is new.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNodes`] beyond 4,294,967,295 nodes.
    #[inline]
    pub fn node(&mut self, kind: Kind, address: u64) -> Result<(NodeId, bool), BuildError> {
        match self.find(kind, address) {
            Some(node) => Ok((node, false)),
            None => Ok((self.add(kind, address)?, true)),
        }
    }

    /// Returns the node of `kind` at `address`, if there is one.
    #[inline]
    pub fn find(&self, kind: Kind, address: u64) -> Option<NodeId> {
        self.map.find(kind, address)
    }

    /// Prefetches what [`find`](Self::find) will need for this object.
    #[inline]
    pub fn prefetch(&self, kind: Kind, address: u64) {
        self.map.prefetch(kind, address);
    }

    fn add(&mut self, kind: Kind, address: u64) -> Result<NodeId, BuildError> {
        // If the map has no room, the node stays without a reference, and the walk ends.
        let node = self.heap.push_node(kind, address)?;
        self.map.insert(kind, address, node)?;
        Ok(node)
    }

    /// Returns the node's kind.
    pub fn kind(&self, node: NodeId) -> Kind {
        self.heap.kind(node)
    }

    /// Makes the node's kind more precise (a function turned out to be a C function).
    pub fn set_kind(&mut self, node: NodeId, kind: Kind) {
        self.heap.kinds[node.index()] = kind;
    }

    /// Sets the node's [shallow size](Heap::size), in bytes.
    #[inline]
    pub fn set_size(&mut self, node: NodeId, bytes: u64) {
        self.heap.set_size(node, bytes);
    }

    /// Sets the node's [count](Heap::count).
    #[inline]
    pub fn set_count(&mut self, node: NodeId, count: u32) {
        self.heap.counts[node.index()] = count;
    }

    /// Sets the node's [source](Heap::source).
    #[inline]
    pub fn set_source(&mut self, node: NodeId, source: NameId) {
        self.heap.sources[node.index()] = source;
    }

    /// Sets the [table of globals](Heap::globals).
    pub fn set_globals(&mut self, node: NodeId) {
        self.heap.globals = Some(node);
    }

    /// Returns the id of a name, which is added if it is new.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNames`] beyond 4,294,967,295 names.
    #[inline]
    pub fn name(&mut self, bytes: &[u8]) -> Result<NameId, BuildError> {
        self.name_index.intern(&mut self.names, bytes)
    }

    /// Notes what a thread is doing. Call it at most once for each thread.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn note_thread(&mut self, note: ThreadNote) -> Result<(), BuildError> {
        self.threads.add(note)
    }

    /// Notes the shape of a Lua function or a prototype whose source begins as
    /// [`LOADED_SOURCE`](crate::LOADED_SOURCE). Call it at most once for each.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn note_loaded_code(&mut self, node: NodeId, shape: CodeShape) -> Result<(), BuildError> {
        self.heap.note_loaded_code(node, shape)
    }

    /// Returns the bytes of a name.
    pub fn text(&self, name: NameId) -> &[u8] {
        self.names.get(name)
    }

    /// Adds a reference to the object that is being walked.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] if too many labels need the side table.
    #[inline]
    pub fn open_edge(
        &mut self,
        open: &mut OpenEdges,
        target: NodeId,
        label: Label,
        strength: Strength,
    ) -> Result<(), BuildError> {
        let label = self.heap.pack(label, strength)?;
        push(&mut open.edges, (target, label))
    }

    /// Gives the node its edges, once all are known. Call it once for each node.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 edges.
    pub fn close_edges(&mut self, source: NodeId, open: &mut OpenEdges) -> Result<(), BuildError> {
        if open.edges.is_empty() {
            return Ok(());
        }
        if open.edges.len() >= HUGE {
            return push(&mut self.huge, (source, std::mem::take(open)));
        }
        self.append_edges(source, open)?;
        open.edges.clear();
        Ok(())
    }

    fn append_edges(&mut self, source: NodeId, open: &OpenEdges) -> Result<(), BuildError> {
        let start = self.heap.move_edges(source)?;
        for &(target, label) in &open.edges {
            self.heap.push_packed(target, label)?;
        }
        self.heap.end_edges(source, start)
    }

    /// Adds a reference, at any time.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 edges.
    pub fn edge(
        &mut self,
        source: NodeId,
        target: NodeId,
        label: Label,
        strength: Strength,
    ) -> Result<(), BuildError> {
        let label = self.heap.pack(label, strength)?;
        let order = u32::try_from(self.late.len()).map_err(|_| BuildError::TooManyEdges)?;
        push(
            &mut self.late,
            LateEdge {
                source,
                target,
                label,
                order,
            },
        )
    }

    /// Returns the heap of everything that was added, for callers that found every node by
    /// following strong references from the roots: analyses then need not determine again what is
    /// reachable.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 edges.
    pub fn finish_reached(self, provenance: Provenance) -> Result<Heap, BuildError> {
        let mut heap = self.finish()?;
        heap.all_reached = true;
        heap.provenance = provenance;
        Ok(heap)
    }

    /// Returns the heap of everything that was added.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 edges.
    pub fn finish(mut self) -> Result<Heap, BuildError> {
        self.map = AddressMap::default();
        self.name_index = NameIndex::default();
        for (source, open) in std::mem::take(&mut self.huge) {
            self.append_edges(source, &open)?;
        }
        let HeapBuilder {
            mut heap,
            mut late,
            mut names,
            threads,
            ..
        } = self;
        // A stable sort would allocate, and abort if memory runs out.
        late.sort_unstable_by_key(|edge| (edge.source, edge.order));
        for edges in late.chunk_by(|a, b| a.source == b.source) {
            let source = edges[0].source;
            let start = heap.move_edges(source)?;
            for edge in edges {
                heap.push_packed(edge.target, edge.label)?;
            }
            heap.end_edges(source, start)?;
        }
        threads.finish(&mut heap, &mut names)?;
        heap.sort_loaded_code();
        heap.shrink();
        names.shrink();
        heap.names = Arc::new(names);
        Ok(heap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn edges_are_grouped_by_source_in_their_own_order() {
        let mut builder = HeapBuilder::new();
        let (a, _) = builder.node(Kind::Table, 0x10).unwrap();
        let (b, _) = builder.node(Kind::Table, 0x20).unwrap();
        for (source, target, index) in [
            (NodeId::ROOT, a, 0),
            (b, a, 1),
            (a, b, 2),
            (b, b, 3),
            (a, a, 4),
        ] {
            builder
                .edge(source, target, Label::Index(index), Strength::Strong)
                .unwrap();
        }
        let heap = builder.finish().unwrap();
        let labels = |node| heap.edges(node).map(|edge| edge.label).collect::<Vec<_>>();
        assert_eq!(labels(NodeId::ROOT), [Label::Index(0)]);
        assert_eq!(labels(a), [Label::Index(2), Label::Index(4)]);
        assert_eq!(labels(b), [Label::Index(1), Label::Index(3)]);
        assert_eq!(heap.edges(a).next().unwrap().target, b);
    }

    #[test]
    fn edges_that_come_together_and_late_ones_meet() {
        let mut builder = HeapBuilder::new();
        let (a, _) = builder.node(Kind::Table, 0x10).unwrap();
        let (b, _) = builder.node(Kind::Table, 0x20).unwrap();
        let (mut outer, mut inner) = (OpenEdges::default(), OpenEdges::default());
        let strong = Strength::Strong;
        builder
            .open_edge(&mut outer, b, Label::Index(0), strong)
            .unwrap();
        builder
            .open_edge(&mut inner, a, Label::Index(1), strong)
            .unwrap();
        builder.close_edges(b, &mut inner).unwrap();
        builder
            .open_edge(&mut outer, a, Label::Index(2), strong)
            .unwrap();
        builder.edge(b, b, Label::Index(3), strong).unwrap();
        builder.close_edges(a, &mut outer).unwrap();
        builder
            .edge(NodeId::ROOT, a, Label::Index(4), strong)
            .unwrap();
        let heap = builder.finish().unwrap();
        let labels = |node| heap.edges(node).map(|edge| edge.label).collect::<Vec<_>>();
        assert_eq!(labels(NodeId::ROOT), [Label::Index(4)]);
        assert_eq!(labels(a), [Label::Index(0), Label::Index(2)]);
        assert_eq!(labels(b), [Label::Index(1), Label::Index(3)]);
        assert_eq!(heap.edge_count(), 5);
    }

    #[test]
    fn a_huge_table_keeps_its_edges_and_late_ones() {
        let mut builder = HeapBuilder::new();
        let (table, _) = builder.node(Kind::Table, 0x10).unwrap();
        let (mut open, strong) = (OpenEdges::default(), Strength::Strong);
        for index in 0..2 * HUGE as i64 {
            builder
                .open_edge(&mut open, table, Label::Index(index), strong)
                .unwrap();
        }
        builder.edge(table, table, Label::Key, strong).unwrap();
        builder.close_edges(table, &mut open).unwrap();
        let heap = builder.finish().unwrap();
        assert_eq!(heap.edge_count(), 2 * HUGE + 1);
        assert_eq!(
            heap.edges(table).nth(HUGE).unwrap().label,
            Label::Index(HUGE as i64)
        );
        assert_eq!(heap.edges(table).last().unwrap().label, Label::Key);
    }

    #[test]
    fn sizes_beyond_the_column_are_kept() {
        let mut builder = HeapBuilder::new();
        let (table, _) = builder.node(Kind::Table, 0x10).unwrap();
        for bytes in [0, 56, u64::from(u32::MAX) - 1, u64::from(u32::MAX), 1 << 40] {
            builder.set_size(table, bytes);
            assert_eq!(builder.heap.size(table), bytes);
        }
    }

    #[test]
    fn an_empty_userdata_may_end_where_another_object_starts() {
        let mut builder = HeapBuilder::new();
        let (userdata, new) = builder.node(Kind::Userdata, 0x40).unwrap();
        assert!(new);
        let (table, new) = builder.node(Kind::Table, 0x40).unwrap();
        assert!(new);
        assert_ne!(userdata, table);
        assert_eq!(
            builder.node(Kind::Userdata, 0x40).unwrap(),
            (userdata, false)
        );
        assert_eq!(builder.find(Kind::Table, 0x40), Some(table));
    }

    #[test]
    fn labels_that_do_not_fit_are_kept_beside() {
        let mut builder = HeapBuilder::new();
        let (a, _) = builder.node(Kind::Table, 0x10).unwrap();
        let labels = [
            Label::Index(-1),
            Label::Number(1.5),
            Label::Address(Kind::Userdata, 9),
        ];
        for label in labels {
            builder
                .edge(NodeId::ROOT, a, label, Strength::Ephemeron)
                .unwrap();
        }
        let heap = builder.finish().unwrap();
        for (edge, label) in heap.edges(NodeId::ROOT).zip(labels) {
            assert_eq!((edge.label, edge.strength), (label, Strength::Ephemeron));
        }
    }
}
