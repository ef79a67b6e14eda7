//! What a file of texts has.

/// A text by its code, with `{name}` where an argument goes.
pub(crate) type Text = (&'static str, &'static str);
/// A noun by its English singular: the singular and the plural.
pub(crate) type Noun = (&'static str, (&'static str, &'static str));
