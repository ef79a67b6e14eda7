//! The shortest path to an object, and what else keeps it alive.

use crate::failure::Result;
use crate::view::cursor::Cursor;
use crate::view::keys::Command;
use crate::view::picture::{Cells, Heads, Hint};
use crate::view::screens::labels::Labels;
use crate::view::screens::question::Question;
use crate::view::screens::screen::{Context, Done, Screen};
use crate::view::screens::tree::{Tree, cells};
use crate::view::subject::Target;
use crate::view::words;
use luasnap_heap::NodeId;
use std::ops::Range;

/// The way from a GC root to an object.
pub struct Path {
    question: Question,
    steps: Vec<NodeId>,
    /// What comes below the steps.
    others: Vec<Other>,
    cursor: Cursor,
    labels: Labels,
}

/// A row below the steps.
enum Other {
    DominatorsTitle,
    Object(NodeId),
    /// The title of so many paths that share nothing.
    PathsTitle(usize),
    Path(String),
}

impl Path {
    /// Asks for the path to what a row is about.
    pub fn to(context: Context<'_>, target: Target) -> Result<Path> {
        let question = Question::ask(context.subject, target)?;
        let steps = context.subject.rows.path(question.first)?;
        Ok(Path {
            cursor: Cursor::at(steps.len()),
            others: Vec::new(),
            labels: Labels::default(),
            question,
            steps,
        })
    }

    fn list_others(&mut self) {
        let Some(answer) = &self.question.answer else {
            return;
        };
        let others = &mut self.others;
        others.clear();
        if !answer.keepers.is_empty() {
            others.push(Other::DominatorsTitle);
        }
        others.extend(
            answer
                .keepers
                .iter()
                .map(|keeper| Other::Object(keeper.node)),
        );
        if answer.paths.len() > 1 {
            others.push(Other::PathsTitle(answer.paths.len()));
            let paths = answer.paths.iter();
            others.extend(paths.map(|path| Other::Path(path.to_string())));
        }
    }

    /// Returns a row in words.
    fn row(&self, context: Context<'_>, at: usize) -> Result<Cells> {
        let words = context.words();
        let Some(at) = at.checked_sub(1) else {
            return Ok(Cells::title(words.shortest_path(self.question.count)));
        };
        let rows = &context.subject.rows;
        if let Some(node) = self.steps.get(at) {
            let row = rows.step(*node)?;
            return Ok(cells(words, &row, row.share, false));
        }
        match &self.others[at - self.steps.len()] {
            Other::DominatorsTitle => Ok(Cells::title(words.fixed("path.dominators"))),
            Other::PathsTitle(count) => Ok(Cells::title(words.paths_that_share_nothing(*count))),
            Other::Path(path) => Ok(Cells::text(path)),
            Other::Object(node) => {
                let row = rows.object(*node)?;
                Ok(cells(words, &row, row.share, false))
            }
        }
    }

    /// Returns the object at a row.
    fn node(&self, at: usize) -> Option<NodeId> {
        let at = at.checked_sub(1)?;
        match self.steps.get(at) {
            Some(node) => Some(*node),
            None => match self.others.get(at - self.steps.len())? {
                Other::Object(node) => Some(*node),
                _ => None,
            },
        }
    }
}

impl Screen for Path {
    fn crumbs(&self, context: Context<'_>) -> Result<Vec<String>> {
        Ok(context.words().about("view.path", &self.question.name))
    }

    fn notes(&self, context: Context<'_>) -> Vec<String> {
        let words = context.words();
        let mut notes: Vec<String> = self.question.note(words).into_iter().collect();
        if let Some(answer) = &self.question.answer {
            if let Some(doing) = answer.coroutine.as_ref().and_then(|row| row.error.as_ref()) {
                notes.push(doing.to_string());
            }
            let weak = answer.weakness.iter();
            notes.extend(weak.map(|row| words.weak_table(&row.path.to_string(), &row.words)));
        }
        if self.steps.is_empty() {
            notes.push(words.fixed("path.garbage"));
        }
        notes
    }

    fn heads(&self, _: Context<'_>) -> Heads {
        words::heads_of_objects(false)
    }

    fn keys(&self) -> &'static [Hint] {
        words::KEYS_OF_LISTS
    }

    fn len(&self) -> usize {
        1 + self.steps.len() + self.others.len()
    }

    fn cursor(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    fn rows(&mut self, context: Context<'_>, range: Range<usize>) -> Result<Vec<Cells>> {
        let mut labels = std::mem::take(&mut self.labels);
        let rows = range.map(|at| labels.row(at, || self.row(context, at)));
        let rows = rows.collect();
        self.labels = labels;
        rows
    }

    fn target(&self, _: Context<'_>) -> Result<Option<Target>> {
        Ok(self.node(self.cursor.at).map(Target::Object))
    }

    fn command(&mut self, context: Context<'_>, command: Command) -> Result<Done> {
        match (command, self.node(self.cursor.at)) {
            (Command::Open, Some(node)) => {
                let tree = Tree::at(context.subject, node, true)?;
                Ok(Done::Show(Box::new(tree)))
            }
            _ => Ok(Done::Nothing),
        }
    }

    fn take_news(&mut self) -> Result<bool> {
        let is_new = self.question.take_news()?;
        if is_new {
            self.list_others();
            self.labels.clear();
        }
        Ok(is_new)
    }

    fn is_busy(&self) -> bool {
        self.question.is_open()
    }

    fn status(&self, context: Context<'_>) -> Option<String> {
        self.is_busy()
            .then(|| context.words().fixed("view.looking"))
    }
}
