//! LuaJIT: how its objects are listed (`list`), and what each kind of object refers to (a file for
//! each).
//!
//! Only builds with 64-bit references (GC64) are known. 32-bit ones match no layout, since their
//! global state is elsewhere.

mod blocks;
mod c_types;
mod cdata;
mod frames;
mod function;
pub(crate) mod global_state;
mod header;
mod known_prototype;
mod list;
mod local_names;
pub(crate) mod look;
mod prototype;
mod root;
mod string;
pub(crate) mod sweep;
mod table;
pub(crate) mod tags;
mod thread;
mod trace;
mod userdata;
mod verify;
