//! Why a core file cannot be read.

use crate::process::error::reason;
use luasnap_heap::Printable;
use luasnap_words::{Sentence, Spoken, displayed_in_english};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The kind of reason, so that a program can handle each in its own way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum CoreErrorKind {
    /// The file cannot be opened or mapped.
    Unreadable,
    /// It is not a core file.
    NoCore,
    /// It is of a 32-bit process, or of a machine with another byte order.
    OtherMachine,
    /// It ends early, and what is left has no Lua state that can be read.
    Truncated,
    /// The process had no known Lua state.
    NoLuaState,
    /// It had Lua states, but none of them has a known layout.
    Unsupported,
    /// The system failed, perhaps for lack of memory.
    Failed,
}

/// Why a core file cannot be read: a sentence.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct CoreError {
    kind: CoreErrorKind,
    sentence: Sentence,
}

impl CoreError {
    /// Returns the kind of reason.
    pub fn kind(&self) -> CoreErrorKind {
        self.kind
    }

    pub(super) fn new(kind: CoreErrorKind, path: &Path, reason: Sentence) -> CoreError {
        let path = Printable(path.as_os_str().as_bytes());
        let sentence = Sentence::new("fail.about_file")
            .with("file", path.to_string())
            .with("reason", reason);
        CoreError { kind, sentence }
    }

    pub(super) fn unreadable(path: &Path, error: &io::Error) -> CoreError {
        CoreError::new(CoreErrorKind::Unreadable, path, reason(error))
    }
}

impl Spoken for CoreError {
    fn sentence(&self) -> Sentence {
        self.sentence.clone()
    }
}

displayed_in_english!(CoreError);

impl std::error::Error for CoreError {}
