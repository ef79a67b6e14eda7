//! The analyses against naive oracles on random graphs, and in shapes that break careless ones.

mod chain;
mod difference;
mod graph;
mod group;
