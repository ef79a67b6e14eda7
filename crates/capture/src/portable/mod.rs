//! The portable engine: a walk through the C API, on any VM that has one.
//!
//! The API cannot push an object by its address, so what waits to be walked waits in a Lua table.
//! To keep that table small the walk descends a few levels on the Lua stack before it queues. The
//! caller stops the collector meanwhile, and only raw access is used, so no metamethod and no user
//! code runs.
//!
//! Everything in this module runs in protected mode and may be left by a raise at any API call that
//! is marked so: its frames own nothing, and all memory belongs to the [`Walk`](walk::Walk)
//! outside.

mod ephemerons;
mod frames;
mod function;
mod label;
mod label_cache;
mod root;
mod table;
mod thread;
mod thread_scratch;
mod userdata;
pub(crate) mod walk;
mod weak;
