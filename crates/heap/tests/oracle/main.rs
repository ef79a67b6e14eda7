//! The analyses against naive oracles on random graphs, and in shapes that break careless ones.

mod census;
mod chain;
mod columns;
mod difference;
mod disjoint_chains;
mod dominator;
mod everything;
mod graph;
mod group;
mod group_name;
mod growth;
mod holder;
mod identity;
mod program;
mod shape;
mod view;
mod waste;
