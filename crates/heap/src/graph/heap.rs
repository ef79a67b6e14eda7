//! The object graph, in columns.

use crate::graph::allocation_order::AllocationOrder;
use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{held, push, shrink};
use crate::graph::kind::Kind;
use crate::graph::label::{Label, PackedLabel};
use crate::graph::loaded_code::LoadedCode;
use crate::graph::name::{NameId, Names};
use crate::graph::node::NodeId;
use crate::graph::provenance::{Process, ProcessMemory, Provenance};
use crate::graph::sparse_table::SparseTable;
use crate::graph::strength::Strength;
use crate::graph::thread_state::ThreadState;
use rustc_hash::FxHashMap;
use std::sync::Arc;

/// A reference of a [`Heap`].
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Edge {
    /// The object that is referred to.
    pub target: NodeId,
    /// The name of the reference.
    pub label: Label,
    /// Whether the reference keeps its target alive.
    pub strength: Strength,
}

/// The object graph of a Lua heap at one moment. Immutable; made by a
/// [`HeapBuilder`](crate::HeapBuilder) or a [`SweepBuilder`](crate::SweepBuilder).
///
/// Node 0 is the synthetic root ([`NodeId::ROOT`]), whose edges are the VM's roots. The edges of a
/// node are consecutive, in the order in which they were found.
#[derive(Clone, Debug, Default)]
pub struct Heap {
    pub(crate) kinds: Vec<Kind>,
    pub(crate) addresses: Vec<u64>,
    /// Shallow sizes in bytes; [`Heap::LARGE`] stands for one in `large_sizes`.
    pub(crate) sizes: Vec<u32>,
    pub(crate) large_sizes: FxHashMap<NodeId, u64>,
    pub(crate) counts: Vec<u32>,
    pub(crate) sources: Vec<NameId>,
    /// The start of each node's edges.
    pub(crate) edge_starts: Vec<u32>,
    /// The number of edges of each node; [`Heap::MANY`] stands for one in `many_edges`.
    pub(crate) edge_counts: Vec<u8>,
    pub(crate) many_edges: FxHashMap<NodeId, u32>,
    /// The number of edges in the columns that belong to no node: see [`Heap::move_edges`].
    pub(crate) orphaned_edges: usize,
    pub(crate) targets: Vec<NodeId>,
    pub(crate) labels: Vec<PackedLabel>,
    pub(crate) wide_labels: Vec<Label>,
    /// Shared by the views of one heap.
    pub(crate) names: Arc<Names>,
    pub(crate) globals: Option<NodeId>,
    /// Whether every node was found by following references from the roots.
    pub(crate) all_reached: bool,
    pub(crate) order: AllocationOrder,
    /// In the order of their nodes.
    pub(crate) sparse_tables: Vec<SparseTable>,
    /// In the order of their nodes.
    pub(crate) threads: Vec<ThreadState>,
    /// In the order of their nodes.
    pub(crate) loaded_code: Vec<LoadedCode>,
    /// Of an excerpt: the environments at which paths start, in the order of their nodes. Otherwise the code in
    /// the heap tells.
    pub(crate) environments: Option<Vec<Environment>>,
    pub(crate) provenance: Provenance,
    /// The number of nodes that fit before a column grows.
    pub(crate) node_room: usize,
}

impl Heap {
    /// Returns the number of nodes, the synthetic root included. (A heap made by `default` has no node.)
    #[inline]
    pub fn node_count(&self) -> usize {
        self.kinds.len()
    }

    /// Returns the number of edges.
    #[inline]
    pub fn edge_count(&self) -> usize {
        self.targets.len() - self.orphaned_edges
    }

    /// Returns all nodes in order, the synthetic root first.
    pub fn nodes(&self) -> impl ExactSizeIterator<Item = NodeId> + DoubleEndedIterator + use<> {
        (0..self.kinds.len() as u32).map(NodeId)
    }

    /// Returns the node's kind.
    #[inline]
    pub fn kind(&self, node: NodeId) -> Kind {
        self.kinds[node.index()]
    }

    /// Returns the address that Lua's `tostring` shows: of the payload of a userdata, of the code of a light C
    /// function (5.2 and later), else of the object itself.
    #[inline]
    pub fn address(&self, node: NodeId) -> u64 {
        self.addresses[node.index()]
    }

