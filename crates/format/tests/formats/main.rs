//! What the writers write, byte for byte.

mod engines;
mod file;
mod fixture;
mod json;
mod lookup;
mod report;
mod steps;
mod text;
