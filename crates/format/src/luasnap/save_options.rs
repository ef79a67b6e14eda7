//! What of a snapshot goes into its file.

/// What of a snapshot goes into its file.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct SaveOptions {
    /// The texts of strings. Without them nothing of a string that is a value goes into the file;
    /// one that is a table's key as well is a name.
    pub strings: bool,
    /// The names by which things are held and the sources of code. Without them a number stands in
    /// the place of each: `key#17`.
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
