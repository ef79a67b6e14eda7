//! Heaps and answers as text, JSON and files.
//!
//! Every writer streams: beyond one small buffer, what it writes is never held in memory.

#![forbid(unsafe_code)]

mod digits;
mod file;
mod json;
mod json_string;
mod luasnap;
mod path;
mod printable;
mod reason;
mod report;
mod row;
mod short_chain;
mod sink;
mod step;
mod text;

pub use file::{FileError, write_file};
pub use json::{write_json, write_json_indented};
pub use luasnap::{
    LoadError, OpenError, Problem, SaveOptions, open_snapshot, read_snapshot, write_snapshot,
};
pub use reason::reason;
pub use report::{ReportOptions, write_report};
pub use text::write_text;
