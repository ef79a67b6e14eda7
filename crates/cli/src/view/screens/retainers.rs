//! All that refers to an object and keeps it alive.

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
use luasnap_format::{byte_size, grouped};
use luasnap_heap::NodeId;
use std::ops::Range;

/// The retainers of some objects. Until all are there, the one on the shortest path is.
pub struct Retainers {
    question: Question,
    nearest: Option<NodeId>,
    cursor: Cursor,
    labels: Labels,
}

impl Retainers {
    /// Asks for the retainers of what a row is about.
    pub fn of(context: Context<'_>, target: Target) -> Result<Retainers> {
        let question = Question::ask(context.subject, target)?;
        let path = context.subject.rows.path(question.first)?;
        let nearest = path.len().checked_sub(2).map(|at| path[at]);
        Ok(Retainers {
            question,
            nearest,
            cursor: Cursor::default(),
            labels: Labels::default(),
        })
    }

    /// Returns the object at a row; `None` for GC roots.
    fn node(&self, at: usize) -> Option<NodeId> {
        let node = match &self.question.answer {
            Some(answer) => answer.retainers.get(at).map(|row| row.node),
            None => self.nearest,
        };
        node.filter(|node| *node != NodeId::ROOT)
    }

    fn row(&self, context: Context<'_>, at: usize) -> Result<Cells> {
        let words = context.words();
        let Some(answer) = &self.question.answer else {
            return match self.nearest {
                Some(node) => {
                    let row = context.subject.rows.object(node)?;
                    let count = String::new();
                    Ok(Cells {
                        count,
                        ..cells(words, &row, row.share, false)
                    })
                }
                None => Ok(Cells::text(words::WAITING)),
            };
        };
        let row = &answer.retainers[at];
        let what = row.coroutine.as_ref().map(|doing| &doing.words);
        let what = what.or(row.what.as_ref()).map(|what| words.say(what));
        let cells = Cells {
            count: grouped(row.references.into()),
            name: row.path.to_string(),
            what: what.unwrap_or_default(),
            ..Cells::default()
        };
        if row.node == NodeId::ROOT {
            return Ok(Cells {
                size: words.fixed("view.gc_root"),
                ..cells
            });
        }
        let object = context.subject.rows.object(row.node)?;
        Ok(Cells {
            size: byte_size(object.retained),
            share: Some(object.share),
            kind: object.kind.type_name(),
            ..cells
        })
    }
}

impl Screen for Retainers {
    fn crumbs(&self, context: Context<'_>) -> Result<Vec<String>> {
        Ok(context.words().about("view.retainers", &self.question.name))
    }

    fn notes(&self, context: Context<'_>) -> Vec<String> {
        let words = context.words();
        let mut notes: Vec<String> = self.question.note(words).into_iter().collect();
        if let Some(answer) = &self.question.answer {
            notes.push(words.retainers(answer.retainer_count, answer.retainers.len()));
            if !answer.refers_to_itself.is_empty() {
                let steps = answer.refers_to_itself.iter();
                let steps: Vec<String> = steps.map(ToString::to_string).collect();
                notes.push(words.refers_to_itself(&steps));
            }
        }
        notes
    }

    fn heads(&self, _: Context<'_>) -> Heads {
        words::HEADS_OF_RETAINERS
    }

    fn keys(&self) -> &'static [Hint] {
        words::KEYS_OF_LISTS
    }

    fn len(&self) -> usize {
        match &self.question.answer {
            Some(answer) => answer.retainers.len(),
            None => 1,
        }
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
