//! Attaching to real processes: the Lua hosts, each running a script.

mod heaps;
mod target;
