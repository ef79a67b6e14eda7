//! What a page is about, and what is on it.

use crate::answer_error::AnswerError;
use luasnap_heap::{CompareError, Snapshot};
use luasnap_words::{Language, Sentence, Spoken, displayed_in_english};

/// A snapshot that a page is about.
#[derive(Clone, Copy, Debug)]
pub struct PageSnapshot<'a> {
    /// The snapshot.
    pub snapshot: &'a Snapshot,
    /// What it is called: the name of its file. `None` if it was never in one.
    pub name: Option<&'a str>,
    /// The size of its file in bytes, if known.
    pub file_bytes: Option<u64>,
}

/// What is on a page.
#[derive(Clone, Debug)]
pub struct PageOptions {
    /// Its title; else it says what it is about.
    pub title: Option<String>,
    /// The language that it starts in; else the browser's. It has all, and a switch.
    pub language: Option<Language>,
    /// Whether the texts of strings may be on it. Names are, as with
    /// [`SaveOptions::strings`](crate::SaveOptions::strings).
    pub strings: bool,
    /// The most groups in its table.
    pub rows: usize,
    /// The command that makes the page again, if there is one.
    pub command: Option<String>,
}

impl Default for PageOptions {
    fn default() -> Self {
        PageOptions {
            title: None,
            language: None,
            strings: true,
            rows: 300,
            command: None,
        }
    }
}

/// Why a page could not be made.
#[derive(Debug, thiserror::Error)]
pub enum PageError {
    /// There is no snapshot.
    NoSnapshot,
    /// The snapshot with this number, from 1 on, is a difference.
    Difference(usize),
    /// The snapshots cannot be compared.
    Incomparable(#[source] CompareError),
    /// An answer could not be made.
    Failed(#[from] AnswerError),
}

impl Spoken for PageError {
    fn sentence(&self) -> Sentence {
        match self {
            PageError::NoSnapshot => Sentence::new("page.no_snapshot"),
            PageError::Difference(number) => {
                Sentence::new("page.difference").with("number", *number)
            }
            PageError::Incomparable(error) => error.sentence(),
            PageError::Failed(error) => error.sentence(),
        }
    }
}

displayed_in_english!(PageError);

impl From<CompareError> for PageError {
    fn from(error: CompareError) -> Self {
        match error {
            CompareError::Difference(number) => PageError::Difference(number),
            CompareError::Failed(error) => PageError::Failed(error.into()),
            error => PageError::Incomparable(error),
        }
    }
}
