//! The groups that retain most: the rows of `luasnap top`.

use crate::failure::Result;
use crate::view::cursor::Cursor;
use crate::view::keys::Command;
use crate::view::picture::{Cells, Heads, Hint};
use crate::view::screens::screen::{Context, Done, Screen};
use crate::view::screens::tree::Tree;
use crate::view::subject::{MOST_GROUPS, Subject, Target};
use crate::view::task::{News, Task};
use crate::view::words::{self, Words};
use luasnap_format::{GroupRow, byte_size, grouped, top};
use luasnap_heap::GroupOrder;
use std::ops::Range;

/// The groups of the snapshot.
pub struct Groups {
    by: By,
    rows: Vec<GroupRow>,
    all: usize,
    /// The bytes of all objects.
    bytes: u64,
    task: Option<Task<Vec<GroupRow>>>,
    cursor: Cursor,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum By {
    Retained,
    Shallow,
    Count,
    Name,
}

impl Groups {
    /// Returns the groups that retain most.
    pub fn new(subject: &Subject) -> Groups {
        Groups {
            by: By::Retained,
            rows: subject.top.groups.clone(),
            all: subject.top.group_count,
            bytes: subject.top.size,
            task: None,
            cursor: Cursor::default(),
        }
    }

    fn change_order(&mut self, context: Context<'_>) -> Result<Done> {
        let (by, name) = match self.by {
            By::Retained => (By::Shallow, "view.by_shallow"),
            By::Shallow => (By::Count, "view.by_count"),
            By::Count => (By::Name, "view.by_name"),
            By::Name => (By::Retained, "view.by_retained"),
        };
        self.by = by;
        self.cursor = Cursor::default();
        self.task = None;
        match by {
            By::Retained => self.rows = context.subject.top.groups.clone(),
            By::Name => {
                // Names are those of the largest, in another order.
                self.rows = context.subject.top.groups.clone();
                self.rows.sort_by(|a, b| a.name.bytes().cmp(b.name.bytes()));
            }
            By::Shallow => self.find(context, GroupOrder::Shallow)?,
            By::Count => self.find(context, GroupOrder::Count)?,
        }
        Ok(Done::Say(context.words().ordered(name)))
    }

    /// Sorts what is known, and begins to find the rest.
    fn find(&mut self, context: Context<'_>, order: GroupOrder) -> Result<()> {
        self.rows.sort_by_key(|row| match order {
            GroupOrder::Shallow => std::cmp::Reverse(row.shallow),
            _ => std::cmp::Reverse(row.count),
        });
        self.task = Some(Task::begin(context.subject, move |subject, report| {
            report.found(top(subject.snapshot(), order, MOST_GROUPS)?.groups);
            Ok(())
        })?);
        Ok(())
    }

    fn row(&self, words: Words, at: usize) -> Cells {
        let row = &self.rows[at];
        let (name, example) = (row.name.to_string(), row.example.to_string());
        let is = row.example_is.as_ref();
        Cells {
            size: match self.by {
                By::Shallow => byte_size(row.shallow),
                _ => byte_size(row.retained),
            },
            share: Some(match self.by {
                By::Shallow => row.shallow as f64 / self.bytes.max(1) as f64,
                _ => row.share,
            }),
            count: grouped(row.count),
            kind: row.kind.type_name(),
            what: match example == name {
                true => words.is(is).trim_start().to_owned(),
                false => words.example(&example, is),
            },
            name,
            ..Cells::default()
        }
    }
}

/// Goes to a group: into its only member, or to the one that retains most.
pub fn go_to(context: Context<'_>, target: Target) -> Result<Done> {
    let subject = context.subject;
    let is_one = subject.count(target)? == 1;
    let tree = Tree::at(subject, subject.first(target)?, is_one)?;
    Ok(Done::Show(Box::new(tree)))
}

impl Screen for Groups {
    fn crumbs(&self, context: Context<'_>) -> Result<Vec<String>> {
        Ok(vec![context.words().fixed("view.groups")])
    }

    fn heads(&self, _: Context<'_>) -> Heads {
        let size = match self.by {
            By::Shallow => words::SHALLOW,
            _ => words::HEADS_OF_GROUPS.size,
        };
        Heads {
            size,
            ..words::HEADS_OF_GROUPS
        }
    }

    fn keys(&self) -> &'static [Hint] {
        words::KEYS_OF_GROUPS
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn cursor(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    fn rows(&mut self, context: Context<'_>, range: Range<usize>) -> Result<Vec<Cells>> {
        let words = context.words();
        Ok(range.map(|at| self.row(words, at)).collect())
    }

    fn target(&self, _: Context<'_>) -> Result<Option<Target>> {
        let row = self.rows.get(self.cursor.at);
        Ok(row.map(|row| Target::Group(row.index)))
    }

    fn command(&mut self, context: Context<'_>, command: Command) -> Result<Done> {
        match (command, self.target(context)?) {
            (Command::Open, Some(target)) => go_to(context, target),
            (Command::Order, _) => self.change_order(context),
            _ => Ok(Done::Nothing),
        }
    }

    fn take_news(&mut self) -> Result<bool> {
        let Some(task) = &self.task else {
            return Ok(false);
        };
        match task.news()? {
            News::None => return Ok(false),
            News::Found(rows) => self.rows = rows,
            News::Ended => self.task = None,
        }
        Ok(true)
    }

    fn is_busy(&self) -> bool {
        self.task.is_some()
    }

    fn status(&self, context: Context<'_>) -> Option<String> {
        Some(match self.is_busy() {
            true => context.words().fixed("progress.measuring_groups"),
            false => context.words().groups_listed(self.rows.len(), self.all),
        })
    }
}
