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
//! Scripts find a global table `host` there, which counts and fails allocations, reads the size of
//! the process, and makes values that plain Lua cannot: see `library.c`.

#![forbid(unsafe_code)]

mod module;
mod object_names;
mod run;

use std::path::Path;

pub use module::module_dir;
pub use object_names::number_objects;
pub use run::{Options, Run};

/// A Lua virtual machine.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Vm {
    /// PUC Lua 5.1.
    Lua51,
    /// PUC Lua 5.2.
    Lua52,
    /// PUC Lua 5.3.
    Lua53,
    /// PUC Lua 5.4.
    Lua54,
    /// PUC Lua 5.5.
    Lua55,
    /// LuaJIT 2.1.
    LuaJit,
}

impl Vm {
    /// Every VM, oldest first.
    pub const ALL: [Vm; 6] = [
        Vm::Lua51,
        Vm::Lua52,
        Vm::Lua53,
        Vm::Lua54,
        Vm::Lua55,
        Vm::LuaJit,
    ];

    /// "5.1" to "5.5", or "luajit".
    pub fn name(self) -> &'static str {
        match self {
            Vm::Lua51 => "5.1",
            Vm::Lua52 => "5.2",
            Vm::Lua53 => "5.3",
            Vm::Lua54 => "5.4",
            Vm::Lua55 => "5.5",
            Vm::LuaJit => "luajit",
        }
    }

    /// The optimised interpreter, which exports the C API as a real `lua` does.
    pub fn interpreter(self) -> &'static Path {
        Path::new(match self {
            Vm::Lua51 => env!("HOST_INTERPRETER_5.1"),
            Vm::Lua52 => env!("HOST_INTERPRETER_5.2"),
            Vm::Lua53 => env!("HOST_INTERPRETER_5.3"),
            Vm::Lua54 => env!("HOST_INTERPRETER_5.4"),
            Vm::Lua55 => env!("HOST_INTERPRETER_5.5"),
            Vm::LuaJit => env!("HOST_INTERPRETER_jit"),
        })
    }

    /// The interpreter that aborts when the C API is used wrongly.
    pub fn checked_interpreter(self) -> &'static Path {
        Path::new(match self {
            Vm::Lua51 => env!("HOST_INTERPRETER_5.1-checked"),
            Vm::Lua52 => env!("HOST_INTERPRETER_5.2-checked"),
            Vm::Lua53 => env!("HOST_INTERPRETER_5.3-checked"),
            Vm::Lua54 => env!("HOST_INTERPRETER_5.4-checked"),
            Vm::Lua55 => env!("HOST_INTERPRETER_5.5-checked"),
            Vm::LuaJit => env!("HOST_INTERPRETER_jit-checked"),
        })
    }

    /// The VM as a shared library, for [`local`].
    pub fn shared_library(self) -> &'static Path {
        Path::new(match self {
            Vm::Lua51 => env!("HOST_LIBRARY_5.1"),
            Vm::Lua52 => env!("HOST_LIBRARY_5.2"),
            Vm::Lua53 => env!("HOST_LIBRARY_5.3"),
            Vm::Lua54 => env!("HOST_LIBRARY_5.4"),
            Vm::Lua55 => env!("HOST_LIBRARY_5.5"),
            Vm::LuaJit => env!("HOST_LIBRARY_jit"),
        })
    }

    /// A program with the VM in it that is linked statically: `static SCRIPT`, without arguments and without
    /// the table `host`. `None` where the system has no static libc.
    pub fn static_program(self) -> Option<&'static Path> {
        let path = match self {
            Vm::Lua51 => env!("HOST_STATIC_5.1"),
            Vm::Lua52 => env!("HOST_STATIC_5.2"),
            Vm::Lua53 => env!("HOST_STATIC_5.3"),
            Vm::Lua54 => env!("HOST_STATIC_5.4"),
            Vm::Lua55 => env!("HOST_STATIC_5.5"),
            Vm::LuaJit => env!("HOST_STATIC_jit"),
        };
        (!path.is_empty()).then(|| Path::new(path))
    }

    /// Runs the Lua source `script` in [`Vm::interpreter`].
    pub fn run(self, script: &str, options: &Options) -> Run {
        Host::Plain(self).run(script, options)
    }
}

