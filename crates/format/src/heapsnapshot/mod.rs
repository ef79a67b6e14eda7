//! Snapshots as Chrome's `.heapsnapshot`, for DevTools' Memory panel and for memlab.
//!
//! The file is rows of numbers: a row for each object, then one for each reference, then the strings
//! that both refer to by their place. `docs/formats.md` says what becomes what.

mod class_name;
mod contents;
mod edge_row;
mod node_row;
mod object_id;
mod strings;
mod writer;

pub use writer::write_heapsnapshot;
