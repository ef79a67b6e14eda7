//! The largest groups of a snapshot or of a difference, and what grew or shrank, as rows.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::group_name::group_name;
use crate::answers::name::Name;
use crate::answers::object_row::{anonymous_example, anonymous_in};
use crate::answers::short_path::{pattern_text, short_path};
use crate::labels::numbers::{byte_size, grouped};
use luasnap_heap::{
    Change, ChangedGroups, Engine, Group, GroupName, Groups, Heap, Kind, Resized, ShortestPathTree,
    Snapshot,
};
use luasnap_words::{Argument, Sentence, count, noun, plural, shown};
use serde::Serialize;
use std::cmp::Reverse;

/// What a report is about.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ReportOf {
    /// All objects of a snapshot.
    All,
    /// What a later snapshot has in addition.
    New,
    /// What a later snapshot has no more.
    Gone,
}

/// A group in a report.
#[derive(Clone, Debug, Serialize)]
pub struct ReportRow {
    /// The kind of its members.
    #[serde(rename = "type", serialize_with = "field::kind")]
    pub kind: Kind,
    /// Its name.
    pub name: Name,
    /// The path pattern of all its members, if they have one and the name is another.
    pub path: Option<Name>,
    /// What its members are doing, if they are coroutines.
    pub doing: Option<Sentence>,
    /// The text of the error that ended the example, if one did.
    pub error: Option<Name>,
    /// The number of its members that the report is about.
    pub count: u64,
    /// Their shallow size together, in bytes.
    pub size: u64,
    /// Their retained size, in bytes. In a difference, that of the members which are new or gone, in the snapshot
    /// that has them, if it was whole; at least that of each by itself.
    pub retained: Option<u64>,
    /// The path to the largest of them, if the name is not the path of all.
    pub example: Option<Name>,
    /// What that one is, if neither the last step of its path nor the name of the group says it.
    pub example_is: Option<Sentence>,
}

/// Tables of one group that grew or shrank.
#[derive(Clone, Debug, Serialize)]
pub struct ResizedRow {
    /// The path to the only one, or the name of the group.
    pub name: Name,
    /// What the only one is, if the last step of its path does not say it.
    pub what: Option<Sentence>,
    /// The number of them.
    pub count: u64,
    /// By how many entries they grew or shrank together.
    pub entry_change: u64,
    /// By how many bytes they grew or shrank together.
    pub size_change: u64,
    /// The number of entries that they have in the later snapshot.
    pub entries: u64,
    /// The bytes that they have in the later snapshot.
    pub size: u64,
}

/// A report.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// What it is about.
    pub of: ReportOf,
    /// Of a difference: what of it retains most, or grew most, in a sentence.
    pub verdict: Option<Sentence>,
    /// The engine that captured the snapshot: the portable one estimates sizes and does not count strings.
    #[serde(skip)]
    pub engine: Engine,
    /// Whether strings are among the objects.
    pub with_strings: bool,
    /// The number of objects.
    pub count: u64,
    /// Their bytes.
    pub size: u64,
    /// The largest groups.
    pub groups: Vec<ReportRow>,
    /// The number of groups, including those that are not listed.
    pub group_count: usize,
    /// What grew or shrank most.
    pub resized: Vec<ResizedRow>,
    /// The number of groups of which something grew or shrank, including those that are not listed.
    pub resized_count: usize,
}

/// Returns the report of a snapshot, or of a difference's new or gone objects. Lists at most `most` rows of each
/// sort.
///
/// # Errors
///
/// [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
/// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit 32-bit
/// numbers.
pub fn report(snapshot: &Snapshot, most: usize) -> Result<Report> {
    let of = of(snapshot)?;
    match snapshot.changed_groups()? {
        Some(changed) => Source::of_changed(changed).report(of, changed.resized(), most),
        None => {
            let source = Source::of_groups(snapshot)?;
            let resized = source.resized_tables(snapshot)?;
            source.report(of, &resized, most)
        }
    }
}

fn of(snapshot: &Snapshot) -> Result<ReportOf> {
    if !snapshot.is_difference() {
        return Ok(ReportOf::All);
    }
    let is_gone = |change| matches!(change, Change::Gone | Change::Shrank(_));
    let is_decrease = match snapshot.changed_groups()? {
        Some(changed) => changed.is_decrease(),
        None => {
            let mut nodes = snapshot.everything().nodes();
            nodes.any(|node| is_gone(snapshot.change(node)))
        }
    };
    Ok(match is_decrease {
        true => ReportOf::Gone,
        false => ReportOf::New,
    })
}

/// Where retained sizes come from.
enum RetainedSizes<'a> {
    /// They are found for the groups that are listed.
    Of(&'a Snapshot),
    /// The groups have them.
    InGroups,
    /// A difference of differences, or one in a file of an older luasnap, has only what changed, of which they
    /// would say nothing.
    Unknown,
}

/// What rows are made of.
struct Source<'a> {
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    groups: &'a Groups,
    retained: RetainedSizes<'a>,
    with_strings: bool,
}

