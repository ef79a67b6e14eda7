//! `luasnap run`, as a user calls it.

mod embedded;
mod examples;
mod installed;
mod program;
mod symbols;
