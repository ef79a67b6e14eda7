//! The short report: the largest groups, and the tables that grew most.

use crate::answer_error::Result;
use crate::answers::coroutine::CoroutineRow;
use crate::answers::group_name::group_name;
use crate::answers::name::Name;
use crate::answers::short_path::{path_of_everything, pattern_text};
use crate::labels::numbers::{byte_size, count_of, grouped};
use luasnap_heap::{Change, Engine, Group, GroupName, Groups, Kind, Rank, Snapshot};
use std::io;

/// How much a report lists.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions {
    /// The most groups and the most tables.
    pub rows: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions { rows: 10 }
    }
}

/// Writes a short report for people: the groups of a snapshot's objects, or of a difference's new (or gone) ones,
/// and the tables that grew (or shrank) most.
///
/// # Errors
///
/// [`AnswerError::Io`](crate::AnswerError::Io) if `out` fails; [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out;
/// [`AnswerError::TooLarge`](crate::AnswerError::TooLarge) if what is derived from the snapshot does not fit 32-bit numbers.
pub fn write_report(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    options: ReportOptions,
) -> Result {
    let groups = snapshot.groups()?;
    let words = Words::of(snapshot);
    if groups.groups().is_empty() && groups.resized().is_empty() {
        return Ok(writeln!(out, "{}", words.nothing)?);
    }
    if !groups.groups().is_empty() {
        write_summary(out, groups, &words)?;
        write_groups(out, snapshot, groups, &words, options)?;
    }
    if !groups.resized().is_empty() {
        if !groups.groups().is_empty() {
            writeln!(out)?;
        }
        write_resized(out, snapshot, groups, options)?;
    }
    Ok(())
}

/// The wording of a report.
struct Words {
    /// The words before and after "object" or "objects".
    before: &'static str,
    after: &'static str,
    nothing: &'static str,
    /// The word before bytes: only the native engine's sizes are exact.
    about: &'static str,
    /// The heading of the column of bytes.
    bytes: &'static str,
    /// What is not counted.
    without: &'static str,
}

impl Words {
    fn of(snapshot: &Snapshot) -> Words {
        let heap = snapshot.everything();
        let gone = snapshot.is_difference()
            && heap
                .nodes()
                .any(|node| matches!(snapshot.change(node), Change::Gone | Change::Shrank(_)));
        let (before, after, nothing) = match (snapshot.is_difference(), gone) {
            (true, false) => ("new ", "", "nothing new is left behind."),
            (true, true) => ("", " that are gone", "nothing is gone."),
            (false, _) => ("", "", "the snapshot is empty."),
        };
        let (about, bytes) = match heap.provenance().engine {
            Engine::Native => ("", "bytes"),
            Engine::Portable => ("about ", "about"),
        };
        Words {
            before,
            after,
            nothing,
            about,
            bytes,
            without: match heap.provenance().engine {
                Engine::Native if !snapshot.is_difference() => "",
                _ => " (strings not counted)",
            },
        }
    }
}

fn write_summary(out: &mut dyn io::Write, groups: &Groups, words: &Words) -> io::Result<()> {
    let objects: u64 = groups
        .groups()
        .iter()
        .map(|group| u64::from(group.count))
        .sum();
    let bytes = groups.groups().iter().map(|group| group.shallow).sum();
    let hold = if groups.groups().len() == 1 {
        "group holds"
    } else {
        "groups hold"
    };
    let object = if objects == 1 { "object" } else { "objects" };
    writeln!(
        out,
        "{} {hold} {} {}{object}{}, {}{}{}:\n",
        grouped(groups.groups().len() as u64),
        grouped(objects),
        words.before,
        words.after,
        words.about,
        byte_size(bytes),
        words.without,
    )
}