impl ReportRow {
    /// Says what the members retain: `One new coroutine, _G.jobs.a (dead by an error at a.lua:12), retains 16 MiB.`
    fn sentence(&self, of: ReportOf, engine: Engine) -> Sentence {
        let bytes: Argument = byte_size(self.retained.unwrap_or(0)).into();
        let bytes = match engine {
            Engine::Native => bytes,
            Engine::Portable => Sentence::new("report.about").with("bytes", bytes).into(),
        };
        let kind = match self.doing {
            Some(_) => "coroutine",
            None => self.kind.type_name(),
        };
        let name = self.name.to_string();
        // `strings of _G.users` says what they are.
        let owners = match self.kind {
            Kind::String => name.strip_prefix("strings of "),
            _ => None,
        };
        let (one, many) = match (of, owners) {
            (ReportOf::Gone, Some(_)) => ("report.gone_string", "report.gone_strings"),
            (ReportOf::Gone, None) => ("report.gone_one", "report.gone_many"),
            (_, Some(_)) => ("report.new_string", "report.new_strings"),
            (_, None) => ("report.new_one", "report.new_many"),
        };
        let sentence = match self.count {
            1 => Sentence::new(one).with("kind", noun(kind)),
            count => Sentence::new(many)
                .with("count", grouped(count))
                .with("kind", plural(kind)),
        };
        let sentence = sentence.with("bytes", bytes);
        match owners {
            Some(owners) => sentence.with("owners", owners),
            None => sentence.with("place", self.place()),
        }
    }

    /// Says where the members are.
    fn place(&self) -> Argument {
        let what = match (&self.path, &self.doing) {
            (None, _) => return self.name.to_string().into(),
            (Some(_), Some(doing)) => shown(doing.clone()),
            (Some(_), None) => self.defined_at().into(),
        };
        let is = Sentence::new("text.is").with("what", what);
        Sentence::new("report.place")
            .with("path", self.path.as_ref().map(ToString::to_string))
            .with("is", is)
            .into()
    }

    /// Says where the members are defined, if their name is that place.
    pub(crate) fn defined_at(&self) -> Sentence {
        Sentence::new("report.defined_at").with("name", self.name.to_string())
    }
}

impl ResizedRow {
    /// Says how something grew or shrank: `_G.cache grew by 2 entries to 5 (by 64 B to 120 B).`
    fn sentence(&self, of: ReportOf) -> Sentence {
        Sentence::new("resized.sentence").with("what", self.words(of))
    }

    /// Returns how something grew or shrank, in words.
    pub(crate) fn words(&self, of: ReportOf) -> Sentence {
        let subject = match self.count {
            1 => Sentence::new("resized.one").with("is", self.what.as_ref().map(in_brackets)),
            tables => Sentence::new("resized.many").with("tables", count(tables, "table")),
        };
        let subject = subject.with("name", self.name.to_string());
        let (by, to) = (byte_size(self.size_change), byte_size(self.size));
        let is_gone = of == ReportOf::Gone;
        if self.entry_change == 0 {
            let code = match is_gone {
                true => "resized.shrank",
                false => "resized.grew",
            };
            let sentence = Sentence::new(code).with("what", subject);
            return sentence.with("by", by).with("to", to);
        }
        let code = match is_gone {
            true => "resized.shrank_entries",
            false => "resized.grew_entries",
        };
        let bytes = (self.size_change > 0)
            .then(|| Sentence::new("resized.bytes").with("by", by).with("to", to));
        Sentence::new(code)
            .with("what", subject)
            .with("entries", count(self.entry_change, "entry"))
            .with("now", grouped(self.entries))
            .with("bytes", bytes)
    }
}

/// Returns what something is, as people see it, to be written behind its name.
fn in_brackets(what: &Sentence) -> Sentence {
    Sentence::new("text.is").with("what", shown(what.clone()))
}

impl<'a> Source<'a> {
    fn of_changed(changed: &'a ChangedGroups) -> Self {
        Source {
            heap: changed.heap(),
            tree: changed.tree(),
            groups: changed.groups(),
            retained: RetainedSizes::InGroups,
            with_strings: changed.heap().provenance().engine == Engine::Native,
        }
    }

    fn of_groups(snapshot: &'a Snapshot) -> Result<Self> {
        let is_whole = !snapshot.is_difference();
        Ok(Source {
            heap: snapshot.everything(),
            tree: snapshot.everything_tree()?,
            groups: snapshot.groups()?,
            retained: match is_whole {
                true => RetainedSizes::Of(snapshot),
                false => RetainedSizes::Unknown,
            },
            with_strings: is_whole && snapshot.everything().provenance().engine == Engine::Native,
        })
    }

    /// Returns the tables that grew or shrank in a difference that has only objects.
    fn resized_tables(&self, snapshot: &Snapshot) -> Result<Vec<Resized>> {
        let mut rows = Vec::new();
        rows.try_reserve_exact(self.groups.resized().len())?;
        rows.extend(self.groups.resized().iter().map(|&(rank, entries)| {
            let node = self.tree.node(rank);
            debug_assert_ne!(snapshot.change(node), Change::None);
            Resized {
                group: usize::MAX,
                objects: 1,
                entries: entries.into(),
                bytes: 0,
                entries_now: self.heap.count(node).into(),
                bytes_now: self.heap.size(node),
                example: rank,
            }
        }));
        Ok(rows)
    }

