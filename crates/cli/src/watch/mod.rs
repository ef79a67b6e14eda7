//! `luasnap watch`: attaches to a process again and again, and shows what grows.

mod end;
mod options;
mod output;
mod watching;

pub use options::Watch;
