//! What the writers write, byte for byte.

mod engines;
mod file;
mod fixture;
mod group_name;
mod json;
mod report;
mod steps;
mod text;
