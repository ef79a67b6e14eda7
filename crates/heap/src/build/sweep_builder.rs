//! Building a heap from a VM's own lists: first all objects, then the references of each.

use crate::build::thread_notes::{ThreadNote, ThreadNotes};
use crate::graph::allocation_order::RunOrder;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::push;
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::{Label, PackedLabel};
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
    /// The last nodes, which are not in the columns yet: appending to each column takes more instructions than all else
    /// that is done for a node here. There is room for them in the columns.
    recent: RecentNodes,
    /// The number of edges.
    edge_count: usize,
    /// The last edges, which are not in the columns yet, for the same reason.
    recent_targets: [NodeId; RECENT_EDGES],
    recent_labels: [PackedLabel; RECENT_EDGES],
    threads: ThreadNotes,
}

/// What is known of an object before its references are read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Listed {
    /// Its kind.
    pub kind: Kind,
    /// Its address.
    pub address: u64,
}

/// How many nodes are added to the columns at once.
const RECENT_NODES: usize = 64;

/// The nodes after those in the columns.
#[derive(Debug)]
struct RecentNodes {
    count: usize,
    kinds: [Kind; RECENT_NODES],
    addresses: [u64; RECENT_NODES],
    sizes: [u32; RECENT_NODES],
    sources: [NameId; RECENT_NODES],
}

impl Default for RecentNodes {
    fn default() -> Self {
        RecentNodes {
            count: 0,
            kinds: [Kind::Root; RECENT_NODES],
            addresses: [0; RECENT_NODES],
            sizes: [0; RECENT_NODES],
            sources: [NameId::EMPTY; RECENT_NODES],
        }
    }
}

