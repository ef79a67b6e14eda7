//! LuaJIT: how its objects are listed (`list`), and what each kind of object refers to (a file for
//! each).
//!
//! References have 64 bits or 32 ([`references`]): the sweep is compiled for each.

mod blocks;
mod c_types;
mod cdata;
mod frames;
mod function;
pub(crate) mod global_state;
mod known_prototype;
mod list;
mod local_names;
pub(crate) mod look;
mod prototype;
pub(crate) mod references;
mod root;
mod slots;
mod string;
pub(crate) mod sweep;
mod table;
pub(crate) mod tags;
mod thread;
mod trace;
mod userdata;
mod verify;
