//! Everything that touches a Lua VM, and all the project's `unsafe`.
//!
//! A Lua module is safe functions and a symbol:
//!
//! ```
//! use luasnap_capture::{Call, Error, Function, Module, Return, lua_module};
//!
//! fn count(call: &mut Call<'_>) -> Result<Return, Error> {
//!     let heap = call.capture_whole(None)?;
//!     Ok(Return::Count(heap.node_count()))
//! }
//!
//! static COUNTER: Module = Module {
//!     name: "counter",
//!     functions: &[Function::new("count", count)],
//!     metamethods: &[],
//! };
//!
//! lua_module! {
//!     /// Opens the module.
//!     luaopen_counter => crate::COUNTER
//! }
//! # fn main() {}
//! ```
//!
//! Another process is read by its number:
//!
//! ```no_run
//! use luasnap_capture::process::{AttachOptions, attach};
//!
//! let attached = attach(1234, AttachOptions::default())?;
//! println!("{} Lua states", attached.captures.len());
//! # Ok::<(), luasnap_capture::process::AttachError>(())
//! ```
//!
//! [`Module`] makes a Lua module of safe functions; [`Call::capture_whole`] reads the heap of the
//! calling VM, with the native engine where that verifies the layout, else with the portable one.

#[cfg(not(any(target_arch = "x86_64", target_arch = "aarch64")))]
compile_error!("the C API tables are written for the 64-bit ABIs of x86-64 and AArch64");

mod background;
mod capture_time;
mod cgroup;
mod child_memory;
mod column_allocator;
mod layout;
mod lua;
mod machine;
mod memory;
mod module;
mod native;
mod portable;
pub mod process;
mod process_memory;
mod reserve;
mod version;

pub use background::compressor::Compressor;
pub use background::job::{Job, JobFile};
pub use background::report::Failure as JobFailure;
pub use column_allocator::ColumnAllocator;
pub use lua::api::LuaState;
pub use module::c_stdout::CStdout;
pub use module::call::Call;
pub use module::embedded_lua::{Chunk, EmbeddedLua};
pub use module::luaopen::open;
pub use module::module::{Function, Module};
pub use module::result::{Error, Return};
pub use module::signals::{end_cleanly, leave_interrupts, note_signals, signal_noted};
pub use module::value::Value;
pub use version::Version;
