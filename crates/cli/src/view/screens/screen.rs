//! What all screens have in common.

use crate::failure::Result;
use crate::view::cursor::Cursor;
use crate::view::keys::Command;
use crate::view::picture::{Cells, Heads, Hint};
use crate::view::subject::{Subject, Target};
use crate::view::words::Words;
use std::ops::Range;
use std::sync::Arc;

/// What a screen is about, and how it is shown.
#[derive(Clone, Copy)]
pub struct Context<'a> {
    pub subject: &'a Arc<Subject>,
    /// Whether what came is shown.
    pub difference: bool,
}

impl Context<'_> {
    /// Returns the words of the user's language.
    pub fn words(&self) -> Words {
        self.subject.words
    }
}

/// What a screen did with a command.
pub enum Done {
    /// It has no use for it.
    Nothing,
    /// It did something.
    It,
    /// It says why it could not, or what it did.
    Say(String),
    /// Another screen is to be shown above it.
    Show(Box<dyn Screen>),
}

/// A screen: a list of rows.
pub trait Screen {
    /// Returns where one is, the outermost first.
    fn crumbs(&self, context: Context<'_>) -> Result<Vec<String>>;

    /// Returns sentences to be shown above the rows.
    fn notes(&self, _: Context<'_>) -> Vec<String> {
        Vec::new()
    }

    /// Returns the codes of the names of the columns.
    fn heads(&self, context: Context<'_>) -> Heads;

    /// Returns the keys that work here.
    fn keys(&self) -> &'static [Hint];

    /// Returns the number of rows.
    fn len(&self) -> usize;

    /// Returns the place in the list.
    fn cursor(&mut self) -> &mut Cursor;

    /// Returns these rows in words.
    fn rows(&mut self, context: Context<'_>, range: Range<usize>) -> Result<Vec<Cells>>;

    /// Returns what the selected row is about; `None` if it is no object.
    fn target(&self, context: Context<'_>) -> Result<Option<Target>>;

    /// Does what the command means here alone.
    fn command(&mut self, _: Context<'_>, _: Command) -> Result<Done> {
        Ok(Done::Nothing)
    }

    /// Takes what was found meanwhile. Returns whether anything was.
    fn take_news(&mut self) -> Result<bool> {
        Ok(false)
    }

    /// Whether something is under way.
    fn is_busy(&self) -> bool {
        false
    }

    /// Gives up what is under way, if the rows so far are of use without it. Returns whether anything was.
    fn cancel(&mut self) -> bool {
        false
    }

    /// Says what is under way, or what the rows are.
    fn status(&self, _: Context<'_>) -> Option<String> {
        None
    }
}
