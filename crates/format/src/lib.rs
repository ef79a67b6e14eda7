//! Heaps and answers as text, JSON and files.
//!
//! Every writer streams: beyond one small buffer, what it writes is never held in memory.

#![forbid(unsafe_code)]

mod answer_error;
mod answers;
mod file;
mod heapsnapshot;
mod json;
mod labels;
mod luasnap;
mod query;
mod reason;
mod sink;
mod text;

pub use answer_error::AnswerError;
pub use answers::group_name::{fingerprint_text, group_name};
pub use answers::group_row::{GroupRow, Top, top};
pub use answers::growth::{GrowthAnswer, GrowthError, GrowthRow, SuspectRow, growth};
pub use answers::name::Name;
pub use answers::retainers::{KeeperRow, RetainerRow, Retainers, RetainersOptions, retainers};
pub use answers::short_path::path_of_everything;
pub use answers::stats::{KindRow, Stats, Sum};
pub use answers::waste::{
    DuplicateStrings, RepeatedTextRow, SparseTableList, SparseTableRow, WasteAnswer, waste,
};
pub use file::{
    FileError, FileOptions, Written, readable_by_others, remove_temporary_file, write_file,
};
pub use heapsnapshot::write_heapsnapshot;
pub use json::json_string::readable_json;
pub use json::object_tree::{write_json, write_json_indented};
pub use labels::numbers::{byte_size, count_of, grouped};
pub use labels::object_label::object_name;
pub use labels::printable::{printable, printable_path};
pub use luasnap::{
    LoadError, OpenError, Problem, SaveOptions, open_snapshot, read_snapshot, write_snapshot,
};
pub use query::lookup::{LookupError, address_of, object_at, object_by_path};
pub use query::query::{Query, QueryError, resolve};
pub use reason::reason;
pub use text::object_table::write_text;
pub use text::report::{ReportOptions, write_report};
