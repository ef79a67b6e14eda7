//! What the writers write, byte for byte.

mod engines;
mod file;
mod fixture;
mod heapsnapshot;
mod json;
mod report;
mod steps;
mod text;
