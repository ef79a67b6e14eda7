//! Building a heap from a VM's own lists: first all objects, then the references of each.

use crate::build::thread_notes::{ThreadNote, ThreadNotes};
use crate::graph::allocation_order::RunOrder;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::Label;
use crate::graph::loaded_code::CodeShape;
use crate::graph::name::{NameId, NameIndex, Names};
use crate::graph::node::NodeId;
use crate::graph::provenance::Provenance;
use crate::graph::region_map::RegionMap;
use crate::graph::sparse_table::SparseTable;
use crate::graph::strength::Strength;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// Builds a [`Heap`] from every object of a VM, then the edges of each in turn.
///
/// Unlike a [`HeapBuilder`](crate::HeapBuilder), it is given each object once, so that adding one
/// needs no look-up of its node.
#[derive(Debug)]
pub struct SweepBuilder {
    heap: Heap,
    map: RegionMap,
    names: Names,
    /// Names that are not strings of the VM, and long strings, of which the VM may have equal ones.
    name_index: NameIndex,
    /// Nodes that are on no list: light C functions, by their code.
    unlisted: FxHashMap<u64, NodeId>,
    /// Objects of other VMs, by their addresses.
    foreign: FxHashMap<u64, NodeId>,
    /// The start of the current node's edges.
    edges_start: usize,
    threads: ThreadNotes,
}

impl Default for SweepBuilder {
    fn default() -> Self {
        SweepBuilder {
            heap: Heap::with_root(),
            map: RegionMap::default(),
            names: Names::default(),
            name_index: NameIndex::default(),
            unlisted: FxHashMap::default(),
            foreign: FxHashMap::default(),
            edges_start: 0,
            threads: ThreadNotes::default(),
        }
    }
}

impl SweepBuilder {
    /// Reserves memory for this many nodes and edges, if available. Reserved memory that is never used
    /// costs nothing; columns that grow have to be moved.
    pub fn expect_sizes(&mut self, nodes: usize, edges: usize) {
        self.heap.expect_sizes(nodes, edges);
    }

    /// Returns the number of nodes so far, the synthetic root included.
    #[inline]
    pub fn node_count(&self) -> usize {
        self.heap.node_count()
    }

