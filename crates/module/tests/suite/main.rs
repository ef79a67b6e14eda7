//! The module in all six VMs.
//!
//! What a script can check by itself is in `tests/lua`: each states its expectations as assertions,
//! and runs in every VM, in the ordinary interpreter and in the one that aborts when the C API is
//! misused. What is printed is in `tests/golden`: scripts that need only a Lua, and their output.
//! The tests that need a look from outside are here.

mod background;
mod engines;
mod golden;
mod hosts;
mod json;
mod limits;
mod saved;
mod scripts;
mod skynet;
mod support;
