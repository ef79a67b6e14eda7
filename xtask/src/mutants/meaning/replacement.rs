//! The format of a change.

use crate::mutants::mutant::Change;

/// A change: its name, its kind, and its replacements. It is skipped for a release that does not
/// have all of the texts.
pub type Meaning = (&'static str, Change, &'static [Replacement]);
/// A file, a text in it, and the text that replaces it.
pub type Replacement = (&'static str, &'static str, &'static str);

/// Stands for the end of a file.
pub const END: &str = "";
