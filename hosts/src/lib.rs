//! Bare Lua interpreters for the tests and benchmarks, built by this package's build script, so
//! that a machine without any Lua can run them all.
//!
//! A test picks a [`Host`] and runs a script in it:
//!
//! ```
//! use luasnap_hosts::{Options, Vm};
//!
//! for vm in Vm::ALL {
//!     let run = vm.run("print(host.vm)", &Options::default());
//!     assert!(run.status.success(), "{run}");
//! }
//! ```
//!
//! Scripts have a global table `host`, which counts allocations and makes them fail, reads the size
//! of the process, and creates values that plain Lua cannot: see `library.c`.

#![forbid(unsafe_code)]

mod host;
mod module;
mod object_names;
mod run;
mod vm;

pub use host::{
    Host, built, built_as_cpp, changed, jit_builds, jit_with_narrow_references, local,
    older_releases, silent, skynet_models, unknown,
};
pub use module::module_dir;
pub use object_names::number_objects;
pub use run::{Options, Run};
pub use vm::Vm;
