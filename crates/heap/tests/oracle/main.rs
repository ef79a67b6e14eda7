//! The analyses against naive oracles on random graphs, and on shapes that break careless ones.

mod census;
mod columns;
mod coroutine;
mod difference;
mod disjoint_paths;
mod dominator;
mod dominator_children;
mod everything;
mod finalizers;
mod graph;
mod group;
mod group_name;
mod growth;
mod identity;
mod known_trees;
mod owners;
mod path;
mod path_tallies;
mod program;
mod retainer;
mod shape;
mod view;
mod waste;
mod weak_tables;
