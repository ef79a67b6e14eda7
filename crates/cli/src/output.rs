//! Standard output: answers go there, and nothing else.

use anyhow::{Result, anyhow};
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, Write};

/// Writes an answer for people. Colours are for terminals alone.
pub fn print(answer: impl Display) -> Result<()> {
    finish(write!(anstream::stdout(), "{answer}"))
}

/// Writes an answer for programs: one JSON value, indented.
pub fn print_json(answer: &Value) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = serde_json::to_writer_pretty(&mut out, answer).map_err(io::Error::from);
    finish(written.and_then(|()| writeln!(out)))
}

/// A reader that has seen enough (`| head`) is no failure.
pub fn finish(written: io::Result<()>) -> Result<()> {
    match written.and_then(|()| io::stdout().flush()) {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        written => written.map_err(|error| {
            anyhow!(
                "cannot write to standard output: {}",
                luasnap_format::reason(&error)
            )
        }),
    }
}