    fn report(&self, of: ReportOf, resized: &[Resized], most: usize) -> Result<Report> {
        let groups = self.groups.groups();
        let with_members = || {
            groups
                .iter()
                .enumerate()
                .filter(|(_, group)| group.count > 0)
        };
        let listed: Vec<(usize, &Group)> = with_members().take(most).collect();
        let retained = self.retained(&listed)?;
        let rows = listed.into_iter().zip(retained);
        Ok(Report {
            of,
            verdict: self.verdict(of, resized)?,
            engine: self.heap.provenance().engine,
            with_strings: self.with_strings,
            count: groups.iter().map(|group| u64::from(group.count)).sum(),
            size: groups.iter().map(|group| group.shallow).sum(),
            groups: rows
                .map(|((_, group), retained)| self.row(group, retained))
                .collect::<Result<_>>()?,
            group_count: with_members().count(),
            resized: resized
                .iter()
                .take(most)
                .map(|row| self.resized_row(row))
                .collect::<Result<_>>()?,
            resized_count: resized.len(),
        })
    }

    /// Says what of a difference retains most, or grew most. Of several that retain nearly the same, the fewest,
    /// and of these the one below the others.
    fn verdict(&self, of: ReportOf, resized: &[Resized]) -> Result<Option<Sentence>> {
        if !matches!(self.retained, RetainedSizes::InGroups) {
            return Ok(None);
        }
        let new = || {
            let groups = self.groups.groups().iter().enumerate();
            groups.filter(|(_, group)| group.count > 0)
        };
        let retained = new().map(|(_, group)| group.retained).max().unwrap_or(0);
        let most = new()
            .filter(|(_, group)| u128::from(group.retained) * 100 >= u128::from(retained) * 99)
            .min_by_key(|(at, group)| (group.count, group.retained, Reverse(*at)));
        let grown = resized.first().filter(|row| row.bytes > retained);
        Ok(match (grown, most) {
            (Some(grown), _) => Some(self.resized_row(grown)?.sentence(of)),
            (None, Some((_, group))) => {
                let engine = self.heap.provenance().engine;
                let row = self.row(group, Some(group.retained))?;
                Some(row.sentence(of, engine))
            }
            (None, None) => None,
        })
    }

    /// Returns the retained sizes of groups with their indices.
    fn retained(&self, groups: &[(usize, &Group)]) -> Result<Vec<Option<u64>>> {
        Ok(match self.retained {
            RetainedSizes::Of(snapshot) => {
                let members: Vec<_> = groups.iter().map(|of| self.groups.members(of.0)).collect();
                let retained = snapshot
                    .dominators()?
                    .retained_by_each(self.heap, &members)?;
                retained.iter().map(|of| Some(of.bytes)).collect()
            }
            RetainedSizes::InGroups => groups.iter().map(|of| Some(of.1.retained)).collect(),
            RetainedSizes::Unknown => vec![None; groups.len()],
        })
    }

    fn row(&self, group: &Group, retained: Option<u64>) -> Result<ReportRow> {
        let is_exact = group.has_one_pattern && !self.groups.patterns().is_general(group.pattern);
        let is_code = matches!(group.name, GroupName::Code { .. } | GroupName::Coroutine(_));
        let doing = match group.name {
            GroupName::Coroutine(_) => CoroutineRow::of(self.heap, self.tree.node(group.example))?,
            _ => None,
        };
        let path = match is_code && group.has_one_pattern {
            true => Some(pattern_text(self.heap, self.groups, group.pattern)?),
            false => None,
        };
        let is_string = group.kind == Kind::String;
        Ok(ReportRow {
            kind: group.kind,
            name: group_name(self.heap, self.tree, self.groups, group)?,
            doing: doing.as_ref().map(|row| row.words.clone()),
            error: doing.and_then(|row| row.error),
            path,
            count: group.count.into(),
            size: group.shallow,
            retained,
            example: match is_exact && !is_string {
                true => None,
                false => Some(short_path(self.heap, self.tree, group.example)?),
            },
            example_is: anonymous_example(
                self.heap,
                self.tree,
                self.groups,
                (group.name, group.example),
            )?,
        })
    }

    fn resized_row(&self, row: &Resized) -> Result<ResizedRow> {
        let (heap, tree, groups) = (self.heap, self.tree, self.groups);
        let (name, what) = match row.objects {
            1 => (
                short_path(heap, tree, row.example)?,
                anonymous_in(heap, tree, groups, row.example)?,
            ),
            _ => {
                let group = &groups.groups()[row.group];
                (group_name(heap, tree, groups, group)?, None)
            }
        };
        Ok(ResizedRow {
            name,
            what,
            count: row.objects,
            entry_change: row.entries,
            size_change: row.bytes,
            entries: row.entries_now,
            size: row.bytes_now,
        })
    }
}