    /// Returns the object's shallow size in bytes, including what only it can own (a table's array and hash
    /// part, a thread's stack). An estimate if the portable engine captured the heap.
    #[inline]
    pub fn size(&self, node: NodeId) -> u64 {
        match self.sizes[node.index()] {
            Self::LARGE => self
                .large_sizes
                .get(&node)
                .copied()
                .unwrap_or(u64::from(Self::LARGE)),
            size => u64::from(size),
        }
    }

    /// Returns the number of a table's entries, the line where a Lua function or a prototype is
    /// defined, or the number of a thread's stack levels. For a string: a number that all strings
    /// with this text share, and no others; 0 if unknown or if there is only one. 0 for all other
    /// nodes.
    #[inline]
    pub fn count(&self, node: NodeId) -> u32 {
        self.counts[node.index()]
    }

    /// Returns the short source of a Lua function (`short_src` in `lua_Debug`), or the text of a
    /// string; empty for all other nodes.
    #[inline]
    pub fn source(&self, node: NodeId) -> &[u8] {
        self.names.get(self.sources[node.index()])
    }

    /// Returns the id of [`source`](Self::source). Equal ids mean equal sources.
    #[inline]
    pub fn source_id(&self, node: NodeId) -> NameId {
        self.sources[node.index()]
    }

    /// Returns the numbers of the node's edges, for [`edge`](Self::edge).
    #[inline]
    pub fn edge_range(&self, node: NodeId) -> std::ops::Range<usize> {
        let start = self.edge_starts[node.index()] as usize;
        let count = match self.edge_counts[node.index()] {
            Self::MANY => self.many_edges.get(&node).copied().unwrap_or(0) as usize,
            count => usize::from(count),
        };
        start..start + count
    }

    /// Whether it has ephemerons.
    pub fn has_ephemerons(&self) -> bool {
        let mut strengths = self.labels.iter().map(|label| label.strength());
        strengths.any(|strength| strength == Strength::Ephemeron)
    }

    /// Returns the node whose edge this is, in a heap whose edges [lie in the order of their
    /// nodes](Self::has_edges_in_order).
    pub(crate) fn source_of(&self, edge: usize) -> NodeId {
        let behind = self
            .edge_starts
            .partition_point(|start| *start as usize <= edge);
        NodeId(behind.saturating_sub(1) as u32)
    }

    /// Whether the edges lie in the order of their nodes, as in a heap that was read from a file.
    pub(crate) fn has_edges_in_order(&self) -> bool {
        self.orphaned_edges == 0 && self.edge_starts.is_sorted()
    }

    /// Returns the GC root with this name, such as `[REGISTRY]` or `[mainthread]`.
    pub fn root_named(&self, name: &[u8]) -> Option<Edge> {
        let mut roots = self.root_range().map(|edge| self.edge(edge));
        roots.find(|edge| matches!(edge.label, Label::Root(id) if self.name(id) == name))
    }

    /// Returns the numbers of the GC roots: the edges of [`NodeId::ROOT`]. Empty in a heap without nodes.
    pub fn root_range(&self) -> std::ops::Range<usize> {
        if self.kinds.is_empty() {
            0..0
        } else {
            self.edge_range(NodeId::ROOT)
        }
    }

    /// Returns the table of globals, if the capture found it. From 5.2 on it is not a GC root itself, but
    /// paths for people start at it.
    pub fn globals(&self) -> Option<NodeId> {
        self.globals
    }

    /// Returns the target of edge number `edge`.
    #[inline]
    pub fn target(&self, edge: usize) -> NodeId {
        self.targets[edge]
    }

    /// Returns the strength of edge number `edge`.
    #[inline]
    pub fn strength(&self, edge: usize) -> Strength {
        self.labels[edge].strength()
    }

    /// Returns the label of edge number `edge`.
    #[inline]
    pub fn label(&self, edge: usize) -> Label {
        self.labels[edge].unpack(&self.wide_labels)
    }

    /// Returns edge number `edge`.
    #[inline]
    pub fn edge(&self, edge: usize) -> Edge {
        Edge {
            target: self.target(edge),
            label: self.label(edge),
            strength: self.strength(edge),
        }
    }

