//! The columns of a heap for storing, and a heap from stored columns.
//!
//! Stored columns may be damaged or malicious. So a heap is built only from columns that agree with
//! each other: then no analysis reads out of range.

use crate::graph::allocation_order::{AllocationOrder, Mark, Run};
use crate::graph::change::Change;
use crate::graph::environment::Environment;
use crate::graph::error::BuildError;
use crate::graph::fallible_vec::{filled, push};
use crate::graph::heap::Heap;
use crate::graph::kind::Kind;
use crate::graph::label::{Label, PackedLabel};
use crate::graph::loaded_code::LoadedCode;
use crate::graph::name::{NameId, Names};
use crate::graph::node::NodeId;
use crate::graph::provenance::Provenance;
use crate::graph::sparse_table::SparseTable;
use crate::graph::thread_state::ThreadState;
use crate::groups::changed_groups::ChangedGroups;
use crate::on_demand::OnDemand;
use crate::reach::shortest_path_tree::ShortestPathTree;
use crate::snapshot::Snapshot;
use luasnap_words::{Sentence, Spoken, displayed_in_english, phrase};
use std::sync::Arc;

/// The columns of a heap, for storing. Those by node begin with the synthetic root.
///
/// The edges of a node are those of its [`edge_range`](Heap::edge_range). The columns may have
/// others that belong to no node.
#[derive(Clone, Copy, Debug)]
pub struct StoredColumns<'a> {
    /// By node: its kind.
    pub kinds: &'a [Kind],
    /// By node: its address.
    pub addresses: &'a [u64],
    /// By node: its shallow size in bytes; [`LARGE_SIZE`] if it does not fit: see [`Heap::size`].
    pub sizes: &'a [u32],
    /// By node: its count.
    pub counts: &'a [u32],
    /// By node: its source.
    pub sources: &'a [NameId],
    /// By edge: its target.
    pub targets: &'a [NodeId],
    /// By edge: its label and its strength.
    pub labels: &'a [PackedLabel],
    /// The labels that do not fit 32 bits, by their places.
    pub wide_labels: &'a [Label],
    /// The names.
    pub names: &'a Names,
    /// The table of globals.
    pub globals: Option<NodeId>,
    /// Whether every node was found by following references from the roots.
    pub all_reached: bool,
    /// The runs of the allocation order, by their starts.
    pub runs: &'a [Run],
    /// The markers in it, by their places.
    pub marks: &'a [Mark],
    /// The tables that keep far more slots than they use, by their nodes.
    pub sparse_tables: &'a [SparseTable],
    /// What the threads are doing, by their nodes.
    pub threads: &'a [ThreadState],
    /// Of an excerpt: the environments at which paths start, by their nodes.
    pub environments: Option<&'a [Environment]>,
    /// Code that was loaded without a name, by its nodes.
    pub loaded_code: &'a [LoadedCode],
}

/// Stands for a size that does not fit the column of sizes.
pub const LARGE_SIZE: u32 = Heap::LARGE;

impl Heap {
    /// Returns the columns, for storing.
    pub fn columns(&self) -> StoredColumns<'_> {
        StoredColumns {
            kinds: &self.kinds,
            addresses: &self.addresses,
            sizes: &self.sizes,
            counts: &self.counts,
            sources: &self.sources,
            targets: &self.targets,
            labels: &self.labels,
            wide_labels: &self.wide_labels,
            names: &self.names,
            globals: self.globals,
            all_reached: self.all_reached,
            runs: &self.order.runs,
            marks: &self.order.marks,
            sparse_tables: &self.sparse_tables,
            threads: &self.threads,
            environments: self.environments.as_deref(),
            loaded_code: &self.loaded_code,
        }
    }
}

/// Why columns do not make a heap.
#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum ColumnError {
    /// Memory ran out, or the heap would be too large.
    Build(#[from] BuildError),
    /// A column is longer or shorter than the others require.
    Length {
        /// The column's contents.
        column: &'static str,
        /// The number of values that it should have.
        expected: u64,
        /// The number of values that it has.
        found: u64,
    },
    /// A value refers to a node, a name or a label that does not exist.
    OutOfRange {
        /// The column's contents.
        column: &'static str,
        /// The index of the value.
        at: usize,
    },
    /// A column is out of order.
    Order {
        /// The column's contents.
        column: &'static str,
    },
    /// The first node is not the synthetic root, or another one is.
    Root,
    /// The sizes add up to 2^63 bytes or more.
    Sizes,
    /// A sparse table uses more slots than it has, or is not a table.
    SparseTable {
        /// The index of the table.
        at: usize,
    },
}

