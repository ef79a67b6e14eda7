//! Everything that touches a Lua VM, and all the project's `unsafe`.
//!
//! [`Module`] makes a Lua module of safe functions; [`Call::capture_whole`] reads the heap of the VM
//! that calls, by the native engine where that proves itself, else by the portable one.

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the C API tables are written for the 64-bit ABIs of x86-64 and AArch64");

mod activation;
mod allocator;
mod api;
mod argument;
mod call;
mod collector;
mod coroutine_library;
mod entries;
mod entry_point;
mod global_state;
mod handle;
mod interpreter;
mod mode;
mod module;
mod moment;
mod native;
mod options;
mod portable;
pub mod process;
mod reserve;
mod resolve;
mod signals;
mod slot;
mod slot_text;
mod stack_slots;
mod state;
mod static_program;
mod stdout;
mod value;
mod version;

pub use allocator::ColumnAllocator;
pub use api::LuaState;
pub use call::{Call, Error, Return};
pub use interpreter::{Chunk, Interpreter};
pub use module::{Function, Module, open};
pub use signals::end_cleanly;
pub use stdout::CStdout;
pub use value::Value;
pub use version::Version;
