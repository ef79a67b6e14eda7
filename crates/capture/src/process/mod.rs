//! The Lua heaps of other processes, and of core files.
//!
//! Another process is only ever read: nothing is written into it, and none of its code is made to run.
//! It stands still while its memory is copied, and goes on before anything else is done with the copy.

mod attach;
mod buffer;
mod copy;
mod error;
mod found_state;
mod lua_processes;
mod pages;
mod refusal;
mod remote_memory;
mod search;
mod stop;

pub use attach::{AttachOptions, Attached, Uncaptured, attach};
pub use error::{AttachError, AttachErrorKind};
pub use found_state::FoundState;
pub use lua_processes::{LuaProcess, lua_processes};