impl Spoken for ColumnError {
    fn sentence(&self) -> Sentence {
        match self {
            ColumnError::Build(error) => error.sentence(),
            ColumnError::Length {
                column,
                expected,
                found,
            } => Sentence::new("column.length")
                .with("column", phrase(column))
                .with("expected", *expected)
                .with("found", *found),
            ColumnError::OutOfRange { column, at } => Sentence::new("column.out_of_range")
                .with("column", phrase(column))
                .with("at", *at),
            ColumnError::Order { column } => {
                Sentence::new("column.order").with("column", phrase(column))
            }
            ColumnError::Root => Sentence::new("column.root"),
            ColumnError::Sizes => Sentence::new("column.sizes"),
            ColumnError::SparseTable { at } => Sentence::new("column.sparse_table").with("at", *at),
        }
    }
}

displayed_in_english!(ColumnError);

/// The columns from which a heap is built. Those by node begin with the synthetic root; all are empty
/// for a heap without any node.
#[derive(Clone, Debug, Default)]
pub struct Columns {
    /// By node: its kind.
    pub kinds: Vec<Kind>,
    /// By node: its address.
    pub addresses: Vec<u64>,
    /// By node: its shallow size in bytes; [`LARGE_SIZE`] for one in `large_sizes`.
    pub sizes: Vec<u32>,
    /// The sizes that do not fit, in bytes, by their nodes.
    pub large_sizes: Vec<(NodeId, u64)>,
    /// By node: its count.
    pub counts: Vec<u32>,
    /// By node: its source.
    pub sources: Vec<NameId>,
    /// By node: its number of edges.
    pub edge_counts: Vec<u32>,
    /// By edge, node by node: its target.
    pub targets: Vec<NodeId>,
    /// By edge: its label and its strength.
    pub labels: Vec<PackedLabel>,
    /// The labels that do not fit 32 bits, by their places.
    pub wide_labels: Vec<Label>,
    /// The names.
    pub names: Names,
    /// The table of globals.
    pub globals: Option<NodeId>,
    /// Whether every node was found by following references from the roots.
    pub all_reached: bool,
    /// The runs of the allocation order, by their starts.
    pub runs: Vec<Run>,
    /// The markers in it, by their places.
    pub marks: Vec<Mark>,
    /// The tables that keep far more slots than they use, by their nodes.
    pub sparse_tables: Vec<SparseTable>,
    /// What the threads are doing, by their nodes.
    pub threads: Vec<ThreadState>,
    /// Of an excerpt: the environments at which paths start, by their nodes.
    pub environments: Option<Vec<Environment>>,
    /// Code that was loaded without a name, by its nodes.
    pub loaded_code: Vec<LoadedCode>,
    /// Where the heap comes from.
    pub provenance: Provenance,
}

impl Columns {
    /// Returns the heap that has these columns.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] says which column does not fit the others.
    pub fn into_heap(self) -> Result<Heap, ColumnError> {
        self.check_lengths()?;
        self.check_nodes()?;
        self.check_edges()?;
        self.check_order()?;
        self.check_sparse_tables()?;
        self.check_threads()?;
        self.check_loaded_code()?;
        self.check_environments()?;
        let mut heap = Heap {
            kinds: self.kinds,
            addresses: self.addresses,
            sizes: self.sizes,
            counts: self.counts,
            sources: self.sources,
            targets: self.targets,
            labels: self.labels,
            wide_labels: self.wide_labels,
            names: Arc::new(self.names),
            globals: self.globals,
            all_reached: self.all_reached,
            order: AllocationOrder {
                runs: self.runs,
                marks: self.marks,
            },
            sparse_tables: self.sparse_tables,
            threads: self.threads,
            loaded_code: self.loaded_code,
            environments: self.environments,
            provenance: self.provenance,
            ..Heap::default()
        };
        for (node, size) in self.large_sizes {
            heap.large_sizes
                .try_reserve(1)
                .map_err(|_| BuildError::OutOfMemory)?;
            heap.set_size(node, size);
        }
        heap.take_edge_counts(self.edge_counts)?;
        Ok(heap)
    }

