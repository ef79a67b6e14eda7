//! Heaps and answers as text, JSON and files.
//!
//! * Answers, as rows: [`top`], [`top_owners`], [`growth`], [`leaks`], [`retainers`], [`Stats`], [`waste`]. [`resolve`] finds what a user
//!   asks about.
//! * Text and JSON of a snapshot: [`write_text`], [`write_report`], [`write_json`].
//! * Files: [`write_snapshot`] and [`open_snapshot`] for `.luasnap`, [`write_heapsnapshot`] for Chrome DevTools
//!   and memlab, [`Page`] for a browser.
//!
//! Writers of text and JSON stream: they hold no more than one small buffer in memory.
//!
//! # Examples
//!
//! ```
//! use luasnap_heap::{GroupOrder, HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
//! # fn main() -> Result<(), Box<dyn std::error::Error>> {
//! // `_G.cache` is a table of 100 bytes.
//! let mut builder = HeapBuilder::new();
//! let (globals, _) = builder.node(Kind::Table, 0x10)?;
//! let (cache, _) = builder.node(Kind::Table, 0x20)?;
//! builder.set_size(cache, 100);
//! let root = Label::Root(builder.name(b"_G")?);
//! let field = Label::Field(builder.name(b"cache")?);
//! builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
//! builder.edge(globals, cache, field, Strength::Strong)?;
//! let snapshot = Snapshot::new(builder.finish()?);
//!
//! let top = luasnap_format::top(&snapshot, GroupOrder::Retained, 10)?;
//! assert_eq!(top.groups[0].name, "_G.cache");
//! assert_eq!(luasnap_format::byte_size(top.groups[0].retained), "100 B");
//! # Ok(())
//! # }
//! ```

#![forbid(unsafe_code)]

mod answer_error;
mod answers;
mod file;
mod heapsnapshot;
mod json;
mod labels;
mod luasnap;
mod page;
mod query;
mod sink;
mod text;

pub use answer_error::AnswerError;
pub use answers::coroutine::{CoroutineRow, status_words};
pub use answers::dominator_level::{DominatorLevel, LevelRows, RowId, RowTarget};
pub use answers::dominator_rows::{DominatorRow, DominatorRows, RowGrowth};
pub use answers::first_rows::FirstRows;
pub use answers::group_facts::{GroupFacts, largest_groups};
pub use answers::group_name::{fingerprint_text, group_name};
pub use answers::group_row::GroupRow;
pub use answers::group_shares::GroupShares;
pub use answers::group_title::{GroupTitle, GroupTitles};
pub use answers::growth::{GrowthAnswer, GrowthError, GrowthRow, SuspectRow, duration, growth};
pub use answers::growth_series::GrowthSeries;
pub use answers::info::Info;
pub use answers::leak::{Allowed, LeakRow, leaks};
pub use answers::ledger::{Ledger, LedgerChange, SharedRow};
pub use answers::name::Name;
pub use answers::object_facts::{HeapFacts, ObjectFacts, PathPlace, ReferenceFacts};
pub use answers::object_row::{ObjectRow, SlotsRow};
pub use answers::owner_row::{
    OwnerRow, SharersRow, TopOwners, owner_kind, owner_kind_words, top_owners,
};
pub use answers::path_tree::{PathTreeRow, path_tree, path_tree_of_growth};
pub use answers::rate_row::RateRow;
pub use answers::report::{Report, ReportOf, ReportRow, ResizedRow, report};
pub use answers::retainers::{
    KeeperRow, RetainerRow, Retainers, RetainersOptions, retainers, retainers_by_titles,
};
pub use answers::row_order::RowOrder;
pub use answers::short_path::path_of_everything;
pub use answers::state_row::{LargestGroup, StateRow};
pub use answers::stats::{KindRow, Stats, Sum};
pub use answers::stored_growth::GrowthQuestion;
pub use answers::top::{Top, TopTable, top};
pub use answers::waste::{
    DuplicateStrings, RepeatedTextRow, SparseTableList, SparseTableRow, WasteAnswer, waste,
};
pub use answers::watch_step::{StopTimes, WatchStep};
pub use answers::weakness::{WeaknessRow, weakness};
pub use file::{
    FileError, FileOptions, FileToBe, Written, check_publishable, check_writable,
    is_standard_output, publish_file, readable_by_others, remove_left_name, remove_temporary_file,
    write_file,
};
pub use heapsnapshot::write_heapsnapshot;
pub use json::json_string::readable_json;
pub use json::object_tree::{write_json, write_json_indented};
pub use labels::block::block_words;
pub use labels::cut::fit;
pub use labels::numbers::{byte_size, count_of, entries_of, grouped};
pub use labels::object_label::object_name;
pub use labels::printable::{printable, printable_path};
pub use luasnap::two_threads::both;
pub use luasnap::{
    Compress, FileAnswers, FileIdentity, KeptTitles, LoadError, NewAnswers, NewCompressor,
    OpenError, Problem, SaveOptions, add_answers, hash_names, open_snapshot, read_snapshot,
    write_snapshot, write_snapshot_in_one_thread,
};
pub use page::options::{PageError, PageOptions, PageSnapshot};
pub use page::page::Page;
pub use query::lookup::{address_of, object_at, object_by_path};
pub use query::lookup_error::LookupError;
pub use query::name_search::{NameHit, NameSearch};
pub use query::query::{Query, QueryError, resolve, resolve_object};
pub use text::leaks::leak_text;
pub use text::object_table::write_text;
pub use text::report::{ReportOptions, write_report};