    /// Returns the edges of a node.
    pub fn edges(&self, node: NodeId) -> impl ExactSizeIterator<Item = Edge> + '_ {
        self.edge_range(node).map(|edge| self.edge(edge))
    }

    /// Returns the bytes of a name.
    #[inline]
    pub fn name(&self, name: NameId) -> &[u8] {
        self.names.get(name)
    }

    /// Returns where the heap comes from, and what its VM says about itself.
    pub fn provenance(&self) -> &Provenance {
        &self.provenance
    }

    /// Sets why the native engine could not be used.
    pub fn set_engine_reason(&mut self, reason: String) {
        self.provenance.engine_reason = Some(reason.into());
    }

    /// Sets when the heap was captured, in milliseconds since 1970, in which process, and what the
    /// system said of its memory.
    pub fn set_capture_time(
        &mut self,
        taken_at: Option<u64>,
        process: Option<Process>,
        memory: ProcessMemory,
    ) {
        self.provenance.taken_at = taken_at;
        self.provenance.process = process;
        self.provenance.process_memory = memory;
    }

    /// Returns the heap with other names in the places of its own; `None` unless there are as many. What the names say of
    /// equal names, and of Lua's own, is up to the caller.
    pub fn with_names(mut self, names: Names) -> Option<Heap> {
        let is_as_many = names.len() == self.names.len();
        self.names = Arc::new(names);
        is_as_many.then_some(self)
    }

    /// Sets what the state is called.
    pub fn set_state_name(&mut self, name: Option<String>) {
        self.provenance.state_name = name.map(Into::into);
    }

    /// Sets how many states of the process refer to the objects of others that this one refers to.
    pub fn set_sharers(&mut self, states: u32) {
        if let Some(shared) = &mut self.provenance.shared {
            shared.states = Some(states);
        }
    }

    /// Returns the order in which the VM allocated the objects.
    pub fn allocation_order(&self) -> &AllocationOrder {
        &self.order
    }

    /// Returns the tables that keep far more slots than they use, in the order of their nodes.
    /// Known only in heaps of the native engine, and not in views.
    pub fn sparse_tables(&self) -> &[SparseTable] {
        &self.sparse_tables
    }

    /// Returns the heap with a single GC root, `node`, under this name: only what is reachable from it is
    /// then seen. The heap no longer counts as whole.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out;
    /// [`BuildError::TooManyNames`] and [`BuildError::TooManyEdges`] if the heap is full.
    pub fn rooted_at(mut self, node: NodeId, name: &[u8]) -> Result<Heap, BuildError> {
        let name = match name {
            b"" => NameId::EMPTY,
            name => Arc::make_mut(&mut self.names).add(name)?,
        };
        self.orphaned_edges += self.root_range().len();
        self.many_edges.remove(&NodeId::ROOT);
        let start = self.targets.len();
        self.push_edge(node, Label::Root(name), Strength::Strong)?;
        self.end_edges(NodeId::ROOT, start)?;
        self.globals = None;
        self.provenance.is_whole = false;
        Ok(self)
    }

    /// Returns the bytes of memory that the heap takes.
    pub fn memory(&self) -> usize {
        self.column_memory() + self.names.memory()
    }

    /// Returns the bytes of memory that the heap takes where nothing more was asked for than it has, as when it is read
    /// from a file: the same for each copy of it.
    pub fn least_memory(&self) -> usize {
        let by_node = size_of::<Kind>() + size_of::<u64>() + 3 * size_of::<u32>();
        let by_node = by_node + size_of::<u32>() + size_of::<u8>();
        let by_edge = size_of::<NodeId>() + size_of::<PackedLabel>();
        self.node_count() * by_node
            + self.edge_count() * by_edge
            + size_of_val(&self.wide_labels[..])
            + self.large_sizes.len() * size_of::<(NodeId, u64)>()
            + self.many_edges.len() * size_of::<(NodeId, u32)>()
            + size_of_val(&self.order.runs[..])
            + size_of_val(&self.order.marks[..])
            + size_of_val(&self.sparse_tables[..])
            + size_of_val(&self.threads[..])
            + size_of_val(&self.loaded_code[..])
            + self.names.least_memory()
    }

    /// Returns the bytes of memory that the heap takes without the names, which its views share.
    pub(crate) fn column_memory(&self) -> usize {
        held(&self.kinds)
            + held(&self.addresses)
            + held(&self.sizes)
            + held(&self.counts)
            + held(&self.sources)
            + held(&self.edge_starts)
            + held(&self.edge_counts)
            + held(&self.targets)
            + held(&self.labels)
            + held(&self.wide_labels)
            + self.large_sizes.capacity() * size_of::<(NodeId, u64)>()
            + self.many_edges.capacity() * size_of::<(NodeId, u32)>()
            + self.order.memory()
            + held(&self.sparse_tables)
            + held(&self.threads)
            + held(&self.loaded_code)
            + self.environments.as_ref().map_or(0, held)
    }
}

