//! What a search for a name finds, as it is found.

use crate::failure::Result;
use crate::view::cursor::Cursor;
use crate::view::keys::Command;
use crate::view::picture::{Cells, Heads, Hint};
use crate::view::screens::groups::go_to;
use crate::view::screens::labels::Labels;
use crate::view::screens::screen::{Context, Done, Screen};
use crate::view::screens::tree::cells;
use crate::view::subject::{Subject, Target};
use crate::view::task::{News, Task};
use crate::view::words;
use luasnap_format::{NameHit, NameSearch, group_name, grouped, printable};
use std::ops::Range;
use std::sync::Arc;

/// The most hits: what more people would not read.
const MOST_HITS: usize = 10_000;
/// The number of objects that are looked at between two looks at the clock.
const PIECE: usize = 50_000;

/// The hits of a search.
pub struct Search {
    word: String,
    hits: Vec<NameHit>,
    task: Option<Task<Vec<NameHit>>>,
    is_cancelled: bool,
    cursor: Cursor,
    labels: Labels,
}

impl Search {
    /// Begins a search.
    pub fn begin(subject: &Arc<Subject>, word: &str) -> Result<Search> {
        let mut search = NameSearch::new(word.as_bytes());
        let task = Task::begin(subject, move |subject, report| {
            let (mut found, mut all) = (Vec::new(), 0);
            let mut is_more = true;
            while is_more && all < MOST_HITS && !report.is_cancelled() {
                let before = found.len();
                is_more = search.look(subject.snapshot(), PIECE, &mut found)?;
                all += found.len() - before;
                // The first ones are wanted at once.
                let is_first = all == found.len();
                if !found.is_empty() && (report.is_due() || is_first) {
                    report.found(std::mem::take(&mut found));
                }
            }
            report.found(found);
            Ok(())
        })?;
        Ok(Search {
            word: printable(word.as_bytes()),
            hits: Vec::new(),
            task: Some(task),
            is_cancelled: false,
            cursor: Cursor::default(),
            labels: Labels::default(),
        })
    }

    fn row(&self, context: Context<'_>, at: usize) -> Result<Cells> {
        let subject = context.subject;
        let group = match self.hits[at] {
            NameHit::Object(node) => {
                let row = subject.rows.object(node)?;
                return Ok(cells(context.words(), &row, row.share, false));
            }
            NameHit::Group(group) => group,
        };
        let snapshot = subject.snapshot();
        let (heap, tree, groups) = (
            snapshot.everything(),
            snapshot.everything_tree()?,
            snapshot.groups()?,
        );
        let group = &groups.groups()[group];
        let name = group_name(heap, tree, groups, group)?.to_string();
        let all = subject.rows.live().bytes.max(1);
        Ok(Cells {
            size: words::at_least(group.retained),
            share: Some(group.retained as f64 / all as f64),
            count: grouped(group.count.into()),
            kind: group.kind.type_name(),
            name: words::many(&name, group.count.into()),
            ..Cells::default()
        })
    }
}

impl Screen for Search {
    fn crumbs(&self, context: Context<'_>) -> Result<Vec<String>> {
        Ok(context.words().about("view.search", &self.word))
    }

    fn heads(&self, _: Context<'_>) -> Heads {
        words::heads_of_objects(false)
    }

    fn keys(&self) -> &'static [Hint] {
        words::KEYS_OF_LISTS
    }

    fn len(&self) -> usize {
        self.hits.len()
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
        Ok(self.hits.get(self.cursor.at).map(|hit| Target::from(*hit)))
    }

    fn command(&mut self, context: Context<'_>, command: Command) -> Result<Done> {
        match (command, self.target(context)?) {
            (Command::Open, Some(target)) => go_to(context, target),
            _ => Ok(Done::Nothing),
        }
    }

    fn take_news(&mut self) -> Result<bool> {
        let Some(task) = &self.task else {
            return Ok(false);
        };
        match task.news()? {
            News::None => return Ok(false),
            News::Found(hits) => {
                let room = MOST_HITS - self.hits.len();
                self.hits.extend(hits.into_iter().take(room));
            }
            News::Ended => self.task = None,
        }
        Ok(true)
    }

    fn is_busy(&self) -> bool {
        self.task.is_some()
    }

    fn cancel(&mut self) -> bool {
        let is_busy = self.is_busy();
        self.is_cancelled |= is_busy;
        self.task = None;
        is_busy
    }

    fn status(&self, context: Context<'_>) -> Option<String> {
        let is_bounded = self.is_cancelled || self.hits.len() == MOST_HITS;
        let (found, is_busy) = (self.hits.len(), self.is_busy());
        Some(context.words().searched(found, is_busy, is_bounded))
    }
}
