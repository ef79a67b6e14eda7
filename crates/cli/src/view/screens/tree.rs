//! The dominator tree, level by level.

use crate::failure::Result;
use crate::view::cursor::Cursor;
use crate::view::keys::Command;
use crate::view::picture::{Cells, Heads, Hint};
use crate::view::screens::labels::Labels;
use crate::view::screens::screen::{Context, Done, Screen};
use crate::view::subject::{Subject, Target};
use crate::view::task::{News, Task};
use crate::view::words::{self, Words};
use luasnap_format::{
    DominatorLevel, DominatorRow, FirstRows, LevelRows, RowId, RowOrder, RowTarget, byte_size,
    grouped,
};
use luasnap_heap::NodeId;
use std::ops::Range;
use std::sync::Arc;

/// A level of so many rows is put in order while one waits; of a longer one, the first rows come first.
const AT_ONCE: usize = 20_000;
/// The number of rows that come first.
const FIRST: usize = 2_000;
/// The number of rows that are looked at between two looks at the clock.
const PIECE: usize = 20_000;
/// The most steps of where one is that are named.
const CRUMBS: usize = 24;

/// The dominator tree at one level.
pub struct Tree {
    rows: LevelRows,
    cursor: Cursor,
    /// The order of rows, as the user has chosen it.
    chosen: RowOrder,
    order: Order,
    /// The levels above from which one came, with the row selected there.
    from: Vec<(DominatorLevel, RowTarget)>,
    labels: Labels,
    /// Whether they say what came.
    labels_say_growth: bool,
}

/// The rows of the level in order.
enum Order {
    /// By retained size: the rows have this order.
    Retained,
    /// In another order, as far as it is known.
    Other {
        by: RowOrder,
        first: Vec<RowId>,
        /// How many rows were looked at.
        seen: usize,
        task: Option<Task<Ordered>>,
    },
}

/// The first rows of those that were looked at.
struct Ordered {
    first: Vec<RowId>,
    seen: usize,
}

impl Tree {
    /// Returns the uppermost level.
    pub fn new(subject: &Subject) -> Result<Tree> {
        Tree::at_level(subject, DominatorLevel::TOP)
    }

    /// Returns the tree where an object is: inside of it, or with it selected where nothing is below it or `is_inside`
    /// is false.
    pub fn at(subject: &Subject, node: NodeId, is_inside: bool) -> Result<Tree> {
        let inside = subject.rows.below(node, RowTarget::Object(node))?;
        if let (Some(level), true) = (inside, is_inside) {
            return Tree::at_level(subject, level);
        }
        let Some((level, target)) = subject.rows.listed(node)? else {
            return Tree::new(subject);
        };
        let mut tree = Tree::at_level(subject, level)?;
        tree.select(subject, target)?;
        Ok(tree)
    }

    fn at_level(subject: &Subject, level: DominatorLevel) -> Result<Tree> {
        Ok(Tree {
            rows: subject.rows.level(level)?,
            cursor: Cursor::default(),
            chosen: RowOrder::Retained,
            order: Order::Retained,
            from: Vec::new(),
            labels: Labels::default(),
            labels_say_growth: false,
        })
    }

    fn select(&mut self, subject: &Subject, target: RowTarget) -> Result<()> {
        let Some(row) = subject.rows.find(&self.rows, target)? else {
            return Ok(());
        };
        let at = match &self.order {
            Order::Retained => Some(self.rows.place_by_retained(row)),
            Order::Other { first, .. } => first.iter().position(|one| *one == row),
        };
        self.cursor = Cursor::at(at.unwrap_or(0));
        Ok(())
    }

    /// Returns the row at a place; `None` if it is not known yet.
    fn row_at(&self, at: usize) -> Option<RowId> {
        match &self.order {
            Order::Retained => self.rows.by_retained(at),
            Order::Other { first, .. } => first.get(at).copied(),
        }
    }

    fn selected(&self, subject: &Subject) -> Result<Option<RowTarget>> {
        match self.row_at(self.cursor.at) {
            Some(row) => Ok(Some(subject.rows.target(&self.rows, row)?)),
            None => Ok(None),
        }
    }

    fn open(&mut self, context: Context<'_>) -> Result<Done> {
        let subject = context.subject;
        let Some(target) = self.selected(subject)? else {
            return Ok(Done::It);
        };
        let level = self.rows.level();
        match subject.rows.below(level.above(), target)? {
            None => Ok(Done::Say(context.words().fixed("view.nothing_below"))),
            Some(below) => {
                self.from.push((level, target));
                self.go_to(subject, below)?;
                Ok(Done::It)
            }
        }
    }

