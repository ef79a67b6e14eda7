//! What the writers write, byte for byte.

mod engines;
mod file;
mod fixture;
mod heapsnapshot;
mod json;
mod lookup;
mod report;
mod steps;
mod text;