/// Building a heap.
impl Heap {
    /// Returns a heap that has only the synthetic root.
    pub(crate) fn with_root() -> Heap {
        Heap {
            kinds: vec![Kind::Root],
            addresses: vec![0],
            sizes: vec![0],
            counts: vec![0],
            sources: vec![NameId::EMPTY],
            edge_starts: vec![0],
            edge_counts: vec![0],
            ..Heap::default()
        }
    }

    /// Stands for a size that does not fit its column.
    pub(crate) const LARGE: u32 = u32::MAX;
    /// Stands for a number of edges that does not fit its column.
    const MANY: u8 = u8::MAX;

    /// Sets the node's shallow size in bytes. A size of 4 GiB or more becomes 4 GiB less a byte if
    /// there is no memory to note it.
    #[inline]
    pub(crate) fn set_size(&mut self, node: NodeId, bytes: u64) {
        self.sizes[node.index()] = u32::try_from(bytes).unwrap_or(Self::LARGE);
        if bytes >= u64::from(Self::LARGE) && self.large_sizes.try_reserve(1).is_ok() {
            self.large_sizes.insert(node, bytes);
        }
    }

    /// Adds a node of size 0 and count 0.
    pub(crate) fn push_node(&mut self, kind: Kind, address: u64) -> Result<NodeId, BuildError> {
        let id = u32::try_from(self.kinds.len()).map_err(|_| BuildError::TooManyNodes)?;
        if id == u32::MAX {
            return Err(BuildError::TooManyNodes);
        }
        self.reserve_node()?;
        self.kinds.push(kind);
        self.addresses.push(address);
        self.sizes.push(0);
        self.counts.push(0);
        self.sources.push(NameId::EMPTY);
        self.edge_starts.push(0);
        self.edge_counts.push(0);
        Ok(NodeId(id))
    }

    /// Makes room for `count` more nodes in every column.
    #[inline]
    pub(crate) fn reserve_listed(&mut self, count: usize) -> Result<(), BuildError> {
        match self.node_room < self.kinds.len() + count {
            true => self.grow_node_columns(),
            false => Ok(()),
        }
    }

    /// Adds nodes to the columns that are known while the VM's lists are read, which have
    /// [room](Self::reserve_listed) for them; [`fill_columns`](Self::fill_columns) fills the others for all nodes at
    /// once.
    pub(crate) fn extend_listed(
        &mut self,
        kinds: &[Kind],
        addresses: &[u64],
        sizes: &[u32],
        sources: &[NameId],
    ) {
        self.kinds.extend_from_slice(kinds);
        self.addresses.extend_from_slice(addresses);
        self.sizes.extend_from_slice(sizes);
        self.sources.extend_from_slice(sources);
    }

    /// Fills the columns that [`extend_listed`](Self::extend_listed) left out.
    #[inline(always)]
    pub(crate) fn fill_columns(&mut self) {
        if self.counts.len() != self.kinds.len() {
            self.fill_all();
        }
    }

    #[cold]
    fn fill_all(&mut self) {
        let len = self.kinds.len(); // there is room in all of them
        self.counts.resize(len, 0);
        self.edge_starts.resize(len, 0);
        self.edge_counts.resize(len, 0);
    }

    /// Makes room for exactly this many more nodes.
    pub(crate) fn reserve_nodes(&mut self, more: usize) -> Result<(), BuildError> {
        self.kinds.try_reserve_exact(more)?;
        self.addresses.try_reserve_exact(more)?;
        self.sizes.try_reserve_exact(more)?;
        self.counts.try_reserve_exact(more)?;
        self.sources.try_reserve_exact(more)?;
        self.edge_starts.try_reserve_exact(more)?;
        self.edge_counts.try_reserve_exact(more)?;
        self.node_room = self.kinds.len() + more;
        Ok(())
    }

    /// Makes room for one more node in every column, so that a failure leaves all of them equally
    /// long.
    #[inline]
    fn reserve_node(&mut self) -> Result<(), BuildError> {
        // If reserving failed before, there may be more room than noted.
        if self.node_room <= self.kinds.len() {
            self.grow_node_columns()?;
        }
        Ok(())
    }

    /// Makes room for this many nodes and edges, if memory is available.
    pub(crate) fn expect_sizes(&mut self, nodes: usize, edges: usize) {
        let _ = self.reserve_nodes(nodes);
        let _ = self.targets.try_reserve_exact(edges);
        let _ = self.labels.try_reserve_exact(edges);
    }

    #[cold]
    fn grow_node_columns(&mut self) -> Result<(), BuildError> {
        self.reserve_nodes(self.kinds.len().max(64))
    }