    /// Begins a run of nodes; `order` is the meaning of their order.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn begin_run(&mut self, order: RunOrder) -> Result<(), BuildError> {
        let start = NodeId(self.heap.node_count() as u32);
        self.heap.order.begin(start, order)
    }

    /// Adds the object at `address`, with its shallow size in bytes. Returns `None` if another object
    /// starts there, or if no object can start there.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNodes`] beyond 2,147,483,647 nodes.
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

    /// Whether an object starts in the 16 bytes around `address`.
    pub fn is_taken(&self, address: u64) -> bool {
        self.map.is_taken(address)
    }

    /// Ends the list of objects, so that [`find`](Self::find) works. Call it before any
    /// [`set_address`](Self::set_address).
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn close_objects(&mut self) -> Result<(), BuildError> {
        self.map.close(&self.heap.addresses[1..])?;
        self.heap.fill_columns();
        Ok(())
    }

    /// Returns the node of a light C function (a plain pointer to code), which is added if it is new.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNodes`] beyond 4,294,967,295 nodes.
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

    /// Adds an object of another VM, to which this one refers. Its shallow size is 0, and [`find`](Self::find) does not
    /// know it. Call it once for each address, after [`close_objects`](Self::close_objects).
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNodes`] beyond 4,294,967,295 nodes.
    pub fn add_foreign(&mut self, kind: Kind, address: u64) -> Result<NodeId, BuildError> {
        self.heap.fill_columns();
        self.foreign
            .try_reserve(1)
            .map_err(|_| BuildError::OutOfMemory)?;
        let node = self.heap.push_node(kind, address)?;
        self.foreign.insert(address, node);
        Ok(node)
    }

    /// Returns the node of another VM's object that was [added](Self::add_foreign).
    pub fn find_foreign(&self, address: u64) -> Option<NodeId> {
        self.foreign.get(&address).copied()
    }

    /// Returns the node of the object at `address`. Works after [`close_objects`](Self::close_objects).
    #[inline]
    pub fn find(&self, address: u64) -> Option<NodeId> {
        self.map.find(address)
    }

    /// Prefetches what [`add`](Self::add) and [`find`](Self::find) will need for this object.
    #[inline]
    pub fn prefetch(&self, address: u64) {
        self.map.prefetch(address);
    }

    /// Returns the node's kind.
    #[inline]
    pub fn kind(&self, node: NodeId) -> Kind {
        self.heap.kind(node)
    }

    /// Returns the address that the node was added with, or the one that was set since.
    #[inline]
    pub fn address(&self, node: NodeId) -> u64 {
        self.heap.address(node)
    }

    /// Sets the node's kind.
    pub fn set_kind(&mut self, node: NodeId, kind: Kind) {
        self.heap.kinds[node.index()] = kind;
    }

    /// Sets the node's [address](Heap::address) as people see it. [`find`](Self::find) still uses the
    /// one that it was added with.
    pub fn set_address(&mut self, node: NodeId, address: u64) {
        self.heap.addresses[node.index()] = address;
    }

    /// Sets the node's [shallow size](Heap::size), in bytes.
    pub fn set_size(&mut self, node: NodeId, bytes: u64) {
        self.heap.set_size(node, bytes);
    }

    /// Returns the node's [shallow size](Heap::size), in bytes.
    pub fn size(&self, node: NodeId) -> u64 {
        self.heap.size(node)
    }

    /// Sets the node's [count](Heap::count).
    #[inline]
    pub fn set_count(&mut self, node: NodeId, count: u32) {
        self.heap.fill_columns();
        self.heap.counts[node.index()] = count;
    }

    /// Returns the node's [count](Heap::count).
    pub fn count(&self, node: NodeId) -> u32 {
        self.heap.counts.get(node.index()).copied().unwrap_or(0)
    }

    /// Sets the node's [source](Heap::source); for a string, its text.
    #[inline]
    pub fn set_source(&mut self, node: NodeId, source: NameId) {
        self.heap.sources[node.index()] = source;
    }

    /// Returns the id of the node's [source](Heap::source); for a string, of its text.
    #[inline]
    pub fn source(&self, node: NodeId) -> NameId {
        self.heap.sources[node.index()]
    }

    /// Returns the bytes of a name.
    pub fn name(&self, name: NameId) -> &[u8] {
        self.names.get(name)
    }

    /// Adds a name without checking whether it exists already: for strings that the VM has only
    /// once.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNames`] beyond 4,294,967,295 names.
    #[inline]
    pub fn add_name(&mut self, bytes: &[u8]) -> Result<NameId, BuildError> {
        if bytes.is_empty() {
            return Ok(NameId::EMPTY);
        }
        self.names.add(bytes)
    }

    /// Returns the id of a name that this function was given before, or of a new one.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNames`] beyond 4,294,967,295 names.
    pub fn intern(&mut self, bytes: &[u8]) -> Result<NameId, BuildError> {
        self.name_index.intern(&mut self.names, bytes)
    }

    /// Sets the [table of globals](Heap::globals).
    pub fn set_globals(&mut self, node: NodeId) {
        self.heap.globals = Some(node);
    }

    /// Notes a marker of a capture, with the current [address](Self::set_address) of its node. Call
    /// it in the order of the nodes.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn mark(&mut self, node: NodeId) -> Result<(), BuildError> {
        let address = self.heap.address(node);
        self.heap.order.mark(address, node)
    }

    /// Notes a table that keeps far more slots than it uses. `array` and `hash` are the number of slots
    /// and of slots in use. Call it in the order of the nodes.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    #[inline(always)]
    pub fn note_slots(
        &mut self,
        node: NodeId,
        array: (u64, u32),
        hash: (u64, u32),
    ) -> Result<(), BuildError> {
        // One comparison for both, since the bound is a power of two.
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

    /// Begins the edges of a node.
    #[inline]
    pub fn begin_edges(&mut self) {
        self.heap.fill_columns();
        self.edges_start = self.heap.targets.len();
    }

    /// Adds an edge to the current node.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] if too many labels need the side table.
    #[inline(always)]
    pub fn edge(
        &mut self,
        target: NodeId,
        label: Label,
        strength: Strength,
    ) -> Result<(), BuildError> {
        self.heap.push_edge(target, label, strength)
    }

    /// Ends the edges of `node`. Call it once for each node.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 edges.
    #[inline]
    pub fn end_edges(&mut self, node: NodeId) -> Result<(), BuildError> {
        self.heap.end_edges(node, self.edges_start)
    }

    /// Returns the heap of everything that was added.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn finish(self, provenance: Provenance) -> Result<Heap, BuildError> {
        let SweepBuilder {
            mut heap,
            mut names,
            map,
            name_index,
            threads,
            ..
        } = self;
        drop((map, name_index));
        heap.fill_columns();
        threads.finish(&mut heap, &mut names)?;
        heap.sort_loaded_code();
        heap.provenance = provenance;
        heap.shrink();
        names.shrink();
        heap.names = Arc::new(names);
        Ok(heap)
    }
}
