//! What the writers write, byte for byte.

mod all_analyses;
mod answers;
#[path = "../../../../fuzz/corpus.rs"]
mod corpus;
mod damaged;
mod dominator_rows;
mod engines;
mod file;
mod file_parts;
mod fixture;
mod fuzz_seeds;
mod fuzzed;
mod group_name;
mod growth_series;
mod heapsnapshot;
mod json;
mod leaks;
mod ledger;
mod lookup;
mod luasnap;
mod page;
mod published;
mod random_heap;
mod report;
mod secrets;
mod steps;
mod text;
