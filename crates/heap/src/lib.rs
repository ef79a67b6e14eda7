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
mod depth_first;
mod difference;
mod dominator;
mod ephemeron;
mod error;
mod excerpt;
mod group;
mod grow;
mod heap;
mod holding;
mod identity;
mod kind;
mod label;
mod label_order;
mod lengauer_tarjan;
mod name;
mod node;
mod node_set;
mod provenance;
mod reach;
mod region_map;
mod retained;
mod snapshot;
mod sparse_table;
mod strength;
mod sweep;
mod view;
mod walk;

pub use allocation_order::{AllocationOrder, Run, RunOrder};
pub use builder::{HeapBuilder, OpenEdges};
pub use census::{Census, KindCensus, Tally};
pub use chain::{ChainTree, Rank};
pub use difference::{decrease, increase};
pub use dominator::Dominators;
pub use error::BuildError;
pub use group::{Group, GroupStep, Groups, PathId};
pub use heap::{Edge, Heap};
pub use identity::Birthmark;
pub use kind::Kind;
pub use label::Label;
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
