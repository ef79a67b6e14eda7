//! Standard output: answers go there, and nothing else.

use anyhow::{Result, anyhow};
use luasnap_format::AnswerError;
use serde_json::Value;
use std::fmt::Display;
use std::io::{self, Write};

/// Writes an answer for people. Colours are for terminals alone.
pub fn print(answer: impl Display) -> Result<()> {
    finish(write!(anstream::stdout(), "{answer}").map_err(AnswerError::Io))
}

/// Writes an answer for programs: one JSON value, indented.
pub fn print_json(answer: &Value) -> Result<()> {
    let mut out = io::stdout().lock();
    let written = serde_json::to_writer_pretty(&mut out, answer).map_err(io::Error::from);
    finish(
        written
            .and_then(|()| writeln!(out))
            .map_err(AnswerError::Io),
    )
}

/// A reader that has seen enough (`| head`) is no failure.
pub fn finish(written: Result<(), AnswerError>) -> Result<()> {
    match written.and_then(|()| Ok(io::stdout().flush()?)) {
        Err(AnswerError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error @ AnswerError::Io(_)) => Err(anyhow!("cannot write to standard output: {error}")),
        written => Ok(written?),
    }
}
