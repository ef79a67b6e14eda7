//! Heaps and answers as text, JSON and files.
//!
//! Every writer streams: beyond one small buffer, what it writes is never held in memory.

#![forbid(unsafe_code)]

mod answer_error;
mod digits;
mod file;
mod group_name;
mod group_row;
mod growth;
mod heapsnapshot;
mod json;
mod json_string;
mod lookup;
mod luasnap;
mod nearness;
mod numbers;
mod path;
mod printable;
mod reason;
mod report;
mod row;
mod short_chain;
mod sink;
mod step;
mod target;
mod text;
mod who_holds;

pub use answer_error::AnswerError;
pub use file::{
    FileError, FileOptions, Written, readable_by_others, remove_temporary_file, write_file,
};
pub use group_name::{fingerprint_text, group_name};
pub use group_row::{GroupRow, top};
pub use growth::{GrowthAnswer, GrowthError, GrowthRow, SuspectRow, growth};
pub use heapsnapshot::write_heapsnapshot;
pub use json::{write_json, write_json_indented};
pub use json_string::readable_json;
pub use lookup::{LookupError, address_of, object_at, object_by_chain};
pub use luasnap::{
    LoadError, OpenError, Problem, SaveOptions, open_snapshot, read_snapshot, write_snapshot,
};
pub use numbers::{byte_size, grouped};
pub use printable::{printable, printable_path};
pub use reason::reason;
pub use report::{ReportOptions, write_report};
pub use row::object_name;
pub use short_chain::chain_of_everything;
pub use target::{Target, TargetError, find_target};
pub use text::write_text;
pub use who_holds::{HeldBy, Keeper, WhoHolds, WhoHoldsOptions, who_holds};
