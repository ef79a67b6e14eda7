//! Heaps and answers as text, JSON and files.
//!
//! Every writer streams: beyond one small buffer, what it writes is never held in memory.

#![forbid(unsafe_code)]

mod digits;
mod file;
mod group_name;
mod json;
mod json_string;
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
pub use group_name::{fingerprint_text, group_name};
pub use json::{write_json, write_json_indented};
pub use reason::reason;
pub use report::{ReportOptions, write_report};
pub use short_chain::chain_of_everything;
pub use text::write_text;
