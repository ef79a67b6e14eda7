//! Snapshot files, `.luasnap`: the columns of a heap, each compressed in its own way.
//!
//! `docs/luasnap-file.md` describes the file byte for byte. A column goes from `writer` through
//! `numbers` or `edges`, which turn it into small numbers, and `byte_planes` to `block`, which
//! compresses; and back the same way to `reader`.

mod answer_parts;
mod answers;
mod block;
mod byte_planes;
mod edges;
mod error;
mod facts;
mod group_rows;
mod hashed_names;
mod header;
mod label_words;
mod little_endian;
mod memory_bound;
mod numbers;
mod reader;
pub(crate) mod redacted;
mod redaction;
mod save_options;
mod section;
mod title_part;
mod tree_part;
pub(crate) mod two_threads;
mod writer;
mod zigzag;

pub use answer_parts::{FileAnswers, NewAnswers};
pub use answers::{FileIdentity, add_answers};
pub use block::{Compress, NewCompressor};
pub use error::{LoadError, OpenError, Problem};
pub use hashed_names::hash_names;
pub use reader::{open_snapshot, read_snapshot};
pub use save_options::SaveOptions;
pub use title_part::KeptTitles;
pub use writer::{write_snapshot, write_snapshot_in_one_thread};
