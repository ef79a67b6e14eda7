//! Where to look first: of one snapshot what retains most, of several what grows.

use crate::failure::Result;
use crate::view::cursor::Cursor;
use crate::view::keys::Command;
use crate::view::picture::{Cells, Heads, Hint};
use crate::view::screens::groups::go_to;
use crate::view::screens::screen::{Context, Done, Screen};
use crate::view::screens::tree::Tree;
use crate::view::subject::{Subject, Target};
use crate::view::words::{self, Words};
use luasnap_format::{GroupRow, GrowthAnswer, byte_size, grouped};
use luasnap_heap::NodeId;
use luasnap_words::Sentence;
use std::ops::Range;

/// The most objects that are listed of one snapshot.
const MOST_OBJECTS: usize = 20;

/// Suspects, each with what its row is about.
pub struct Suspects {
    verdict: Option<Sentence>,
    rows: Vec<(Cells, Option<Target>)>,
    is_growth: bool,
    cursor: Cursor,
}

impl Suspects {
    /// Lists the suspects.
    pub fn new(subject: &Subject) -> Suspects {
        let words = subject.words;
        let (verdict, rows) = match &subject.growth {
            Some(growth) => (Some(growth.verdict.clone()), grown(growth, words)),
            None => {
                let rows = largest(&subject.top.groups, words);
                (subject.top.verdict.clone(), rows)
            }
        };
        // The first row is a title.
        let cursor = Cursor::at(rows.iter().position(|row| row.1.is_some()).unwrap_or(0));
        Suspects {
            verdict,
            rows,
            is_growth: subject.growth.is_some(),
            cursor,
        }
    }
}

/// Returns what the verdict rests on, and the largest objects.
fn largest(groups: &[GroupRow], words: Words) -> Vec<(Cells, Option<Target>)> {
    let row = |row: &GroupRow| {
        let cells = Cells {
            size: byte_size(row.retained),
            share: Some(row.share),
            count: grouped(row.count),
            kind: row.kind.type_name(),
            name: row.name.to_string(),
            what: match row.count {
                1 => row.example_is.as_ref().map(|is| words.say(is)),
                _ => Some(words.example(&row.example.to_string(), None)),
            }
            .unwrap_or_default(),
            ..Cells::default()
        };
        (cells, Some(Target::Group(row.index)))
    };
    let mut rows = Vec::new();
    let large = groups.iter().filter(|row| row.is_large());
    rows.extend(large.map(row));
    if !rows.is_empty() {
        rows.insert(0, (Cells::title(words.fixed("view.large_groups")), None));
    }
    rows.push((Cells::title(words.fixed("view.largest_objects")), None));
    let objects = groups.iter().filter(|row| row.count == 1);
    rows.extend(objects.take(MOST_OBJECTS).map(row));
    rows
}

/// Returns what grew: suspects, then all groups that changed.
fn grown(growth: &GrowthAnswer, words: Words) -> Vec<(Cells, Option<Target>)> {
    let object = |node: NodeId| (node != NodeId::ROOT).then_some(Target::Object(node));
    let most = growth.suspects.iter().map(|suspect| suspect.grown);
    let changed = growth
        .changed
        .iter()
        .map(|row| row.size_change.unsigned_abs());
    let most = most.chain(changed).max().unwrap_or(0).max(1);
    let share = |bytes: u64| Some(bytes as f64 / most as f64);
    let mut rows = Vec::new();
    if !growth.suspects.is_empty() {
        rows.push((Cells::title(words.fixed("view.leak_suspects")), None));
    }
    for suspect in &growth.suspects {
        let is = words.is(suspect.point_is.as_ref());
        let cells = Cells {
            size: words::byte_change(suspect.grown as i64),
            share: share(suspect.grown),
            name: format!("{}{is}", suspect.point),
            what: words.suspect(suspect.held_by.as_ref(), &suspect.example.to_string()),
            ..Cells::default()
        };
        rows.push((cells, object(suspect.point_node)));
    }
    rows.push(match growth.changed.is_empty() {
        true => (Cells::title(words.fixed("growth.no_change")), None),
        false => (Cells::title(words.fixed("growth.changes")), None),
    });
    for row in &growth.changed {
        let cells = Cells {
            size: words::byte_change(row.size_change),
            share: share(row.size_change.max(0) as u64),
            count: words::change(row.count_change),
            kind: row.kind.type_name(),
            name: row.name.to_string(),
            what: words.example(&row.example.to_string(), row.example_is.as_ref()),
            ..Cells::default()
        };
        rows.push((cells, row.example_node.and_then(object)));
    }
    rows
}

impl Screen for Suspects {
    fn crumbs(&self, context: Context<'_>) -> Result<Vec<String>> {
        Ok(vec![context.words().fixed("view.suspects")])
    }

    fn notes(&self, context: Context<'_>) -> Vec<String> {
        let verdict = self.verdict.iter();
        verdict.map(|said| context.words().say(said)).collect()
    }

    fn heads(&self, _: Context<'_>) -> Heads {
        match self.is_growth {
            true => words::HEADS_OF_GROWTH,
            false => words::HEADS_OF_GROUPS,
        }
    }

    fn keys(&self) -> &'static [Hint] {
        words::KEYS_OF_LISTS
    }

    fn len(&self) -> usize {
        self.rows.len()
    }

    fn cursor(&mut self) -> &mut Cursor {
        &mut self.cursor
    }

    fn rows(&mut self, _: Context<'_>, range: Range<usize>) -> Result<Vec<Cells>> {
        Ok(self.rows[range].iter().map(|row| row.0.clone()).collect())
    }

    fn target(&self, _: Context<'_>) -> Result<Option<Target>> {
        Ok(self.rows.get(self.cursor.at).and_then(|row| row.1))
    }

    fn command(&mut self, context: Context<'_>, command: Command) -> Result<Done> {
        match (command, self.target(context)?) {
            (Command::Open, Some(Target::Object(node))) => {
                let tree = Tree::at(context.subject, node, true)?;
                Ok(Done::Show(Box::new(tree)))
            }
            (Command::Open, Some(target)) => go_to(context, target),
            _ => Ok(Done::Nothing),
        }
    }
}