    /// Adds an edge after all others. [`Heap::end_edges`] assigns it to its node.
    #[inline(always)]
    pub(crate) fn push_edge(
        &mut self,
        target: NodeId,
        label: Label,
        strength: Strength,
    ) -> Result<(), BuildError> {
        let packed = self.pack(label, strength)?;
        self.push_packed(target, packed)
    }

    /// Adds an edge with a packed label.
    #[inline(always)]
    pub(crate) fn push_packed(
        &mut self,
        target: NodeId,
        packed: PackedLabel,
    ) -> Result<(), BuildError> {
        if self.labels.len() == self.labels.capacity()
            || self.targets.len() == self.targets.capacity()
        {
            return self.push_packed_and_grow(target, packed);
        }
        self.targets.push(target);
        self.labels.push(packed);
        Ok(())
    }

    #[cold]
    #[inline(never)]
    fn push_packed_and_grow(
        &mut self,
        target: NodeId,
        packed: PackedLabel,
    ) -> Result<(), BuildError> {
        self.labels.try_reserve(1)?;
        push(&mut self.targets, target)?;
        self.labels.push(packed);
        Ok(())
    }

    /// Packs a label, for an edge that is added later.
    #[inline(always)]
    pub(crate) fn pack(
        &mut self,
        label: Label,
        strength: Strength,
    ) -> Result<PackedLabel, BuildError> {
        match PackedLabel::pack(label, strength) {
            Some(packed) => Ok(packed),
            None => self.pack_wide(label, strength),
        }
    }

    /// Assigns all edges from number `start` on to `node`, which had none.
    #[inline]
    pub(crate) fn end_edges(&mut self, node: NodeId, start: usize) -> Result<(), BuildError> {
        self.note_edges(node, start, self.targets.len())
    }

    /// Assigns the edges from number `start` up to, but not including, `end` to `node`, which had none.
    #[inline]
    pub(crate) fn note_edges(
        &mut self,
        node: NodeId,
        start: usize,
        end: usize,
    ) -> Result<(), BuildError> {
        if end > u32::MAX as usize {
            return Err(BuildError::TooManyEdges);
        }
        self.edge_starts[node.index()] = start as u32;
        self.note_edge_count(node, (end - start) as u32)
    }

    /// Sets the number of the node's edges.
    #[inline]
    pub(crate) fn note_edge_count(&mut self, node: NodeId, count: u32) -> Result<(), BuildError> {
        if count >= u32::from(Self::MANY) {
            return self.note_many_edges(node, count);
        }
        self.edge_counts[node.index()] = count as u8;
        Ok(())
    }

    #[cold]
    fn note_many_edges(&mut self, node: NodeId, count: u32) -> Result<(), BuildError> {
        self.many_edges
            .try_reserve(1)
            .map_err(|_| BuildError::OutOfMemory)?;
        self.many_edges.insert(node, count);
        self.edge_counts[node.index()] = Self::MANY;
        Ok(())
    }

    /// Moves the node's edges after all others, so that more can follow, and returns their new
    /// start. Their old places stay unused.
    pub(crate) fn move_edges(&mut self, node: NodeId) -> Result<usize, BuildError> {
        let range = self.edge_range(node);
        let start = self.targets.len();
        self.targets.try_reserve(range.len())?;
        self.labels.try_reserve(range.len())?;
        self.targets.extend_from_within(range.clone());
        self.labels.extend_from_within(range.clone());
        self.orphaned_edges += range.len();
        Ok(start)
    }

    #[cold]
    fn pack_wide(&mut self, label: Label, strength: Strength) -> Result<PackedLabel, BuildError> {
        let place = self.wide_labels.len();
        let packed = PackedLabel::wide(place, strength).ok_or(BuildError::TooManyEdges)?;
        push(&mut self.wide_labels, label)?;
        Ok(packed)
    }

    /// Gives back unused capacity.
    pub(crate) fn shrink(&mut self) {
        self.node_room = 0;
        shrink(&mut self.kinds);
        shrink(&mut self.addresses);
        shrink(&mut self.sizes);
        shrink(&mut self.counts);
        shrink(&mut self.sources);
        shrink(&mut self.edge_starts);
        shrink(&mut self.edge_counts);
        shrink(&mut self.targets);
        shrink(&mut self.labels);
        shrink(&mut self.wide_labels);
        shrink(&mut self.sparse_tables);
        shrink(&mut self.threads);
        shrink(&mut self.loaded_code);
    }
}
