//! What the writers write, byte for byte.

mod engines;
mod file;
mod fixture;
mod heapsnapshot;
mod group_name;
mod json;
mod lookup;
mod luasnap;
mod random_heap;
mod report;
mod steps;
mod text;
