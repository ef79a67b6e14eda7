//! The short report: what is left behind, the biggest groups first.

use crate::numbers::{byte_size, grouped};
use crate::printable::push_printable;
use crate::short_chain::{chain_of, general_chain};
use crate::sink::analysis_failed;
use luasnap_heap::{Change, Engine, Group, Groups, Heap, Kind, Rank, Snapshot};
use std::io;

/// How much a report says.
#[derive(Clone, Copy, Debug)]
pub struct ReportOptions {
    /// The most groups, and the most tables, that it lists.
    pub rows: usize,
}

impl Default for ReportOptions {
    fn default() -> Self {
        ReportOptions { rows: 10 }
    }
}

/// Writes a short report for people: which groups hold the objects of a snapshot, or the new (or
/// gone) ones of a difference, and which tables grew (or shrank) most.
pub fn write_report(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    options: ReportOptions,
) -> io::Result<()> {
    let groups = Groups::new(snapshot).map_err(analysis_failed)?;
    let heap = snapshot.objects().map_err(analysis_failed)?;
    let words = Words::of(snapshot, heap);
    if groups.groups().is_empty() && groups.resized().is_empty() {
        return writeln!(out, "{}", words.nothing);
    }
    if !groups.groups().is_empty() {
        write_summary(out, &groups, &words)?;
        write_groups(out, snapshot, &groups, &words, options)?;
    }
    if !groups.resized().is_empty() {
        if !groups.groups().is_empty() {
            writeln!(out)?;
        }
        write_resized(out, snapshot, &groups, options)?;
    }
    Ok(())
}

/// How a report speaks of the objects.
struct Words {
    /// What stands before and after "object" or "objects".
    before: &'static str,
    after: &'static str,
    nothing: &'static str,
    /// What stands before bytes: sizes are exact where the native engine read them.
    about: &'static str,
    /// The head of their column.
    bytes: &'static str,
}

impl Words {
    fn of(snapshot: &Snapshot, heap: &Heap) -> Words {
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
        }
    }
}

fn write_summary(out: &mut dyn io::Write, groups: &Groups, words: &Words) -> io::Result<()> {
    let objects: u64 = groups
        .groups()
        .iter()
        .map(|group| u64::from(group.count))
        .sum();
    let bytes = groups.groups().iter().map(|group| group.bytes).sum();
    let hold = if groups.groups().len() == 1 {
        "group holds"
    } else {
        "groups hold"
    };
    let object = if objects == 1 { "object" } else { "objects" };
    writeln!(
        out,
        "{} {hold} {} {}{object}{}, {}{} (strings not counted):\n",
        grouped(groups.groups().len() as u64),
        grouped(objects),
        words.before,
        words.after,
        words.about,
        byte_size(bytes),
    )
}

fn write_groups(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    groups: &Groups,
    words: &Words,
    options: ReportOptions,
) -> io::Result<()> {
    let heap = snapshot.objects().map_err(analysis_failed)?;
    writeln!(
        out,
        "  {:>11}  {:>10}  {:8}  held by",
        "objects", words.bytes, "type"
    )?;
    for group in groups.groups().iter().take(options.rows) {
        writeln!(
            out,
            "  {:>11}  {:>10}  {:8}  {}{}",
            grouped(group.count.into()),
            byte_size(group.bytes),
            group.kind.type_name(),
            general_chain(heap, groups, group.path)?,
            place(heap, group)?,
        )?;
        if groups.is_general(group.path) {
            let example = chain_of(snapshot, group.example)?;
            writeln!(out, "  {:11}  {:10}  {:8}  e.g. {example}", "", "", "")?;
        }
    }
    match groups.groups().len().saturating_sub(options.rows) {
        0 => Ok(()),
        1 => writeln!(out, "  ... and 1 smaller group"),
        more => writeln!(out, "  ... and {} smaller groups", grouped(more as u64)),
    }
}

/// Where a group's functions are defined.
fn place(heap: &Heap, group: &Group) -> io::Result<String> {
    match group.kind {
        Kind::LuaFunction => {
            let mut source = Vec::new();
            push_printable(&mut source, heap.name(group.source))?;
            Ok(format!(
                "  (defined at {}:{})",
                String::from_utf8_lossy(&source),
                group.line
            ))
        }
        Kind::CFunction => Ok("  (in C)".to_owned()),
        _ => Ok(String::new()),
    }
}

fn write_resized(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    groups: &Groups,
    options: ReportOptions,
) -> io::Result<()> {
    let heap = snapshot.objects().map_err(analysis_failed)?;
    let tree = snapshot.tree().map_err(analysis_failed)?;
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
        let chain = chain_of(snapshot, rank)?;
        let (by, to) = (grouped(entries.into()), grouped(now.into()));
        writeln!(out, "  {chain} {verb} by {by} {entry} to {to}")?;
    }
    match groups.resized().len().saturating_sub(options.rows) {
        0 => Ok(()),
        1 => writeln!(out, "  ... and 1 more table"),
        more => writeln!(out, "  ... and {} more tables", grouped(more as u64)),
    }
}
