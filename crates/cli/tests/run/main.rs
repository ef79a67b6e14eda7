//! `luasnap run`, as a user calls it.

mod embedded;
mod examples;
mod installed;
#[path = "../program/mod.rs"]
mod program;
mod signals;
mod symbols;
