//! The analyses against naive oracles on random graphs, and in shapes that break careless ones.

mod census;
mod chain;
mod columns;
mod difference;
mod everything;
mod graph;
mod group;
mod identity;
mod view;