/// How many edges are added to the columns at once.
const RECENT_EDGES: usize = 256;

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
            recent: RecentNodes::default(),
            edge_count: 0,
            recent_targets: [NodeId::ROOT; RECENT_EDGES],
            recent_labels: [PackedLabel::default(); RECENT_EDGES],
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
        self.heap.node_count() + self.recent.count
    }

    /// Begins a run of nodes; `order` is the meaning of their order.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn begin_run(&mut self, order: RunOrder) -> Result<(), BuildError> {
        let start = NodeId(self.node_count() as u32);
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
        let place = self.recent.count % RECENT_NODES;
        if place != 0
            && size < u64::from(Heap::LARGE)
            && let Some(is_free) = self.map.insert_nearby(address)
        {
            return Ok(is_free.then(|| self.add_recent(place, kind, address, size)));
        }
        self.add_anywhere(kind, address, size)
    }

    /// The same, also for the first of the last nodes, in another region, and of any size.
    #[cold]
    #[inline(never)]
    fn add_anywhere(
        &mut self,
        kind: Kind,
        address: u64,
        size: u64,
    ) -> Result<Option<NodeId>, BuildError> {
        if self.recent.count.is_multiple_of(RECENT_NODES) {
            self.keep_recent_nodes();
            self.heap.reserve_listed(RECENT_NODES)?;
            if self.heap.node_count() + RECENT_NODES > RegionMap::MOST_NODES {
                return Err(BuildError::TooManyNodes);
            }
        }
        if !self.map.insert(address)? {
            return Ok(None);
        }
        let node = self.add_recent(self.recent.count, kind, address, size);
        if size >= u64::from(Heap::LARGE) {
            self.set_size(node, size);
        }
        Ok(Some(node))
    }

    /// Adds a node to the last ones, of which there are `place`.
    #[inline(always)]
    fn add_recent(&mut self, place: usize, kind: Kind, address: u64, size: u64) -> NodeId {
        self.recent.kinds[place] = kind;
        self.recent.addresses[place] = address;
        self.recent.sizes[place] = size as u32;
        self.recent.sources[place] = NameId::EMPTY;
        self.recent.count = place + 1;
        NodeId((self.heap.node_count() + place) as u32)
    }

    /// Moves the last nodes to the columns.
    #[inline(never)]
    fn keep_recent_nodes(&mut self) {
        let count = std::mem::take(&mut self.recent.count);
        self.heap.extend_listed(
            &self.recent.kinds[..count],
            &self.recent.addresses[..count],
            &self.recent.sizes[..count],
            &self.recent.sources[..count],
        );
    }

    /// The same where there are any, before another column is written.
    #[inline]
    fn keep_nodes(&mut self) {
        if self.recent.count > 0 {
            self.keep_recent_nodes();
        }
    }

    /// Returns the place of a node among the last ones.
    ///
    /// # Panics
    /// If there is no such node.
    #[cold]
    #[inline(never)]
    fn recent_place(&self, node: NodeId) -> usize {
        let place = node.index() - self.heap.node_count();
        assert!(place < self.recent.count, "a node that was added");
        place
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
        self.keep_nodes();
        self.map.close(&self.heap.addresses[1..])?;
        self.fill_columns();
        Ok(())
    }

    /// Fills all columns.
    #[inline]
    fn fill_columns(&mut self) {
        self.keep_nodes();
        self.heap.fill_columns();
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
        self.fill_columns();
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
        self.fill_columns();
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
        match self.heap.kinds.get(node.index()) {
            Some(kind) => *kind,
            None => self.recent.kinds[self.recent_place(node)],
        }
    }

    /// Returns the address that the node was added with, or the one that was set since.
    #[inline]
    pub fn address(&self, node: NodeId) -> u64 {
        match self.heap.addresses.get(node.index()) {
            Some(address) => *address,
            None => self.recent.addresses[self.recent_place(node)],
        }
    }

    /// Returns what is known of a node.
    #[inline]
    pub fn listed(&self, node: NodeId) -> Listed {
        Listed {
            kind: self.kind(node),
            address: self.address(node),
        }
    }

    /// Returns what is known of the nodes from `first` on. Those from `end` on are none: the root, at address 0.
    #[inline]
    pub fn block<const N: usize>(&self, first: u32, end: u32) -> [Listed; N] {
        let range = first as usize..(first as usize).saturating_add(N);
        let (kinds, addresses) = (
            self.heap.kinds.get(range.clone()),
            self.heap.addresses.get(range.clone()),
        );
        if let (Some(kinds), Some(addresses)) = (kinds, addresses)
            && range.end <= end as usize
        {
            return std::array::from_fn(|at| Listed {
                kind: kinds[at],
                address: addresses[at],
            });
        }
        self.last_block(first, end)
    }

    #[cold]
    #[inline(never)]
    fn last_block<const N: usize>(&self, first: u32, end: u32) -> [Listed; N] {
        let mut nodes = (first..end).map(|node| self.listed(NodeId(node)));
        std::array::from_fn(|_| {
            nodes.next().unwrap_or(Listed {
                kind: Kind::Root,
                address: 0,
            })
        })
    }

    /// Sets the node's kind.
    pub fn set_kind(&mut self, node: NodeId, kind: Kind) {
        self.keep_nodes();
        self.heap.kinds[node.index()] = kind;
    }

    /// Sets the node's [address](Heap::address) as people see it. [`find`](Self::find) still uses the
    /// one that it was added with.
    pub fn set_address(&mut self, node: NodeId, address: u64) {
        self.keep_nodes();
        self.heap.addresses[node.index()] = address;
    }

    /// Sets the node's [shallow size](Heap::size), in bytes.
    pub fn set_size(&mut self, node: NodeId, bytes: u64) {
        self.keep_nodes();
        self.heap.set_size(node, bytes);
    }

    /// Returns the node's [shallow size](Heap::size), in bytes.
    pub fn size(&self, node: NodeId) -> u64 {
        match node.index() < self.heap.node_count() {
            true => self.heap.size(node),
            // Larger ones are in the columns at once.
            false => u64::from(self.recent.sizes[self.recent_place(node)]),
        }
    }

    /// Sets the node's [count](Heap::count).
    #[inline]
    pub fn set_count(&mut self, node: NodeId, count: u32) {
        self.fill_columns();
        self.heap.counts[node.index()] = count;
    }

    /// Returns the node's [count](Heap::count).
    pub fn count(&self, node: NodeId) -> u32 {
        self.heap.counts.get(node.index()).copied().unwrap_or(0)
    }

    /// Sets the node's [source](Heap::source); for a string, its text.
    #[inline]
    pub fn set_source(&mut self, node: NodeId, source: NameId) {
        let first = self.heap.node_count();
        match self.heap.sources.get_mut(node.index()) {
            Some(known) => *known = source,
            None => self.recent.sources[node.index() - first] = source,
        }
    }

    /// Returns the id of the node's [source](Heap::source); for a string, of its text.
    #[inline]
    pub fn source(&self, node: NodeId) -> NameId {
        match self.heap.sources.get(node.index()) {
            Some(source) => *source,
            None => self.recent.sources[self.recent_place(node)],
        }
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
        self.fill_columns();
        self.edges_start = self.edge_count;
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
        let packed = self.heap.pack(label, strength)?;
        let place = self.edge_count % RECENT_EDGES;
        self.recent_targets[place] = target;
        self.recent_labels[place] = packed;
        self.edge_count += 1;
        match place == RECENT_EDGES - 1 {
            true => self.keep_recent_edges(),
            false => Ok(()),
        }
    }

    /// Moves the last edges to the columns.
    #[inline(never)]
    fn keep_recent_edges(&mut self) -> Result<(), BuildError> {
        let count = self.edge_count - self.heap.targets.len();
        let (targets, labels) = (&mut self.heap.targets, &mut self.heap.labels);
        targets.try_reserve(count)?;
        labels.try_reserve(count)?;
        targets.extend_from_slice(&self.recent_targets[..count]);
        labels.extend_from_slice(&self.recent_labels[..count]);
        Ok(())
    }

    /// Ends the edges of `node`. Call it once for each node.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyEdges`] beyond 4,294,967,295 edges.
    #[inline]
    pub fn end_edges(&mut self, node: NodeId) -> Result<(), BuildError> {
        self.heap
            .note_edges(node, self.edges_start, self.edge_count)
    }

    /// Returns the heap of everything that was added.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn finish(mut self, provenance: Provenance) -> Result<Heap, BuildError> {
        self.keep_recent_edges()?;
        self.fill_columns();
        let SweepBuilder {
            mut heap,
            mut names,
            map,
            name_index,
            threads,
            ..
        } = self;
        drop((map, name_index));
        threads.finish(&mut heap, &mut names)?;
        heap.sort_loaded_code();
        heap.provenance = provenance;
        heap.shrink();
        names.shrink();
        heap.names = Arc::new(names);
        Ok(heap)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whatever is asked of the last nodes before they are in the columns, and changed.
    #[test]
    fn nodes_are_the_same_before_and_after_they_are_in_the_columns() {
        let address = |number: u64| 0x10_0000 - 0x4000 + 48 * number; // in two regions
        let mut builder = SweepBuilder::default();
        let huge = u64::from(Heap::LARGE) + 5;
        for number in 1..=1000 {
            let size = if number % 100 == 0 { huge } else { number };
            let node = builder
                .add(Kind::Table, address(number), size)
                .unwrap()
                .unwrap();
            assert_eq!(u64::from(node.0), number);
            assert_eq!(builder.node_count() as u64, number + 1);
            assert_eq!(builder.add(Kind::Table, address(number), 8).unwrap(), None);
            assert_eq!(
                (builder.kind(node), builder.size(node)),
                (Kind::Table, size)
            );
            assert_eq!(builder.address(node), address(number));
            let name = builder.intern(number.to_string().as_bytes()).unwrap();
            builder.set_source(node, name);
            assert_eq!(builder.source(node), name);
            if number % 90 == 0 {
                builder.set_kind(node, Kind::Userdata);
                builder.set_count(node, 7);
            }
        }
        builder.close_objects().unwrap();
        let block = builder.block::<8>(997, 1001);
        assert_eq!(block[3], builder.listed(NodeId(1000)));
        assert!(block[4..].iter().all(|listed| listed.address == 0));
        assert_eq!(builder.block::<8>(90, 1001)[0].kind, Kind::Userdata);
        for number in 1..=1000 {
            assert_eq!(builder.find(address(number)), Some(NodeId(number as u32)));
            builder.begin_edges();
            for edge in 0..number {
                let label = Label::Index(edge as i64);
                builder
                    .edge(NodeId(edge as u32), label, Strength::Strong)
                    .unwrap();
            }
            builder.end_edges(NodeId(number as u32)).unwrap();
        }
        let heap = builder.finish(Provenance::default()).unwrap();
        assert_eq!((heap.node_count(), heap.edge_count()), (1001, 500_500));
        for node in heap.nodes().skip(1) {
            let number = u64::from(node.0);
            let (kind, count) = match number % 90 {
                0 => (Kind::Userdata, 7),
                _ => (Kind::Table, 0),
            };
            assert_eq!((heap.kind(node), heap.count(node)), (kind, count));
            assert_eq!(heap.address(node), address(number));
            assert_eq!(
                heap.size(node),
                if number % 100 == 0 { huge } else { number }
            );
            assert_eq!(heap.source(node), number.to_string().as_bytes());
            assert_eq!(heap.edges(node).len() as u64, number);
            let mut edges = heap.edges(node).zip(0..);
            assert!(edges.all(|(edge, at)| {
                edge.target == NodeId(at) && edge.label == Label::Index(i64::from(at))
            }));
        }
    }
}
