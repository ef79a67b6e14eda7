//! The largest groups of a snapshot or of a difference, and what grew or shrank, as rows.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::field;
use crate::answers::group_name::group_name;
use crate::answers::name::Name;
use crate::answers::object_row::anonymous_example;
use crate::answers::short_path::{pattern_text, short_path};
use luasnap_heap::{
    Change, ChangedGroups, Engine, Group, GroupName, Groups, Heap, Kind, Resized, ShortestPathTree,
    Snapshot,
};
use serde::Serialize;

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
    pub doing: Option<Name>,
    /// The text of the error that ended the example, if one did.
    pub error: Option<Name>,
    /// The number of its members that the report is about.
    pub count: u64,
    /// Their shallow size together, in bytes.
    pub size: u64,
    /// Their retained size, in bytes; not in a difference.
    pub retained: Option<u64>,
    /// The path to the largest of them, if the name is not the path of all.
    pub example: Option<Name>,
    /// What that one is, if neither the last step of its path nor the name of the group says it.
    pub example_is: Option<Name>,
}

/// Tables of one group that grew or shrank.
#[derive(Clone, Debug, Serialize)]
pub struct ResizedRow {
    /// The path to the only one, or the name of the group.
    pub name: Name,
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
    let of = of(snapshot);
    match snapshot.changed_groups() {
        Some(changed) => Source::of_changed(changed).report(of, changed.resized(), most),
        None => {
            let source = Source::of_groups(snapshot)?;
            let resized = source.resized_tables(snapshot)?;
            source.report(of, &resized, most)
        }
    }
}

fn of(snapshot: &Snapshot) -> ReportOf {
    if !snapshot.is_difference() {
        return ReportOf::All;
    }
    let is_gone = |change| matches!(change, Change::Gone | Change::Shrank(_));
    let is_decrease = match snapshot.changed_groups() {
        Some(changed) => changed.is_decrease(),
        None => {
            let mut nodes = snapshot.everything().nodes();
            nodes.any(|node| is_gone(snapshot.change(node)))
        }
    };
    match is_decrease {
        true => ReportOf::Gone,
        false => ReportOf::New,
    }
}

/// What rows are made of.
struct Source<'a> {
    heap: &'a Heap,
    tree: &'a ShortestPathTree,
    groups: &'a Groups,
    /// The snapshot, if retained sizes have a meaning: a difference has only what changed.
    whole: Option<&'a Snapshot>,
    with_strings: bool,
}

impl<'a> Source<'a> {
    fn of_changed(changed: &'a ChangedGroups) -> Self {
        Source {
            heap: changed.heap(),
            tree: changed.tree(),
            groups: changed.groups(),
            whole: None,
            with_strings: changed.heap().provenance().engine == Engine::Native,
        }
    }

    fn of_groups(snapshot: &'a Snapshot) -> Result<Self> {
        let is_whole = !snapshot.is_difference();
        Ok(Source {
            heap: snapshot.everything(),
            tree: snapshot.everything_tree()?,
            groups: snapshot.groups()?,
            whole: is_whole.then_some(snapshot),
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
        let rows = with_members().take(most);
        Ok(Report {
            of,
            engine: self.heap.provenance().engine,
            with_strings: self.with_strings,
            count: groups.iter().map(|group| u64::from(group.count)).sum(),
            size: groups.iter().map(|group| group.shallow).sum(),
            groups: rows
                .map(|(at, group)| self.row(at, group))
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

    fn row(&self, at: usize, group: &Group) -> Result<ReportRow> {
        let retained = match self.whole {
            Some(snapshot) => {
                let dominators = snapshot.dominators()?;
                Some(self.groups.exact_retained(self.heap, dominators, at)?.bytes)
            }
            None => None,
        };
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
        let name = match row.objects {
            1 => short_path(self.heap, self.tree, row.example)?,
            _ => {
                let group = &self.groups.groups()[row.group];
                group_name(self.heap, self.tree, self.groups, group)?
            }
        };
        Ok(ResizedRow {
            name,
            count: row.objects,
            entry_change: row.entries,
            size_change: row.bytes,
            entries: row.entries_now,
            size: row.bytes_now,
        })
    }
}
