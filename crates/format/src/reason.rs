//! Errors in the words of the system.

use std::error::Error;
use std::io;

/// Returns the system's message for an error, without the number that Rust adds and without the
/// errors that wrap it.
pub fn reason(error: &io::Error) -> String {
    let mut innermost: &dyn Error = error;
    while let Some(source) = innermost.source() {
        innermost = source;
    }
    let text = innermost.to_string();
    match text.rfind(" (os error ") {
        Some(end) => text[..end].to_owned(),
        None => text,
    }
}
