//! The analyses against naive oracles on random graphs, and in shapes that break careless ones.

mod census;
mod chain;
mod difference;
mod disjoint_chains;
mod everything;
mod graph;
mod group;
mod holder;
mod identity;
mod view;
mod waste;
