//! What the writers write, byte for byte.

mod engines;
mod file;
mod fixture;
mod json;
mod luasnap;
mod random_heap;
mod report;
mod steps;
mod text;
