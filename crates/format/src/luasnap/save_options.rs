//! Options for saving.

/// What goes into a snapshot file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SaveOptions {
    /// Whether to write the texts of strings. A string that is also the key of a table counts as a name.
    pub strings: bool,
    /// Whether to write the names of keys, variables and sources. If not, each is replaced by a number:
    /// `key#17`.
    pub names: bool,
}

impl Default for SaveOptions {
    fn default() -> Self {
        SaveOptions {
            strings: true,
            names: true,
        }
    }
}
