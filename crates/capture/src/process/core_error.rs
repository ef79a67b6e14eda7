//! Why a core file cannot be read.

use crate::process::error::reason;
use luasnap_heap::Printable;
use std::fmt;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// What kind of reason there is, so that a program can answer each in its own way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoreErrorKind {
    /// The file cannot be opened or mapped.
    Unreadable,
    /// It is no core file.
    NoCore,
    /// It is one of a 32-bit process, or of a machine with another order of bytes.
    OtherMachine,
    /// It ends early, and what is there has no Lua state that can be read.
    Truncated,
    /// The process had no Lua state that is known.
    NoLuaState,
    /// It had Lua states, and none of them has structures that are known.
    Unsupported,
    /// The system failed, for lack of memory perhaps.
    Failed,
}

/// Why a core file cannot be read: a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoreError {
    kind: CoreErrorKind,
    message: String,
}

impl CoreError {
    /// What kind of reason it is.
    pub fn kind(&self) -> CoreErrorKind {
        self.kind
    }

    pub(super) fn new(kind: CoreErrorKind, path: &Path, reason: impl fmt::Display) -> CoreError {
        CoreError {
            kind,
            message: format!("{}: {reason}", Printable(path.as_os_str().as_bytes())),
        }
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> CoreError {
        CoreError::new(CoreErrorKind::Unreadable, path, reason(error))
    }
}

impl fmt::Display for CoreError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for CoreError {}
