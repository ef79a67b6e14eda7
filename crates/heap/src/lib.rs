//! The object graph of a Lua heap and its analyses.
//!
//! Pure: this crate never touches a VM and does no I/O. The capture crate builds a [`Heap`]
//! through a [`HeapBuilder`]; the analyses answer from its flat columns.

#![forbid(unsafe_code)]

mod address_map;
mod allocation_order;
mod builder;
mod census;
mod chain;
mod columns;
mod difference;
mod ephemeron;
mod error;
mod excerpt;
mod group;
mod grow;
mod heap;
mod identity;
mod kind;
mod label;
mod label_order;
mod name;
mod node;
mod node_set;
mod provenance;
mod reach;
mod region_map;
mod snapshot;
mod sparse_table;
mod strength;
mod sweep;
mod view;
mod walk;

pub use allocation_order::{AllocationOrder, Mark, Run, RunOrder};
pub use builder::{HeapBuilder, OpenEdges};
pub use census::{Census, KindCensus, Tally};
pub use chain::{ChainTree, Rank};
pub use columns::{ColumnError, Columns, LARGE_SIZE, StoredColumns, StoredDifference};
pub use difference::{decrease, increase};
pub use error::BuildError;
pub use group::{Group, GroupStep, Groups, PathId};
pub use heap::{Edge, Heap};
pub use identity::Birthmark;
pub use kind::Kind;
pub use label::{Label, PackedLabel};
pub use name::{NameId, Names};
pub use node::NodeId;
pub use provenance::{Engine, Process, Provenance};
pub use reach::{Reach, Through};
pub use snapshot::{Change, Snapshot};
pub use sparse_table::SparseTable;
pub use strength::Strength;
pub use sweep::SweepBuilder;
pub use view::objects_view;
pub use walk::{Visit, Walk};
