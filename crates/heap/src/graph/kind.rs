//! Kinds of objects.

/// The kind of a node.
///
/// The `objects` view shows tables, functions, threads and userdata; the portable engine finds nothing
/// else.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Debug)]
#[repr(u8)]
pub enum Kind {
    /// The synthetic root, which refers to every GC root. It is not an object.
    Root,
    /// A table.
    Table,
    /// A function written in Lua.
    LuaFunction,
    /// A function written in C, with or without upvalues.
    CFunction,
    /// A coroutine, or the main thread.
    Thread,
    /// A full userdata.
    Userdata,
    /// A string.
    String,
    /// A function prototype.
    Prototype,
    /// An upvalue.
    Upvalue,
    /// A LuaJIT FFI object.
    Cdata,
    /// A LuaJIT trace.
    Trace,
    /// One of the module's own snapshots, or a marker of one. No view shows it.
    Snapshot,
}

impl Kind {
    /// Returns what Lua's `type` returns for a value of this kind; the VM's own word for kinds that
    /// `type` never sees.
    pub fn type_name(self) -> &'static str {
        match self {
            Kind::Root => "root",
            Kind::Table => "table",
            Kind::LuaFunction | Kind::CFunction => "function",
            Kind::Thread => "thread",
            Kind::Userdata => "userdata",
            Kind::String => "string",
            Kind::Prototype => "proto",
            Kind::Upvalue => "upvalue",
            Kind::Cdata => "cdata",
            Kind::Trace => "trace",
            Kind::Snapshot => "snapshot",
        }
    }

    /// Every kind but the synthetic root.
    pub const ALL: [Kind; 11] = [
        Kind::Table,
        Kind::LuaFunction,
        Kind::CFunction,
        Kind::Thread,
        Kind::Userdata,
        Kind::String,
        Kind::Prototype,
        Kind::Upvalue,
        Kind::Cdata,
        Kind::Trace,
        Kind::Snapshot,
    ];

    /// Returns the kind with this number (`kind as u8`). Snapshot files use these numbers, so a new kind
    /// gets a new one.
    pub fn from_number(number: u8) -> Option<Kind> {
        match number {
            0 => Some(Kind::Root),
            number => Kind::ALL.get(usize::from(number) - 1).copied(),
        }
    }

    /// Whether the `objects` view shows it: a table, function, thread or userdata.
    #[inline]
    pub fn is_object(self) -> bool {
        matches!(
            self,
            Kind::Table | Kind::LuaFunction | Kind::CFunction | Kind::Thread | Kind::Userdata
        )
    }

    /// Returns the number of the type in Lua's C API (`lua_type`), for kinds that are values.
    pub fn type_number(self) -> Option<u8> {
        match self {
            Kind::String => Some(4),
            Kind::Table => Some(5),
            Kind::LuaFunction | Kind::CFunction => Some(6),
            Kind::Userdata => Some(7),
            Kind::Thread => Some(8),
            Kind::Cdata => Some(10),
            Kind::Root | Kind::Prototype | Kind::Upvalue | Kind::Trace | Kind::Snapshot => None,
        }
    }
}
