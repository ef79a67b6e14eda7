//! The Luas that the hosts are built from.

use std::path::Path;

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
            Vm::Lua51 => env!("HOST_INTERPRETER_5_1"),
            Vm::Lua52 => env!("HOST_INTERPRETER_5_2"),
            Vm::Lua53 => env!("HOST_INTERPRETER_5_3"),
            Vm::Lua54 => env!("HOST_INTERPRETER_5_4"),
            Vm::Lua55 => env!("HOST_INTERPRETER_5_5"),
            Vm::LuaJit => env!("HOST_INTERPRETER_jit"),
        })
    }

    /// The interpreter that aborts when the C API is misused.
    pub fn checked_interpreter(self) -> &'static Path {
        Path::new(match self {
            Vm::Lua51 => env!("HOST_INTERPRETER_5_1_checked"),
            Vm::Lua52 => env!("HOST_INTERPRETER_5_2_checked"),
            Vm::Lua53 => env!("HOST_INTERPRETER_5_3_checked"),
            Vm::Lua54 => env!("HOST_INTERPRETER_5_4_checked"),
            Vm::Lua55 => env!("HOST_INTERPRETER_5_5_checked"),
            Vm::LuaJit => env!("HOST_INTERPRETER_jit_checked"),
        })
    }

    /// An interpreter in a busy program, whose locks are taken at the moment of a `clone`: see `crowd.c`.
    pub fn crowded_interpreter(self) -> &'static Path {
        Path::new(match self {
            Vm::Lua51 => env!("HOST_CROWD_5_1"),
            Vm::Lua52 => env!("HOST_CROWD_5_2"),
            Vm::Lua53 => env!("HOST_CROWD_5_3"),
            Vm::Lua54 => env!("HOST_CROWD_5_4"),
            Vm::Lua55 => env!("HOST_CROWD_5_5"),
            Vm::LuaJit => env!("HOST_CROWD_jit"),
        })
    }

    /// The VM as a shared library, for [`local`](crate::local).
    pub fn shared_library(self) -> &'static Path {
        Path::new(match self {
            Vm::Lua51 => env!("HOST_LIBRARY_5_1"),
            Vm::Lua52 => env!("HOST_LIBRARY_5_2"),
            Vm::Lua53 => env!("HOST_LIBRARY_5_3"),
            Vm::Lua54 => env!("HOST_LIBRARY_5_4"),
            Vm::Lua55 => env!("HOST_LIBRARY_5_5"),
            Vm::LuaJit => env!("HOST_LIBRARY_jit"),
        })
    }

    /// A statically linked program with the VM: `static SCRIPT`, without arguments and without the
    /// table `host`. `None` if the system has no static libc.
    pub fn static_program(self) -> Option<&'static Path> {
        let path = match self {
            Vm::Lua51 => env!("HOST_STATIC_5_1"),
            Vm::Lua52 => env!("HOST_STATIC_5_2"),
            Vm::Lua53 => env!("HOST_STATIC_5_3"),
            Vm::Lua54 => env!("HOST_STATIC_5_4"),
            Vm::Lua55 => env!("HOST_STATIC_5_5"),
            Vm::LuaJit => env!("HOST_STATIC_jit"),
        };
        (!path.is_empty()).then(|| Path::new(path))
    }
}
