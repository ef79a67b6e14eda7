//! `luasnap export`: snapshots for other tools, a file for each format that this crate alone has.

mod collapsed;
mod export;
mod pprof;
mod stacks;

pub use export::Export;