fn write_groups(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    groups: &Groups,
    words: &Words,
    options: ReportOptions,
) -> Result {
    // Retained sizes have no meaning in a difference, which has only what changed.
    let retained = |of: &dyn std::fmt::Display| match snapshot.is_difference() {
        true => String::new(),
        false => format!("  {of:>10}"),
    };
    writeln!(
        out,
        "  {:>11}  {:>10}{}  {:8}  held by",
        "objects",
        words.bytes,
        retained(&"retained"),
        "type"
    )?;
    for (at, group) in groups.groups().iter().take(options.rows).enumerate() {
        let bytes = match snapshot.is_difference() {
            true => 0,
            false => {
                groups
                    .exact_retained(snapshot.everything(), snapshot.dominators()?, at)?
                    .bytes
            }
        };
        writeln!(
            out,
            "  {:>11}  {:>10}{}  {:8}  {}",
            grouped(group.count.into()),
            byte_size(group.shallow),
            retained(&byte_size(bytes)),
            group.kind.type_name(),
            described(snapshot, groups, group)?,
        )?;
        if !group.has_one_pattern || groups.patterns().is_general(group.pattern) {
            let mut example = path_of_everything(snapshot, group.example)?.to_string();
            if group.count > 1
                && let Some(error) = error_of(snapshot, group)?
            {
                example += &format!("  ({error})");
            }
            let (nothing, no_bytes) = ("", retained(&""));
            writeln!(
                out,
                "  {nothing:11}  {nothing:10}{no_bytes}  {nothing:8}  e.g. {example}"
            )?;
        }
    }
    let more = groups.groups().len().saturating_sub(options.rows);
    if more > 0 {
        writeln!(out, "  ... and {}", count_of(more as u64, "smaller group"))?;
    }
    Ok(())
}

/// Returns the path pattern of a group, if it has one, and what else is known about it.
fn described(snapshot: &Snapshot, groups: &Groups, group: &Group) -> Result<String> {
    let name = group_name(snapshot, groups, group)?;
    let path = || pattern_text(snapshot.everything(), groups, group.pattern);
    Ok(match (group.kind, group.name) {
        (Kind::CFunction, _) => format!("{name}  (in C)"),
        (_, GroupName::Coroutine(_)) => {
            let example = snapshot.everything_tree()?.node(group.example);
            let doing = CoroutineRow::of(snapshot.everything(), example)?;
            let mut text = match doing.filter(|_| group.has_one_pattern) {
                Some(doing) => format!("{}  ({})", path()?, doing.words),
                None => name.to_string(),
            };
            if group.count == 1
                && let Some(error) = error_of(snapshot, group)?
            {
                text += &format!(": {error}");
            }
            text
        }
        (Kind::Thread, GroupName::Code { .. }) if group.has_one_pattern => {
            format!("{}  (runs {name})", path()?)
        }
        (_, GroupName::Code { .. }) if group.has_one_pattern => {
            format!("{}  (defined at {name})", path()?)
        }
        _ => name.to_string(),
    })
}

/// Returns the text of the error that ended the first of a group's coroutines, if it is known.
fn error_of(snapshot: &Snapshot, group: &Group) -> Result<Option<Name>> {
    let example = snapshot.everything_tree()?.node(group.example);
    let doing = CoroutineRow::of(snapshot.everything(), example)?;
    Ok(doing.and_then(|doing| doing.error))
}

fn write_resized(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    groups: &Groups,
    options: ReportOptions,
) -> Result {
    let heap = snapshot.everything();
    let tree = snapshot.everything_tree()?;
    let change = |rank: Rank| snapshot.change(tree.node(rank));
    let first = groups.resized().first();
    let (title, verb) = match first.map(|&(rank, _)| change(rank)) {
        Some(Change::Shrank(_)) => ("Tables that shrank most:", "shrank"),
        _ => ("Tables that grew most:", "grew"),
    };
    writeln!(out, "{title}")?;
    for &(rank, entries) in groups.resized().iter().take(options.rows) {
        let entry = if entries == 1 { "entry" } else { "entries" };
        let now = heap.count(tree.node(rank));
        let path = path_of_everything(snapshot, rank)?;
        let (by, to) = (grouped(entries.into()), grouped(now.into()));
        writeln!(out, "  {path} {verb} by {by} {entry} to {to}")?;
    }
    let more = groups.resized().len().saturating_sub(options.rows);
    if more > 0 {
        writeln!(out, "  ... and {}", count_of(more as u64, "more table"))?;
    }
    Ok(())
}
