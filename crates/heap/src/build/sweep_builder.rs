//! Building a heap from a VM's own lists: first every object, then the references of each.

use crate::graph::allocation_order::RunOrder;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::name::{NameId, NameIndex, Names};
use crate::graph::node::NodeId;
use crate::graph::provenance::Provenance;
use crate::graph::region_map::RegionMap;
use crate::graph::sparse_table::SparseTable;
use crate::graph::strength::Strength;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Takes every object of a VM, then the edges of one after the other, and makes a [`Heap`].
///
/// Unlike a [`HeapBuilder`](crate::HeapBuilder) it is told of each object once, so it need not ask
/// whether it knows it.
#[derive(Debug)]
pub struct SweepBuilder {
    heap: Heap,
    map: RegionMap,
    names: Names,
    /// Names that are no string of the VM, or long ones, which the VM may have several times.
    name_index: NameIndex,
    /// Nodes that no list has: C functions that are plain pointers, by their code.
    unlisted: FxHashMap<u64, NodeId>,
    /// Where the edges of the node at hand start.
    edges_start: usize,
}

impl Default for SweepBuilder {
    fn default() -> Self {
        SweepBuilder {
            heap: Heap::with_root(),
            map: RegionMap::default(),
            names: Names::default(),
            name_index: NameIndex::default(),
            unlisted: FxHashMap::default(),
            edges_start: 0,
        }
    }
}

impl SweepBuilder {
    /// Makes room for so many nodes and edges, if that can be had: memory that is not used after
    /// all costs nothing, where what grows has to be moved.
    pub fn expect_sizes(&mut self, nodes: usize, edges: usize) {
        self.heap.expect_sizes(nodes, edges);
    }

    /// How many nodes there are so far, the synthetic root included.
    #[inline]
    pub fn node_count(&self) -> usize {
        self.heap.node_count()
    }

    /// Says what the order of the nodes that follow tells.
    pub fn begin_run(&mut self, order: RunOrder) -> Result<(), BuildError> {
        let start = NodeId(self.heap.node_count() as u32);
        self.heap.order.begin(start, order)
    }

    /// Adds the object at `address`, with its shallow size in bytes. `None` when an object was
    /// there already, or the address can be none.
    #[inline]
    pub fn add(
        &mut self,
        kind: Kind,
        address: u64,
        size: u64,
    ) -> Result<Option<NodeId>, BuildError> {
        if self.heap.node_count() > RegionMap::MOST_NODES {
            return Err(BuildError::TooManyNodes);
        }
        if !self.map.insert(address)? {
            return Ok(None);
        }
        Ok(Some(self.heap.push_listed(kind, address, size)?))
    }

    /// Whether there is an object at `address`, or so near that it can only be that one.
    pub fn is_taken(&self, address: u64) -> bool {
        self.map.is_taken(address)
    }

    /// Says that every object was added, so that they can be found. No [address](Self::set_address)
    /// may have been changed before.
    pub fn close_objects(&mut self) -> Result<(), BuildError> {
        self.map.close(&self.heap.addresses[1..])?;
        self.heap.fill_columns();
        Ok(())
    }

    /// The node of a C function that is a plain pointer to code, made when it is new.
    pub fn light_function(&mut self, code: u64) -> Result<NodeId, BuildError> {
        if let Some(&node) = self.unlisted.get(&code) {
            return Ok(node);
        }
        self.heap.fill_columns();
        self.unlisted
            .try_reserve(1)
            .map_err(|_| BuildError::OutOfMemory)?;
        let node = self.heap.push_node(Kind::CFunction, code)?;
        self.unlisted.insert(code, node);
        Ok(node)
    }

    /// The node of the object at `address`, once [every one](Self::close_objects) was added.
    #[inline]
    pub fn find(&self, address: u64) -> Option<NodeId> {
        self.map.find(address)
    }

    /// Says that a look-up of this object is near, so that waiting for memory can begin.
    #[inline]
    pub fn expect(&self, address: u64) {
        self.map.expect(address);
    }

    /// What the node is.
    #[inline]
    pub fn kind(&self, node: NodeId) -> Kind {
        self.heap.kind(node)
    }

    /// The address that the node was added with, or was given since.
    #[inline]
    pub fn address(&self, node: NodeId) -> u64 {
        self.heap.address(node)
    }

    /// Says what the node is after all.
    pub fn set_kind(&mut self, node: NodeId, kind: Kind) {
        self.heap.kinds[node.index()] = kind;
    }

    /// Sets the node's [address](Heap::address) as people see it. [`find`](Self::find) goes by the
    /// one that it was added with.
    pub fn set_address(&mut self, node: NodeId, address: u64) {
        self.heap.addresses[node.index()] = address;
    }