/// A program to run scripts in.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Host {
    /// [`Vm::interpreter`].
    Plain(Vm),
    /// [`Vm::checked_interpreter`].
    Checked(Vm),
    /// An older release of PUC Lua: one of [`older_releases`].
    Older(&'static str),
    /// A PUC Lua whose structures were changed: one of [`changed`].
    Changed(&'static str),
    /// A Lua 5.4 which exports nothing: C modules find no API in it.
    Silent,
    /// A Lua 5.4 which says that its version is 599.
    Unknown,
    /// [`local`] with one Lua: nobody sees its API but who asks for that very library.
    Local(Vm),
    /// [`local`] with two Luas side by side: the script runs in the first, in the second, and in
    /// the first again. Both states live until the end.
    Pair(Vm, Vm),
}

/// The program of [`Host::Silent`].
pub fn silent() -> &'static Path {
    Path::new(env!("HOST_SILENT"))
}

/// The program of [`Host::Unknown`].
pub fn unknown() -> &'static Path {
    Path::new(env!("HOST_UNKNOWN"))
}

/// A program without a Lua of its own: `local --lib LIBLUA [--lib LIBLUA...] SCRIPT [ARGS...]`
/// opens libraries of Lua with `RTLD_LOCAL`. It has no global table `host`. With `--reload ROUNDS` before
/// all else it opens and unloads all but the first in turn.
pub fn local() -> &'static Path {
    Path::new(env!("HOST_LOCAL"))
}

/// Interpreters of older releases of PUC Lua, by number.
const OLDER: [(&str, &str); 10] = [
    ("5.3.5", env!("HOST_OLDER_0")),
    ("5.4.0", env!("HOST_OLDER_1")),
    ("5.4.1", env!("HOST_OLDER_2")),
    ("5.4.2", env!("HOST_OLDER_3")),
    ("5.4.3", env!("HOST_OLDER_4")),
    ("5.4.4", env!("HOST_OLDER_5")),
    ("5.4.6", env!("HOST_OLDER_6")),
    ("5.4.7", env!("HOST_OLDER_7")),
    ("5.4.8", env!("HOST_OLDER_8")),
    ("5.5.0", env!("HOST_OLDER_9")),
];

/// Interpreters whose structures were changed, by name: one field more in `Table`, another size
/// of `LUA_EXTRASPACE`; two fields of one size that changed their places.
const CHANGED: [(&str, &str); 15] = [
    ("table-5.1", env!("HOST_CHANGED_0")),
    ("table-5.2", env!("HOST_CHANGED_1")),
    ("table-5.3", env!("HOST_CHANGED_2")),
    ("table-5.4", env!("HOST_CHANGED_3")),
    ("table-5.5", env!("HOST_CHANGED_4")),
    ("space-5.4", env!("HOST_CHANGED_5")),
    ("space-5.5", env!("HOST_CHANGED_6")),
    ("array-5.1", env!("HOST_CHANGED_7")),
    ("array-5.2", env!("HOST_CHANGED_8")),
    ("array-5.3", env!("HOST_CHANGED_9")),
    ("array-5.4", env!("HOST_CHANGED_10")),
    ("array-5.5", env!("HOST_CHANGED_11")),
    ("code-5.4", env!("HOST_CHANGED_12")),
    ("frames-5.4", env!("HOST_CHANGED_13")),
    ("metatable-5.4", env!("HOST_CHANGED_14")),
];

/// The older releases of PUC Lua that there are interpreters of.
pub fn older_releases() -> impl Iterator<Item = &'static str> {
    OLDER.iter().map(|(release, _)| *release)
}

/// The Luas whose structures were changed.
pub fn changed() -> impl Iterator<Item = &'static str> {
    CHANGED.iter().map(|(name, _)| *name)
}

fn program_of(programs: &[(&str, &'static str)], name: &str) -> &'static Path {
    let found = programs.iter().find(|(known, _)| *known == name);
    Path::new(found.unwrap_or_else(|| panic!("there is no {name}")).1)
}
