//! Snapshots as Chrome's `.heapsnapshot`, for DevTools' Memory panel and for memlab.
//!
//! The file has a row of numbers for each object, then one for each reference, then the strings.
//! Rows refer to strings by their places. `docs/formats.md` says how objects and references are
//! mapped.

mod class_name;
mod contents;
mod edge_row;
mod node_row;
mod object_id;
mod strings;
mod writer;

pub use writer::write_heapsnapshot;