    fn check_lengths(&self) -> Result<(), ColumnError> {
        let nodes = self.kinds.len() as u64;
        same_length("addresses", self.addresses.len(), nodes)?;
        same_length("sizes", self.sizes.len(), nodes)?;
        same_length("counts", self.counts.len(), nodes)?;
        same_length("sources", self.sources.len(), nodes)?;
        same_length("numbers of references", self.edge_counts.len(), nodes)?;
        let edges: u64 = self.edge_counts.iter().map(|count| u64::from(*count)).sum();
        same_length("targets", self.targets.len(), edges)?;
        same_length("labels", self.labels.len(), edges)?;
        if nodes > u64::from(u32::MAX) {
            return Err(BuildError::TooManyNodes.into());
        }
        if edges > u64::from(u32::MAX) {
            return Err(BuildError::TooManyEdges.into());
        }
        Ok(())
    }

    fn check_nodes(&self) -> Result<(), ColumnError> {
        let mut kinds = self.kinds.iter();
        if kinds.next().is_some_and(|kind| *kind != Kind::Root)
            || kinds.any(|kind| *kind == Kind::Root)
        {
            return Err(ColumnError::Root);
        }
        let names = self.names.len();
        let source_is_there = |source: &NameId| (source.0 as usize) < names;
        all("sources", &self.sources, source_is_there)?;
        all("globals", self.globals.as_slice(), |node| self.has(*node))?;
        self.check_sizes()
    }

    /// Ensures that no analysis overflows when it adds up sizes, with one byte more for each node.
    fn check_sizes(&self) -> Result<(), ColumnError> {
        let is_large = |(node, _): &(NodeId, u64)| {
            self.sizes
                .get(node.index())
                .is_some_and(|size| *size == LARGE_SIZE)
        };
        all("large sizes", &self.large_sizes, is_large)?;
        if !self.large_sizes.is_sorted_by_key(|large| large.0) {
            return Err(ColumnError::Order {
                column: "large sizes",
            });
        }
        let small: u64 = self.sizes.iter().map(|size| u64::from(*size)).sum();
        // A large size takes the place of what stands for it; of several for one node, the last.
        let large = self.large_sizes.chunk_by(|a, b| a.0 == b.0);
        let large = large.filter_map(|same| same.last());
        let sum = large.fold(u128::from(small), |sum, (_, size)| {
            sum - u128::from(LARGE_SIZE) + u128::from(*size)
        });
        (sum < 1 << 63).then_some(()).ok_or(ColumnError::Sizes)
    }

    fn check_edges(&self) -> Result<(), ColumnError> {
        let (names, wide) = (self.names.len(), self.wide_labels.len());
        let is_there = |label: &Label| match *label {
            Label::Object(key) => self.has(key),
            label => label.name().is_none_or(|name| (name.0 as usize) < names),
        };
        all("labels beside", &self.wide_labels, is_there)?;
        all("labels", &self.labels, |label| match label.wide_place() {
            Some(place) => place < wide,
            None => is_there(&label.unpack(&[])),
        })?;
        all("targets", &self.targets, |target| self.has(*target))
    }

    fn check_order(&self) -> Result<(), ColumnError> {
        let nodes = self.kinds.len();
        all("runs", &self.runs, |run| run.start.index() <= nodes)?;
        if !self.runs.is_sorted_by_key(|run| run.start) {
            return Err(ColumnError::Order { column: "runs" });
        }
        all("marks", &self.marks, |mark| {
            let run = mark.run as usize;
            let next = self.runs.get(run + 1);
            self.runs
                .get(run)
                .is_some_and(|run| run.start <= mark.place)
                && next.is_none_or(|next| mark.place <= next.start)
                && mark.place.index() <= nodes
        })?;
        if !self.marks.is_sorted_by_key(|mark| mark.place) {
            return Err(ColumnError::Order { column: "marks" });
        }
        Ok(())
    }

    fn check_sparse_tables(&self) -> Result<(), ColumnError> {
        let is_sparse = |table: &SparseTable| {
            self.kinds.get(table.node.index()) == Some(&Kind::Table)
                && table.array_used <= table.array_slots
                && table.hash_used <= table.hash_slots
        };
        if let Some(at) = self
            .sparse_tables
            .iter()
            .position(|table| !is_sparse(table))
        {
            return Err(ColumnError::SparseTable { at });
        }
        if !self.sparse_tables.is_sorted_by(|a, b| a.node < b.node) {
            return Err(ColumnError::Order {
                column: "sparse tables",
            });
        }
        Ok(())
    }

    fn check_threads(&self) -> Result<(), ColumnError> {
        let names = self.names.len();
        all("threads", &self.threads, |of| {
            let used = [of.place.source, of.function, of.caller.source, of.error];
            self.kinds.get(of.node.index()) == Some(&Kind::Thread)
                && used.iter().all(|name| (name.0 as usize) < names)
        })?;
        if !self.threads.is_sorted_by(|a, b| a.node < b.node) {
            return Err(ColumnError::Order { column: "threads" });
        }
        Ok(())
    }

