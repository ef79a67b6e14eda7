//! The Lua module `snapshot`: arguments in, results out.
//!
//! Lua opens it through `luaopen_snapshot`; `luasnap` is linked with the same functions:
//!
//! ```
//! let names: Vec<&str> = snapshot::MODULE.functions.iter().map(|function| function.name).collect();
//! assert_eq!(names[..2], ["snapshot", "print"]);
//! ```

mod arguments;
mod background;
mod check;
mod failure;
mod files;
mod functions;
mod growth;
mod lua_value;
mod page;
mod retainers;
mod top;

use luasnap_capture::{ColumnAllocator, Module, lua_module};

#[global_allocator]
static ALLOCATOR: ColumnAllocator = ColumnAllocator;

/// The module.
pub static MODULE: Module = Module {
    name: "snapshot",
    functions: functions::FUNCTIONS,
    metamethods: functions::METAMETHODS,
};

lua_module! {
    /// Opens the module: pushes its table, or raises an error if the VM is not supported.
    luaopen_snapshot => crate::MODULE
}
