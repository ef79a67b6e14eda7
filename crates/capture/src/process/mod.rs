//! The Lua heaps of other processes, and of core files.
//!
//! Another process is only read: nothing is written to it, and none of its code is run. It is
//! stopped while its memory is copied, and resumes before the copy is examined.

mod attach;
mod buffer;
mod capture;
mod copy;
mod core_error;
mod core_file;
mod core_notes;
mod error;
mod found_state;
mod identity;
mod lua_inside;
mod lua_processes;
mod memory_limits;
mod pages;
mod present_pages;
mod processes_named;
mod program;
#[cfg(target_os = "linux")]
mod ptrace;
#[cfg(not(target_os = "linux"))]
#[path = "elsewhere.rs"]
mod ptrace;
mod refusal;
mod remote_memory;
mod search;
mod shared_memory;
mod standstill;
mod stop;
#[cfg(test)]
mod test_programs;
mod threads;

pub use crate::process_memory::resident;
pub use attach::{AttachOptions, Attached, StateChoice, attach};
pub use capture::{StateCapture, Uncaptured};
pub use core_error::{CoreError, CoreErrorKind};
pub use core_file::read_core;
pub use error::{AttachError, AttachErrorKind};
pub use found_state::FoundState;
pub use identity::{Fate, ProcessIdentity};
pub use lua_inside::{LuaInside, UnreadLua, UnreadReason};
pub use lua_processes::{LuaProcess, lua_process, lua_processes, lua_states};
pub use processes_named::processes_named;
