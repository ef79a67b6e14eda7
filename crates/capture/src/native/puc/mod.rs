//! PUC Lua: how its objects are listed (`list`), and what each kind of object refers to (a file for
//! each).

mod call_verify;
pub(crate) mod extra_space;
mod foreign;
mod function;
pub(crate) mod global_state;
pub(super) mod header;
mod known_prototype;
mod list;
pub(crate) mod look;
mod number_keys;
mod number_width;
mod prototype;
mod root;
mod stack;
mod string;
pub(crate) mod sweep;
mod table;
mod table_slots;
pub(crate) mod tags;
mod thread;
mod userdata;
mod verify;
mod whose;
