//! How a change is written down.

use crate::mutants::mutant::Change;

/// A change: its name, what kind it is, and what stands instead of what in which file. A release that
/// has other words is left as it is; nothing stands for the end of a file.
pub type Meaning = (&'static str, Change, &'static [Replacement]);
/// What stands in a file, and what is to stand there.
pub type Replacement = (&'static str, &'static str, &'static str);

/// Where a file ends.
pub const END: &str = "";
