//! Snapshot files, `.luasnap`: the columns of a heap, each compressed as suits it.
//!
//! `docs/luasnap-file.md` says what a file has, byte for byte. The way of a column to the file is
//! from `writer` by `numbers` or `edges`, which make small numbers of it, through `planes` to
//! `block`, which compresses; back it is the same from `reader` on.

mod block;
mod byte_planes;
mod edges;
mod error;
mod facts;
mod header;
mod label_words;
mod little_endian;
mod memory_bound;
mod numbers;
mod reader;
mod redaction;
mod save_options;
mod section;
mod two_threads;
mod writer;
mod zigzag;

pub use error::{LoadError, OpenError, Problem};
pub use reader::{open_snapshot, read_snapshot};
pub use save_options::SaveOptions;
pub use writer::write_snapshot;
