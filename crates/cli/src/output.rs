//! Standard output: only answers go there.

use crate::failure::{Failure, Result};
use crate::look;
use luasnap_format::{AnswerError, printable, readable_json};
use luasnap_words::{Sentence, Spoken};
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
    let json = serde_json::to_string_pretty(answer).map_err(io::Error::from)?;
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
pub fn report_problem(problem: &Sentence) {
    let message = printable(look::sentence(problem).as_bytes());
    let _ = writeln!(io::stderr(), "luasnap: {message}");
}

/// Flushes standard output. A reader that has seen enough (`| head`) is not a failure.
pub fn finish(written: Result<(), AnswerError>) -> Result<()> {
    match written.and_then(|()| Ok(io::stdout().flush()?)) {
        Err(AnswerError::Io(error)) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        Err(AnswerError::Io(error)) => Err(not_written(&error)),
        written => Ok(written?),
    }
}

/// Returns the failure of standard output.
pub fn not_written(error: &io::Error) -> Failure {
    Sentence::new("output.failed")
        .with("reason", error.sentence())
        .into()
}