    fn up(&mut self, context: Context<'_>) -> Result<Done> {
        let subject = context.subject;
        let Some((level, target)) = subject.rows.above(self.rows.level())? else {
            return Ok(Done::Say(context.words().fixed("view.at_the_top")));
        };
        // What was opened may be an upvalue, whose value the level is of.
        let target = match self.from.pop() {
            Some((from, target)) if from == level => target,
            _ => target,
        };
        self.go_to(subject, level)?;
        self.select(subject, target)?;
        Ok(Done::It)
    }

    fn go_to(&mut self, subject: &Arc<Subject>, level: DominatorLevel) -> Result<()> {
        self.rows = subject.rows.level(level)?;
        self.cursor = Cursor::default();
        self.put_in_order(subject)
    }

    /// Puts the rows in the chosen order, as far as that can be done at once.
    fn put_in_order(&mut self, subject: &Arc<Subject>) -> Result<()> {
        self.labels.clear();
        let by = self.chosen;
        if by == RowOrder::Retained {
            self.order = Order::Retained;
            return Ok(());
        }
        let len = self.rows.len();
        let mut other = Order::Other {
            by,
            first: Vec::new(),
            seen: 0,
            task: None,
        };
        if let Order::Other {
            first, seen, task, ..
        } = &mut other
        {
            match len <= AT_ONCE {
                true => {
                    let mut rows = FirstRows::new(by, len);
                    rows.look(&subject.rows, &self.rows, len)?;
                    (*first, *seen) = (rows.rows(), len);
                }
                false => *task = Some(self.find_first(subject, by, FIRST)?),
            }
        }
        self.order = other;
        Ok(())
    }

    /// Begins to find the first rows in an order.
    fn find_first(
        &self,
        subject: &Arc<Subject>,
        by: RowOrder,
        most: usize,
    ) -> Result<Task<Ordered>> {
        let level = self.rows.clone();
        Task::begin(subject, move |subject, report| {
            let mut rows = FirstRows::new(by, most);
            let is_whole = most >= level.len();
            while rows.look(&subject.rows, &level, PIECE)? {
                if report.is_cancelled() {
                    return Ok(());
                }
                // All rows are sorted once, at the end.
                if report.is_due() && !is_whole {
                    let (first, seen) = (rows.rows(), rows.seen());
                    report.found(Ordered { first, seen });
                }
            }
            let (first, seen) = (rows.rows(), rows.seen());
            report.found(Ordered { first, seen });
            Ok(())
        })
    }

    /// Begins to find more rows, if the selected one is not known and nothing is under way.
    fn find_more(&mut self, subject: &Arc<Subject>, end: usize) -> Result<()> {
        let len = self.rows.len();
        let by = match &self.order {
            Order::Other {
                by,
                first,
                task: None,
                ..
            } if first.len() < end.min(len) => *by,
            _ => return Ok(()),
        };
        let more = self.find_first(subject, by, len)?;
        if let Order::Other { task, .. } = &mut self.order {
            *task = Some(more);
        }
        Ok(())
    }

    /// Returns a row in words.
    fn row(&self, context: Context<'_>, row: RowId) -> Result<Cells> {
        let row = context.subject.rows.row(&self.rows, row)?;
        let cells = cells(context.words(), &row, row.share_above, context.difference);
        Ok(match self.chosen {
            RowOrder::Shallow => Cells {
                size: byte_size(row.shallow),
                share: Some(row.size_share_above),
                ..cells
            },
            _ => cells,
        })
    }

    fn change_order(&mut self, context: Context<'_>) -> Result<Done> {
        let next = match self.chosen {
            RowOrder::Retained => RowOrder::Shallow,
            RowOrder::Shallow => RowOrder::Count,
            RowOrder::Count => RowOrder::Name,
            RowOrder::Name if context.difference => RowOrder::Growth,
            RowOrder::Name | RowOrder::Growth => RowOrder::Retained,
        };
        self.order_by(context.subject, next)?;
        Ok(Done::Say(context.words().ordered(order_name(next))))
    }

    fn order_by(&mut self, subject: &Arc<Subject>, by: RowOrder) -> Result<()> {
        self.chosen = by;
        self.cursor = Cursor::default();
        self.put_in_order(subject)
    }
}

/// Returns the code of the name of an order.
fn order_name(order: RowOrder) -> &'static str {
    match order {
        RowOrder::Retained => "view.by_retained",
        RowOrder::Shallow => "view.by_shallow",
        RowOrder::Count => "view.by_count",
        RowOrder::Name => "view.by_name",
        RowOrder::Growth => "view.by_came",
    }
}

