//! The object graph of a Lua heap and its analyses.
//!
//! Pure: this crate never touches a VM and does no I/O. The capture crate builds a [`Heap`]
//! through a [`HeapBuilder`]; the analyses answer from its flat columns.

#![forbid(unsafe_code)]

mod build;
mod columns;
mod compare;
mod count;
mod dominators;
mod graph;
mod groups;
mod printable;
mod reach;
mod snapshot;

pub use build::objects_view::objects_view;
pub use build::sweep_builder::SweepBuilder;
pub use build::walk_builder::{HeapBuilder, OpenEdges};
pub use columns::{ColumnError, Columns, LARGE_SIZE, StoredColumns, StoredDifference};
pub use compare::difference::{decrease, increase};
pub use compare::growth::{CompareError, GroupGrowth, Growth};
pub use compare::suspect::Suspect;
pub use count::census::{Census, KindCensus};
pub use count::waste::{Duplicates, RepeatedText, SparseTables, Waste, WastedSlots};
pub use dominators::dominator_tree::Dominators;
pub use graph::allocation_order::{AllocationOrder, Mark, Run, RunOrder};
pub use graph::birthmark::Birthmark;
pub use graph::change::Change;
pub use graph::error::BuildError;
pub use graph::heap::{Edge, Heap};
pub use graph::kind::Kind;
pub use graph::label::{Label, PackedLabel};
pub use graph::name::{NameId, Names};
pub use graph::node::NodeId;
pub use graph::provenance::{Engine, Process, Provenance};
pub use graph::sparse_table::{SlotSizes, SparseTable};
pub use graph::strength::Strength;
pub use graph::tally::Tally;
pub use groups::class::ClassName;
pub use groups::coroutine::coroutine_body;
pub use groups::fingerprint::Fingerprint;
pub use groups::group::{Group, GroupName, GroupOrder, Groups};
pub use groups::path_pattern::{GroupStep, PathPatterns, PatternId};
pub use groups::path_start::PathStarts;
pub use printable::{Printable, is_printable};
pub use reach::disjoint_paths::{DisjointPath, disjoint_paths};
pub use reach::reach::{Reach, Through};
pub use reach::retainers::{Retainer, retainers_of};
pub use reach::shortest_path_tree::{Rank, ShortestPathTree};
pub use reach::walk::{Visit, Walk};
pub use snapshot::Snapshot;
