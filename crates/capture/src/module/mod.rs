//! A Lua module whose functions are safe Rust.

pub(crate) mod argument;
pub(crate) mod background;
pub(crate) mod c_stdout;
pub(crate) mod call;
pub(crate) mod coroutine_library;
pub(crate) mod driver;
pub(crate) mod embedded_lua;
pub(crate) mod entry_points;
pub(crate) mod frame;
pub(crate) mod luaopen;
pub(crate) mod message;
pub(crate) mod module;
pub(crate) mod options;
pub(crate) mod result;
pub(crate) mod signals;
pub(crate) mod static_program;
pub(crate) mod test_framework;
pub(crate) mod value;
pub(crate) mod vm_slots;
