//! What a user asks about: resolving words and suggesting similar ones.

pub(crate) mod cut_path;
pub(crate) mod last_part;
pub(crate) mod lookup;
pub(crate) mod lookup_error;
pub(crate) mod name_search;
pub(crate) mod path_end;
pub(crate) mod path_search;
pub(crate) mod pattern;
pub(crate) mod query;
mod shown_step;
pub(crate) mod suggestions;
