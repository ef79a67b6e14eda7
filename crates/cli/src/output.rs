//! Standard output: only answers go there.

use anyhow::{Result, anyhow};
use luasnap_format::{AnswerError, printable, readable_json};
use serde::Serialize;
use std::fmt::Display;
use std::io::{self, Write};
use std::path::Path;

/// Writes an answer for people. Only terminals get colours.
pub fn print(answer: impl Display) -> Result<()> {
    finish(write!(anstream::stdout(), "{answer}").map_err(AnswerError::Io))
}

/// Writes an answer for programs: one JSON value, indented.
pub fn print_json(answer: &impl Serialize) -> Result<()> {
    let json = serde_json::to_string_pretty(answer)?;
    let written = writeln!(io::stdout(), "{}", readable_json(&json));
    finish(written.map_err(AnswerError::Io))
}

/// An answer for programs, and the file that it is about.
#[derive(Serialize)]
pub struct AnswerAboutFile<'a, A> {
    file: String,
    #[serde(flatten)]
    answer: &'a A,
}

impl<'a, A> AnswerAboutFile<'a, A> {
    /// The answer, with its file.
    pub fn new(file: &Path, answer: &'a A) -> AnswerAboutFile<'a, A> {
        AnswerAboutFile {
            file: file.display().to_string(),
            answer,
        }
    }
}

/// Reports a problem on standard error, in one line, escaped: names of files are untrusted. A
/// closed standard error is not a failure.
pub fn report_problem(message: impl Display) {
    let message = printable(message.to_string().as_bytes());
    let _ = writeln!(io::stderr(), "luasnap: {message}");
}

/// Flushes standard output. A reader that has seen enough (`| head`) is not a failure.
pub fn finish(written: Result<(), AnswerError>) -> Result<()> {
    match written.and_then(|()| Ok(io::stdout().flush()?)) {
        Err(AnswerError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(error @ AnswerError::Io(_)) => Err(anyhow!("cannot write to standard output: {error}")),
        written => Ok(written?),
    }
}