/// Returns an object as a row, with what came if that is to be shown.
pub fn cells(words: Words, row: &DominatorRow, share: f64, difference: bool) -> Cells {
    let name = row.name.to_string();
    let growth = row.growth.filter(|_| difference);
    let came = growth.map(|growth| growth.came).filter(|came| *came > 0);
    let what = words.say(&row.what);
    Cells {
        is_new: growth.is_some_and(|growth| growth.new),
        size: byte_size(row.retained),
        share: Some(share),
        came: came
            .map(|came| words::byte_change(came as i64))
            .unwrap_or_default(),
        count: grouped(row.retained_count),
        kind: row.kind.type_name(),
        name: match row.count {
            1 => name,
            count => words::many(&name, count),
        },
        what: match (row.count, growth.map(|growth| growth.entries)) {
            (1, None | Some(0)) => what,
            (1, Some(entries)) => words::grown(&what, entries),
            _ => String::new(),
        },
        is_title: false,
    }
}

impl Screen for Tree {
    fn crumbs(&self, context: Context<'_>) -> Result<Vec<String>> {
        let rows = &context.subject.rows;
        let mut crumbs = Vec::new();
        let mut level = self.rows.level();
        while let Some((above, target)) = rows.above(level)? {
            if crumbs.len() == CRUMBS {
                crumbs.push(words::GAP.to_owned());
                break;
            }
            crumbs.push(rows.name_below(above.above(), target)?.to_string());
            level = above;
        }
        crumbs.push(context.words().fixed("view.all_objects"));
        crumbs.reverse();
        Ok(crumbs)
    }

    fn heads(&self, context: Context<'_>) -> Heads {
        let heads = words::heads_of_objects(context.difference);
        match self.chosen {
            RowOrder::Shallow => Heads {
                size: words::SHALLOW,
                ..heads
            },
            _ => heads,
        }
    }

    fn keys(&self) -> &'static [Hint] {
        words::KEYS_OF_TREE
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn cursor(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    fn rows(&mut self, context: Context<'_>, range: Range<usize>) -> Result<Vec<Cells>> {
        self.find_more(context.subject, range.end)?;
        // It may have been switched on another screen.
        if self.labels_say_growth != context.difference {
            self.labels_say_growth = context.difference;
            self.labels.clear();
        }
        let mut labels = std::mem::take(&mut self.labels);
        let row = |at: usize| match self.row_at(at) {
            Some(row) => labels.row(at, || self.row(context, row)),
            None => Ok(Cells::text(words::WAITING)),
        };
        let rows = range.map(row).collect();
        self.labels = labels;
        rows
    }

    fn target(&self, context: Context<'_>) -> Result<Option<Target>> {
        Ok(self.selected(context.subject)?.map(Target::from))
    }

    fn command(&mut self, context: Context<'_>, command: Command) -> Result<Done> {
        match command {
            Command::Open => self.open(context),
            Command::Up => self.up(context),
            Command::Order => self.change_order(context),
            // It is on or off by now.
            Command::Difference => {
                let by = match context.difference {
                    true => RowOrder::Growth,
                    false => RowOrder::Retained,
                };
                self.order_by(context.subject, by)?;
                let said = words::difference(context.difference);
                Ok(Done::Say(context.words().fixed(said)))
            }
            _ => Ok(Done::Nothing),
        }
    }

    fn take_news(&mut self) -> Result<bool> {
        let Order::Other {
            first, seen, task, ..
        } = &mut self.order
        else {
            return Ok(false);
        };
        let Some(under_way) = task else {
            return Ok(false);
        };
        match under_way.news()? {
            News::None => return Ok(false),
            News::Found(found) => {
                (*first, *seen) = (found.first, found.seen);
                self.labels.clear();
            }
            News::Ended => *task = None,
        }
        Ok(true)
    }

    fn is_busy(&self) -> bool {
        matches!(&self.order, Order::Other { task: Some(_), .. })
    }

    fn cancel(&mut self) -> bool {
        // Nothing would be in the order that the screen says.
        let is_busy = self.is_busy();
        if is_busy {
            self.chosen = RowOrder::Retained;
            self.order = Order::Retained;
            self.cursor = Cursor::default();
            self.labels.clear();
        }
        is_busy
    }

    fn status(&self, context: Context<'_>) -> Option<String> {
        match &self.order {
            Order::Other {
                by,
                seen,
                task: Some(_),
                ..
            } => {
                let (by, all) = (order_name(*by), self.rows.len());
                Some(context.words().ordering(by, *seen, all))
            }
            _ => None,
        }
    }
}