    fn check_loaded_code(&self) -> Result<(), ColumnError> {
        all("loaded code", &self.loaded_code, |of| {
            let kind = self.kinds.get(of.node.index());
            matches!(kind, Some(Kind::LuaFunction | Kind::Prototype))
        })?;
        if !self.loaded_code.is_sorted_by(|a, b| a.node < b.node) {
            return Err(ColumnError::Order {
                column: "loaded code",
            });
        }
        Ok(())
    }

    fn check_environments(&self) -> Result<(), ColumnError> {
        let environments = self.environments.as_deref().unwrap_or_default();
        all("environments", environments, |of| {
            self.kinds.get(of.node.index()) == Some(&Kind::Table)
                && (of.chunk.0 as usize) < self.names.len()
        })?;
        if !environments.is_sorted_by(|a, b| a.node < b.node) {
            return Err(ColumnError::Order {
                column: "environments",
            });
        }
        Ok(())
    }

    /// Whether `node` exists and is not the synthetic root, which nothing refers to.
    #[inline]
    fn has(&self, node: NodeId) -> bool {
        node != NodeId::ROOT && node.index() < self.kinds.len()
    }
}

fn same_length(column: &'static str, found: usize, expected: u64) -> Result<(), ColumnError> {
    let found = found as u64;
    if found == expected {
        return Ok(());
    }
    Err(ColumnError::Length {
        column,
        expected,
        found,
    })
}

pub(crate) fn all<T>(
    column: &'static str,
    values: &[T],
    is_valid: impl Fn(&T) -> bool,
) -> Result<(), ColumnError> {
    match values.iter().position(|value| !is_valid(value)) {
        Some(at) => Err(ColumnError::OutOfRange { column, at }),
        None => Ok(()),
    }
}

/// The parts of a stored difference besides its heap.
#[derive(Clone, Debug, Default)]
pub struct StoredDifference {
    /// By node: its change.
    pub changes: Vec<Change>,
    /// By node: the number of references to it in the snapshot from which the difference was made.
    pub refs: Vec<u32>,
}

impl Snapshot {
    /// Returns what a difference has besides its heap, for storing; `None` for a whole snapshot.
    ///
    /// # Errors
    ///
    /// [`BuildError::OutOfMemory`] if memory runs out.
    pub fn stored_difference(&self) -> Result<Option<StoredDifference>, BuildError> {
        if !self.is_difference() {
            return Ok(None);
        }
        let mut stored = StoredDifference::default();
        for node in self.everything().nodes() {
            push(&mut stored.changes, self.change(node))?;
            push(&mut stored.refs, self.refs(node)?)?;
        }
        Ok(Some(stored))
    }

    /// Returns a difference from its stored parts, and from the groups that changed, if they were stored.
    ///
    /// # Errors
    ///
    /// [`ColumnError`] says what does not fit the heap.
    pub fn from_stored_difference(
        heap: Heap,
        stored: StoredDifference,
        groups: Option<ChangedGroups>,
    ) -> Result<Snapshot, ColumnError> {
        let nodes = heap.node_count() as u64;
        same_length("changes", stored.changes.len(), nodes)?;
        same_length("counted references", stored.refs.len(), nodes)?;
        let objects = heap.kinds.get(1..).unwrap_or(&[]);
        all("objects of a difference", objects, |kind| kind.is_object())?;
        let root = stored.changes.get(..1).unwrap_or(&[]);
        all("changes", root, |change| *change == Change::None)?;
        let mut tree = ShortestPathTree::new(&heap)?;
        tree.refs = stored.refs;
        let groups = groups.map(OnDemand::made);
        Ok(Snapshot::difference(heap, tree, stored.changes, groups))
    }
}

impl Heap {
    /// Assigns this many of the edges to each node, in order.
    fn take_edge_counts(&mut self, mut counts: Vec<u32>) -> Result<(), BuildError> {
        self.edge_counts = filled(counts.len(), 0)?;
        let mut start = 0;
        for (at, count) in counts.iter_mut().enumerate() {
            let start_of_node = start;
            start += *count;
            self.note_edge_count(NodeId(at as u32), *count)?;
            *count = start_of_node;
        }
        // The column of counts has become the column of starts.
        self.edge_starts = counts;
        Ok(())
    }
}
