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
mod chain_start;
mod class;
mod columns;
mod coroutine;
mod depth_first;
mod difference;
mod disjoint_chains;
mod dominator;
mod ephemeron;
mod error;
mod excerpt;
mod fingerprint;
mod generalised_path;
mod generality;
mod group;
mod grow;
mod growth;
mod heap;
mod holder;
mod holding;
mod identity;
mod kind;
mod known_name;
mod label;
mod label_order;
mod lengauer_tarjan;
mod name;
mod node;
mod node_set;
mod path_map;
mod provenance;
mod reach;
mod region_map;
mod retained;
mod snapshot;
mod sparse_table;
mod strength;
mod suspect;
mod sweep;
mod view;
mod walk;
mod waste;

pub use allocation_order::{AllocationOrder, Mark, Run, RunOrder};
pub use builder::{HeapBuilder, OpenEdges};
pub use census::{Census, KindCensus, Tally};
pub use chain::{ChainTree, Rank};
pub use chain_start::ChainStarts;
pub use class::ClassName;
pub use columns::{ColumnError, Columns, LARGE_SIZE, StoredColumns, StoredDifference};
pub use coroutine::coroutine_body;
pub use difference::{decrease, increase};
pub use disjoint_chains::{DisjointChain, disjoint_chains};
pub use dominator::Dominators;
pub use error::BuildError;
pub use fingerprint::Fingerprint;
pub use generalised_path::{GroupStep, PathId, Paths};
pub use group::{Group, GroupName, GroupOrder, Groups};
pub use growth::{CompareError, GroupGrowth, Growth};
pub use heap::{Edge, Heap};
pub use holder::{Holder, holders};
pub use identity::Birthmark;
pub use kind::Kind;
pub use label::{Label, PackedLabel};
pub use name::{NameId, Names};
pub use node::NodeId;
pub use provenance::{Engine, Process, Provenance};
pub use reach::{Reach, Through};
pub use snapshot::{Change, Snapshot};
pub use sparse_table::{SlotSizes, SparseTable};
pub use strength::Strength;
pub use suspect::Suspect;
pub use sweep::SweepBuilder;
pub use view::objects_view;
pub use walk::{Visit, Walk};
pub use waste::{Duplicates, RepeatedText, SparseTables, Waste, WastedSlots};
