//! The object graph of a Lua heap and its analyses.
//!
//! Pure: this crate never touches a VM and does no I/O. The capture crate builds a [`Heap`]
//! through a [`HeapBuilder`]; the analyses answer from its flat columns.

#![forbid(unsafe_code)]

mod address_map;
mod builder;
mod error;
mod grow;
mod heap;
mod kind;
mod label;
mod name;
mod node;
mod strength;

pub use address_map::AddressMap;
pub use builder::HeapBuilder;
pub use error::BuildError;
pub use heap::{Edge, Heap};
pub use kind::Kind;
pub use label::Label;
pub use name::{NameId, Names};
pub use node::NodeId;
pub use strength::Strength;
