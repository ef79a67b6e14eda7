//! Bytes as text that a terminal can show.

use crate::answer_error::{AnswerError, Result};
use luasnap_heap::Printable;
use std::fmt::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// Returns bytes as text that a terminal can show: see [`Printable`]. For short texts: it allocates
/// like any `String`.
pub fn printable(bytes: &[u8]) -> String {
    Printable(bytes).to_string()
}

/// Returns the name of a file as text that a terminal can show.
pub fn printable_path(path: &Path) -> Printable<'_> {
    Printable(path.as_os_str().as_bytes())
}

/// Appends bytes as [`Printable`] shows them.
pub(crate) fn push_printable(out: &mut Vec<u8>, bytes: &[u8]) -> Result {
    if bytes.iter().all(|byte| (0x20..0x7f).contains(byte)) {
        return push_bytes(out, bytes);
    }
    // Writing fails only if memory runs out.
    write!(Appender(out), "{}", Printable(bytes)).map_err(|_| AnswerError::OutOfMemory)
}

/// Appends text; fails if there is no memory.
struct Appender<'a>(&'a mut Vec<u8>);

impl fmt::Write for Appender<'_> {
    fn write_str(&mut self, text: &str) -> fmt::Result {
        push_bytes(self.0, text.as_bytes()).map_err(|_| fmt::Error)
    }
}

/// Appends bytes; fails if there is no memory.
pub(crate) fn push_bytes(out: &mut Vec<u8>, bytes: &[u8]) -> Result {
    out.try_reserve(bytes.len())?;
    out.extend_from_slice(bytes);
    Ok(())
}
