//! The verbs that answer questions about snapshot files, as a user calls them.

mod attach;
mod chinese;
mod completions;
#[allow(dead_code, reason = "others leave out some of the memory")]
#[path = "../../../capture/tests/attach/core_file.rs"]
mod core_file;
mod diff;
mod errors;
mod export;
mod exposition;
mod files;
mod growing;
mod help;
mod hostile;
mod info;
mod kept;
mod ledger;
mod man_pages;
mod manual;
mod masked;
mod metrics;
mod monitoring;
mod pasted;
mod path;
mod pipes;
#[path = "../program/mod.rs"]
mod program;
mod ps;
mod recipes;
mod report;
mod safe_files;
mod save;
mod services;
mod sql;
mod standard_output;
mod streams;
mod tables;
mod target;
mod terminal;
#[path = "../../../capture/tests/attach/thirty_two_bit.rs"]
mod thirty_two_bit;
mod top;
mod view;
mod watch;
