//! The object graph: its columns, their values, and the maps and lists for building it.

pub(crate) mod address_map;
pub(crate) mod allocation_order;
pub(crate) mod birthmark;
pub(crate) mod change;
pub(crate) mod code_shapes;
pub(crate) mod environment;
pub(crate) mod error;
pub(crate) mod fallible_vec;
pub(crate) mod heap;
pub(crate) mod kind;
pub(crate) mod label;
pub(crate) mod label_order;
pub(crate) mod loaded_code;
pub(crate) mod name;
pub(crate) mod node;
pub(crate) mod node_set;
pub(crate) mod prefetch;
pub(crate) mod provenance;
pub(crate) mod region_map;
pub(crate) mod shared_sort;
pub(crate) mod sparse_table;
pub(crate) mod strength;
pub(crate) mod tally;
pub(crate) mod thread_state;
pub(crate) mod thread_states;
