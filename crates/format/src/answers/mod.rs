//! Answers, each computed once as rows for text, JSON and Lua.

pub(crate) mod coroutine;
pub(crate) mod dominator_cells;
pub(crate) mod dominator_level;
pub(crate) mod dominator_rows;
pub(crate) mod field;
pub(crate) mod finding;
pub(crate) mod first_rows;
pub(crate) mod group_name;
pub(crate) mod group_row;
pub(crate) mod growth;
pub(crate) mod growth_series;
pub(crate) mod leak;
pub(crate) mod ledger;
pub(crate) mod name;
pub(crate) mod object_row;
pub(crate) mod owner_row;
pub(crate) mod path_steps;
pub(crate) mod report;
pub(crate) mod retainers;
pub(crate) mod row_order;
pub(crate) mod short_path;
pub(crate) mod state_row;
pub(crate) mod stats;
pub(crate) mod waste;
pub(crate) mod watch_step;
pub(crate) mod weakness;
