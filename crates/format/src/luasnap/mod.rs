//! Snapshot files, `.luasnap`: the columns of a heap, each compressed as suits it.
//!
//! `docs/luasnap-file.md` says what a file has, byte for byte. The way of a column to the file is
//! from `writer` by `numbers` or `edges`, which make small numbers of it, through `planes` to
//! `block`, which compresses; back it is the same from `reader` on.

mod block;
mod claims;
mod edges;
mod error;
mod facts;
mod header;
mod label_words;
mod left_out;
mod little_endian;
mod numbers;
mod planes;
mod reader;
mod section;
mod two_threads;
mod writer;
mod zigzag;

pub use error::{LoadError, OpenError, Problem};
pub use reader::{open_snapshot, read_snapshot};
pub use writer::write_snapshot;

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
