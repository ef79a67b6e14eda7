//! The VM families, and the constants in which their C APIs differ.

use std::ffi::c_int;
use std::fmt;

/// A family of VMs that share one C API.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug)]
pub enum Version {
    /// PUC Lua 5.1 and its forks.
    Lua51,
    /// LuaJIT 2 and its forks.
    LuaJit,
    /// PUC Lua 5.2.
    Lua52,
    /// PUC Lua 5.3.
    Lua53,
    /// PUC Lua 5.4.
    Lua54,
    /// PUC Lua 5.5.
    Lua55,
}

impl fmt::Display for Version {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.family())
    }
}

/// Byte offsets in `lua_Debug` (64-bit). All VMs agree on `namewhat` and `source`.
#[derive(Clone, Copy, Debug)]
pub(crate) struct DebugLayout {
    pub(crate) namewhat: usize,
    pub(crate) source: usize,
    pub(crate) currentline: usize,
    pub(crate) linedefined: usize,
    pub(crate) short_src: usize,
    /// `nups`: an `int` in 5.1 and LuaJIT, an `unsigned char` from 5.2 on.
    pub(crate) upvalue_count: usize,
    pub(crate) wide_upvalue_count: bool,
}

impl Version {
    /// Its usual name.
    pub fn family(self) -> &'static str {
        match self {
            Version::Lua51 => "Lua 5.1",
            Version::LuaJit => "LuaJIT",
            Version::Lua52 => "Lua 5.2",
            Version::Lua53 => "Lua 5.3",
            Version::Lua54 => "Lua 5.4",
            Version::Lua55 => "Lua 5.5",
        }
    }

    /// Whether the API is that of 5.1: pseudo-indices for globals, environments, no user values.
    pub(crate) fn is_51_api(self) -> bool {
        matches!(self, Version::Lua51 | Version::LuaJit)
    }

    /// `LUA_REGISTRYINDEX`.
    pub(crate) fn registry_index(self) -> c_int {
        match self {
            Version::Lua51 | Version::LuaJit => -10000,
            Version::Lua52 | Version::Lua53 | Version::Lua54 => -1_001_000,
            Version::Lua55 => -(c_int::MAX / 2 + 1000),
        }
    }

    /// `lua_upvalueindex(number)`.
    pub(crate) fn upvalue_index(self, number: c_int) -> c_int {
        match self {
            // The base there is `LUA_GLOBALSINDEX`.
            Version::Lua51 | Version::LuaJit => -10002 - number,
            _ => self.registry_index() - number,
        }
    }

    /// What `lua_version` returns, where the VM has it.
    pub(crate) fn number(self) -> f64 {
        match self {
            Version::Lua51 | Version::LuaJit => 501.0,
            Version::Lua52 => 502.0,
            Version::Lua53 => 503.0,
            Version::Lua54 => 504.0,
            Version::Lua55 => 505.0,
        }
    }

    /// Whether a weak key's value is marked only while the key lives (ephemerons).
    pub(crate) fn has_ephemerons(self) -> bool {
        !self.is_51_api()
    }

    /// `LUA_GCISRUNNING`, where `lua_gc` knows it.
    pub(crate) fn gc_is_running(self) -> Option<c_int> {
        match self {
            Version::Lua51 => None,
            Version::Lua55 => Some(6),
            _ => Some(9),
        }
    }

    /// Offsets of the fields of `lua_Debug`. The end of the structure depends on `LUA_IDSIZE`,
    /// which a host may raise, so nothing after `short_src` is listed.
    pub(crate) fn debug_layout(self) -> DebugLayout {
        let (currentline, linedefined, short_src) = match self {
            Version::Lua51 | Version::LuaJit => (40, 48, 56),
            Version::Lua52 | Version::Lua53 => (40, 44, 56),
            Version::Lua54 => (48, 52, 68),
            Version::Lua55 => (48, 52, 76),
        };
        let upvalue_count = match self {
            Version::Lua51 | Version::LuaJit => 44,
            Version::Lua52 | Version::Lua53 => 52,
            Version::Lua54 | Version::Lua55 => 60,
        };
        DebugLayout {
            namewhat: 16,
            source: 32,
            currentline,
            linedefined,
            short_src,
            upvalue_count,
            wide_upvalue_count: self.is_51_api(),
        }
    }
}
