//! What a user asks about, by whatever words: what they mean, and what may have been meant.

pub(crate) mod lookup;
pub(crate) mod query;
pub(crate) mod suggestions;
