//! The module in all six VMs.
//!
//! What a script alone can tell is in `tests/lua`: each states what it expects by assertions, and
//! runs in every VM, in the interpreter that people run and in the one that aborts when the C API
//! is misused. What is printed is in `tests/golden`: scripts that need nothing but a Lua, and what
//! they write. The rest needs a look from outside, and is here.

mod engines;
mod golden;
mod hosts;
mod json;
mod limits;
mod saved;
mod scripts;
mod support;
