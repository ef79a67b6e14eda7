//! What a user asks about: resolving words and suggesting similar ones.

pub(crate) mod lookup;
pub(crate) mod query;
pub(crate) mod suggestions;