    /// Sets the node's [shallow size](Heap::size), in bytes.
    pub fn set_size(&mut self, node: NodeId, bytes: u64) {
        self.heap.set_size(node, bytes);
    }

    /// The node's [shallow size](Heap::size), in bytes.
    pub fn size(&self, node: NodeId) -> u64 {
        self.heap.size(node)
    }

    /// Sets the node's [count](Heap::count).
    #[inline]
    pub fn set_count(&mut self, node: NodeId, count: u32) {
        self.heap.fill_columns();
        self.heap.counts[node.index()] = count;
    }

    /// The node's [count](Heap::count).
    pub fn count(&self, node: NodeId) -> u32 {
        self.heap.counts.get(node.index()).copied().unwrap_or(0)
    }

    /// Sets the node's [source](Heap::source); of a string, its text.
    #[inline]
    pub fn set_source(&mut self, node: NodeId, source: NameId) {
        self.heap.sources[node.index()] = source;
    }

    /// The id of the node's [source](Heap::source); of a string, of its text.
    #[inline]
    pub fn source(&self, node: NodeId) -> NameId {
        self.heap.sources[node.index()]
    }

    /// The bytes of a name.
    pub fn name(&self, name: NameId) -> &[u8] {
        self.names.get(name)
    }

    /// Adds a name that the VM has only once.
    #[inline]
    pub fn add_name(&mut self, bytes: &[u8]) -> Result<NameId, BuildError> {
        if bytes.is_empty() {
            return Ok(NameId::EMPTY);
        }
        self.names.add(bytes)
    }

    /// The id of a name that was given to this function before, or a new one.
    pub fn intern(&mut self, bytes: &[u8]) -> Result<NameId, BuildError> {
        self.name_index.intern(&mut self.names, bytes)
    }

    /// Says which node is the [table of globals](Heap::globals).
    pub fn set_globals(&mut self, node: NodeId) {
        self.heap.globals = Some(node);
    }

    /// Notes a marker, at the [address](Self::set_address) that the node has now. Markers come in
    /// the order of their nodes.
    pub fn mark(&mut self, node: NodeId) -> Result<(), BuildError> {
        let address = self.heap.address(node);
        self.heap.order.mark(address, node)
    }

    /// Says how many slots the array and the hash part of a table have, and how many of them are in
    /// use: noted where it keeps far more than it uses. Tables come in the order of their nodes.
    #[inline(always)]
    pub fn note_slots(
        &mut self,
        node: NodeId,
        array: (u64, u32),
        hash: (u64, u32),
    ) -> Result<(), BuildError> {
        // One comparison for both, since that is a power of two.
        match (array.0 | hash.0) >= u64::from(SparseTable::LEAST_SLOTS) {
            true => self.note_if_sparse(node, array, hash),
            false => Ok(()),
        }
    }

    #[inline(never)]
    fn note_if_sparse(
        &mut self,
        node: NodeId,
        array: (u64, u32),
        hash: (u64, u32),
    ) -> Result<(), BuildError> {
        let column = |slots: u64| u32::try_from(slots).unwrap_or(u32::MAX);
        let table = SparseTable {
            node,
            array_slots: column(array.0),
            array_used: array.1,
            hash_slots: column(hash.0),
            hash_used: hash.1,
        };
        match table.is_sparse() {
            true => push(&mut self.heap.sparse_tables, table),
            false => Ok(()),
        }
    }

    /// Begins the edges of a node.
    #[inline]
    pub fn begin_edges(&mut self) {
        self.heap.fill_columns();
        self.edges_start = self.heap.targets.len();
    }

    /// Adds an edge to those of the node at hand.
    #[inline(always)]
    pub fn edge(
        &mut self,
        target: NodeId,
        label: Label,
        strength: Strength,
    ) -> Result<(), BuildError> {
        self.heap.push_edge(target, label, strength)
    }

    /// Ends the edges of `node`, to be called once for each.
    #[inline]
    pub fn end_edges(&mut self, node: NodeId) -> Result<(), BuildError> {
        self.heap.end_edges(node, self.edges_start)
    }

    /// The heap of all that was added.
    pub fn finish(self, provenance: Provenance) -> Result<Heap, BuildError> {
        let SweepBuilder {
            mut heap,
            mut names,
            map,
            name_index,
            ..
        } = self;
        drop((map, name_index));
        heap.fill_columns();
        heap.provenance = provenance;
        heap.shrink();
        names.shrink();
        heap.names = Arc::new(names);
        Ok(heap)
    }
}
