//! Writing a snapshot to a file.
//!
//! Two threads make the sections, each the next ones that nobody has made: which take longest depends on the heap.
//! Sections are kept until all are made, since the table that precedes them contains their lengths: this takes as much
//! memory as the file is long.

use crate::answer_error::Result;
use crate::luasnap::block::{self, BlockWriter, NewCompressor};
use crate::luasnap::edges::{write_labels, write_targets};
use crate::luasnap::facts;
use crate::luasnap::group_rows::{group_row, pattern_row, resized_row};
use crate::luasnap::header::{HEADER_LEN, Header};
use crate::luasnap::label_words::tag_and_value;
use crate::luasnap::memory_bound;
use crate::luasnap::numbers::Encoder;
use crate::luasnap::redaction::Redaction;
use crate::luasnap::save_options::SaveOptions;
use crate::luasnap::section::{Entry, Section, table_bytes, table_len};
use crate::luasnap::two_threads::both;
use luasnap_heap::{
    Change, ChangedGroups, Heap, LARGE_SIZE, NameId, NodeId, RunOrder, Snapshot, StoredDifference,
    StoredGroups, sort_by_number,
};
use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use xxhash_rust::xxh3::xxh3_64;

/// Writes a snapshot file, in the format of `docs/luasnap-file.md`. [`open_snapshot`](crate::open_snapshot)
/// reads it.
///
/// # Examples
///
/// ```
/// use luasnap_format::{SaveOptions, read_snapshot, write_snapshot};
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let mut bytes = Vec::new();
/// write_snapshot(&mut bytes, &snapshot, SaveOptions::default())?;
/// assert_eq!(&bytes[..8], b"\x89LUASNAP");
/// assert_eq!(read_snapshot(&bytes)?.len()?, 1);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`AnswerError::Io`](crate::AnswerError::Io) if `out` fails; [`AnswerError::OutOfMemory`](crate::AnswerError::OutOfMemory) if memory runs out.
pub fn write_snapshot(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    options: SaveOptions,
) -> Result {
    write_by(out, snapshot, options, None)
}

/// Writes the same file in one thread, by a compressor of the caller's: all memory for it is from Rust's allocator, so
/// that a process made by `clone` can do it, in which another thread may have had the C library's locks.
///
/// # Errors
///
/// As [`write_snapshot`].
pub fn write_snapshot_in_one_thread(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    options: SaveOptions,
    compressor: NewCompressor,
) -> Result {
    write_by(out, snapshot, options, Some(compressor))
}

/// Writes a snapshot file, in one thread where there is a compressor for it.
fn write_by(
    out: &mut dyn io::Write,
    snapshot: &Snapshot,
    options: SaveOptions,
    alone: Option<NewCompressor>,
) -> Result {
    let changed = snapshot.changed_groups()?;
    let groups = changed
        .map(StoredGroups::new)
        .transpose()?
        .unwrap_or_default();
    let contents = Contents {
        heap: snapshot.everything(),
        facts: facts::bytes(snapshot, changed.map(ChangedGroups::is_decrease)),
        difference: snapshot.stored_difference()?.unwrap_or_default(),
        examples: match changed {
            Some(changed) => file_of_examples(changed, &groups, options, alone)?,
            None => Vec::new(),
        },
        groups: &groups,
        // They are in the heap of the examples.
        groups_named_here: &StoredGroups::default(),
        options,
        alone,
    };
    write_sections(out, padded_sections(&contents)?)
}

/// Returns a file with the examples of the groups of a difference: their heap, and nothing else.
fn file_of_examples(
    changed: &ChangedGroups,
    groups: &StoredGroups,
    options: SaveOptions,
    alone: Option<NewCompressor>,
) -> Result<Vec<u8>> {
    let heap = changed.heap();
    let sections = padded_sections(&Contents {
        heap,
        facts: facts::of_heap(heap, false),
        difference: StoredDifference::default(),
        examples: Vec::new(),
        groups: &StoredGroups::default(),
        groups_named_here: groups,
        options,
        alone,
    })?;
    let mut file = Vec::new();
    file.try_reserve_exact(file_len(&sections) as usize)?;
    write_sections(&mut file, sections)?;
    Ok(file)
}

fn write_sections(out: &mut dyn io::Write, sections: Vec<BuiltSection>) -> Result {
    let entries: Vec<Entry> = sections.iter().map(|built| built.entry).collect();
    let header = Header {
        file_len: file_len(&sections),
        sections: sections.len() as u32,
    };
    out.write_all(&header.bytes())?;
    out.write_all(&table_bytes(&entries))?;
    for section in sections {
        out.write_all(&section.bytes)?;
    }
    Ok(out.flush()?)
}

/// What a file has in it.
struct Contents<'a> {
    heap: &'a Heap,
    facts: Vec<u8>,
    difference: StoredDifference,
    /// A file with the heap of the examples of the groups.
    examples: Vec<u8>,
    groups: &'a StoredGroups,
    /// The groups that have names of this heap.
    groups_named_here: &'a StoredGroups,
    options: SaveOptions,
    /// The compressor of whoever writes in one thread.
    alone: Option<NewCompressor>,
}

/// A finished section.
struct BuiltSection {
    entry: Entry,
    bytes: Vec<u8>,
}

/// Makes sections, one after the other.
struct SectionBuilder {
    blocks: BlockWriter,
    built: Vec<BuiltSection>,
}

impl SectionBuilder {
    fn new(compressor: Option<NewCompressor>) -> Result<SectionBuilder> {
        Ok(SectionBuilder {
            blocks: match compressor {
                Some(compressor) => BlockWriter::with(compressor)?,
                None => BlockWriter::new()?,
            },
            built: Vec::new(),
        })
    }

    /// Ends the section whose blocks were written last. A section without values is left out.
    fn end(&mut self, section: Section, count: usize) {
        let bytes = self.blocks.take();
        if count > 0 {
            self.built.push(BuiltSection::new(section, count, bytes));
        }
    }

    fn bytes(&mut self, section: Section, count: usize, bytes: &[u8]) -> Result {
        for block in bytes.chunks(block::BYTES) {
            self.blocks.put(block)?;
        }
        self.end(section, count);
        Ok(())
    }

    fn numbers(
        &mut self,
        section: Section,
        count: usize,
        write: impl FnOnce(&mut Encoder<'_>) -> Result,
    ) -> Result {
        write(&mut Encoder::new(&mut self.blocks)?)?;
        self.end(section, count);
        Ok(())
    }
}

impl BuiltSection {
    fn new(section: Section, count: usize, bytes: Vec<u8>) -> BuiltSection {
        let entry = Entry {
            section,
            count: count as u64,
            stored_len: bytes.len() as u64,
            checksum: xxh3_64(&bytes),
        };
        BuiltSection { entry, bytes }
    }
}

fn padded_sections(contents: &Contents<'_>) -> Result<Vec<BuiltSection>> {
    let mut sections = sections(contents)?;
    add_padding(&mut sections)?;
    Ok(sections)
}

/// Makes some of the sections.
type Part = fn(&Contents<'_>, &mut SectionBuilder) -> Result;

/// All of them, those that take longest first.
const PARTS: [Part; 7] = [
    make_targets,
    make_labels,
    make_addresses,
    make_sources,
    make_names,
    make_nodes,
    make_the_rest,
];

/// Returns all sections but the padding, in the order of their numbers.
fn sections(contents: &Contents<'_>) -> Result<Vec<BuiltSection>> {
    let next = AtomicUsize::new(0);
    let make = || {
        let mut builder = SectionBuilder::new(contents.alone)?;
        while let Some(part) = PARTS.get(next.fetch_add(1, Ordering::Relaxed)) {
            part(contents, &mut builder)?;
        }
        Ok(builder.built)
    };
    let mut sections: Vec<BuiltSection> = match contents.alone {
        Some(_) => make()?,
        None => {
            let (first, second): (Result<Vec<BuiltSection>>, Result<Vec<BuiltSection>>) =
                both(make, make);
            let mut sections = first?;
            sections.extend(second?);
            sections
        }
    };
    sort_by_number(&mut sections, |built| built.entry.section as u64)?;
    Ok(sections)
}

fn file_len(sections: &[BuiltSection]) -> u64 {
    let stored: u64 = sections.iter().map(|built| built.entry.stored_len).sum();
    (HEADER_LEN + table_len(sections.len() as u32)) as u64 + stored
}

/// Pads the file to the size that the [bound on memory](memory_bound) requires.
fn add_padding(sections: &mut Vec<BuiltSection>) -> Result {
    let padding_needed = memory_bound::padding_needed(
        file_len(sections),
        sections.iter().map(|built| &built.entry),
    );
    if padding_needed == 0 {
        return Ok(());
    }
    let padding_needed = padding_needed as usize;
    let mut zeros = Vec::new();
    zeros.try_reserve_exact(padding_needed)?;
    zeros.resize(padding_needed, 0);
    sections.push(BuiltSection::new(Section::Padding, padding_needed, zeros));
    Ok(())
}

fn make_targets(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let heap = contents.heap;
    builder.numbers(Section::Targets, heap.edge_count(), |to| {
        write_targets(heap, to)
    })
}

fn make_addresses(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let columns = contents.heap.columns();
    let nodes = contents.heap.node_count();
    builder.numbers(Section::Addresses, nodes, |to| to.deltas(columns.addresses))
}

fn make_sources(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let columns = contents.heap.columns();
    let nodes = contents.heap.node_count();
    builder.numbers(Section::Sources, nodes, |to| {
        to.by_kind(columns.kinds, columns.sources.iter().map(|name| name.0))
    })
}

/// The columns of nodes that take little time.
fn make_nodes(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let heap = contents.heap;
    let (columns, nodes) = (heap.columns(), heap.node_count());
    let kinds = gather(columns.kinds.iter().map(|kind| *kind as u8))?;
    builder.bytes(Section::Kinds, nodes, &kinds)?;
    builder.numbers(Section::Sizes, nodes, |to| to.planes(columns.sizes))?;
    builder.numbers(Section::Counts, nodes, |to| to.planes(columns.counts))?;
    let edges = gather(heap.nodes().map(|node| heap.edge_range(node).len() as u32))?;
    builder.numbers(Section::EdgeCounts, nodes, |to| to.planes(&edges))?;
    let is_large = |node: &NodeId| columns.sizes[node.index()] == LARGE_SIZE;
    let large = heap.nodes().filter(is_large);
    make_rows(
        builder,
        Section::LargeSizes,
        large.map(|node| [u64::from(node.0), heap.size(node)]),
    )
}

/// What a heap has few of.
fn make_the_rest(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let facts = &contents.facts;
    builder.bytes(Section::Facts, facts.len(), facts)?;
    make_tables(contents.heap, builder)?;
    make_difference(&contents.difference, builder)?;
    make_groups(contents, builder)
}

fn make_labels(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let heap = contents.heap;
    let (mut tags, mut values) = (Vec::new(), Vec::new());
    builder.numbers(Section::Labels, heap.edge_count(), |to| {
        write_labels(heap, to, |place| {
            let (tag, value) = tag_and_value(heap.columns().wide_labels[place]);
            tags.try_reserve(1)?;
            values.try_reserve(1)?;
            tags.push(tag);
            values.push(value);
            Ok(())
        })
    })?;
    builder.bytes(Section::WideTags, tags.len(), &tags)?;
    builder.numbers(Section::WideValues, values.len(), |to| to.deltas(&values))
}

fn make_names(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let heap = contents.heap;
    let names = heap.columns().names;
    let ids = || (0..names.len() as u32).map(NameId);
    let left_out = Redaction::new(heap, contents.groups_named_here, contents.options)?;
    if left_out.is_nothing() {
        let lengths = gather(ids().map(|name| names.get(name).len() as u64))?;
        builder.numbers(Section::NameLengths, lengths.len(), |to| {
            to.planes(&lengths)
        })?;
        return builder.bytes(Section::NameBytes, names.bytes().len(), names.bytes());
    }
    let (mut lengths, mut bytes) = (Vec::new(), Vec::new());
    lengths.try_reserve_exact(names.len())?;
    for name in ids() {
        let start = bytes.len();
        left_out.push(heap, name, &mut bytes)?;
        lengths.push((bytes.len() - start) as u64);
    }
    builder.numbers(Section::NameLengths, lengths.len(), |to| {
        to.planes(&lengths)
    })?;
    builder.bytes(Section::NameBytes, bytes.len(), &bytes)
}

fn make_tables(heap: &Heap, builder: &mut SectionBuilder) -> Result {
    let columns = heap.columns();
    let runs = columns.runs.iter().map(|run| {
        let order = match run.order {
            RunOrder::None => 0,
            RunOrder::Allocation => 1,
            RunOrder::Finalizer => 2,
        };
        [u64::from(run.start.0), order]
    });
    make_rows(builder, Section::Runs, runs)?;
    let marks = columns
        .marks
        .iter()
        .map(|mark| [mark.address, u64::from(mark.place.0), u64::from(mark.run)]);
    make_rows(builder, Section::Marks, marks)?;
    let tables = columns.sparse_tables.iter().map(|table| {
        let slots = [table.array_slots, table.array_used, table.hash_slots];
        let [array_slots, array_used, hash_slots] = slots.map(u64::from);
        let node = u64::from(table.node.0);
        [
            node,
            array_slots,
            array_used,
            hash_slots,
            u64::from(table.hash_used),
        ]
    });
    make_rows(builder, Section::SparseTables, tables)?;
    let threads = columns.threads.iter().map(|of| {
        [
            of.node.0,
            u32::from(of.status as u8),
            of.place.source.0,
            of.place.line,
            of.defined,
            of.function.0,
            of.caller.source.0,
            of.caller.line,
            of.error.0,
        ]
        .map(u64::from)
    });
    make_rows(builder, Section::Threads, threads)?;
    let code = columns.loaded_code.iter().map(|code| {
        let (last_line, upvalues) = (code.shape.last_line, code.shape.upvalues);
        [code.node.0, last_line, upvalues.into()].map(u64::from)
    });
    make_rows(builder, Section::LoadedCode, code)?;
    let environments = columns.environments.unwrap_or_default().iter();
    let environments = environments.map(|of| [of.node.0, of.chunk.0].map(u64::from));
    make_rows(builder, Section::Environments, environments)
}

fn make_difference(stored: &StoredDifference, builder: &mut SectionBuilder) -> Result {
    let nodes = stored.changes.len();
    let changes = stored.changes.iter().map(|change| match change {
        Change::None => (0, 0),
        Change::New => (1, 0),
        Change::Gone => (2, 0),
        Change::Grew(entries) => (3, *entries),
        Change::Shrank(entries) => (4, *entries),
    });
    let tags = gather(changes.clone().map(|change| change.0))?;
    let entries = gather(changes.map(|change| change.1))?;
    builder.bytes(Section::Changes, nodes, &tags)?;
    builder.numbers(Section::ChangedEntries, nodes, |to| to.planes(&entries))?;
    builder.numbers(Section::Refs, nodes, |to| to.planes(&stored.refs))
}

fn make_groups(contents: &Contents<'_>, builder: &mut SectionBuilder) -> Result {
    let (examples, groups) = (&contents.examples, contents.groups);
    if examples.is_empty() {
        return Ok(());
    }
    let mut file = Vec::new();
    file.try_reserve_exact(examples.len())?;
    file.extend_from_slice(examples);
    let built = BuiltSection::new(Section::ChangedHeap, file.len(), file);
    builder.built.push(built);
    make_rows(
        builder,
        Section::Patterns,
        groups.patterns.iter().map(pattern_row),
    )?;
    let rows = groups.groups.iter().map(|group| group_row(groups, group));
    make_rows(builder, Section::Groups, rows)?;
    let resized = groups.resized.iter().map(resized_row);
    make_rows(builder, Section::Resized, resized)
}

/// Writes rows of 64-bit numbers.
fn make_rows<const N: usize>(
    builder: &mut SectionBuilder,
    section: Section,
    rows: impl Iterator<Item = [u64; N]>,
) -> Result {
    let (mut bytes, mut count) = (Vec::new(), 0);
    for row in rows {
        bytes.try_reserve(8 * N)?;
        for number in row {
            bytes.extend_from_slice(&number.to_le_bytes());
        }
        count += 1;
    }
    builder.bytes(section, count, &bytes)
}

fn gather<T>(values: impl ExactSizeIterator<Item = T>) -> Result<Vec<T>> {
    let mut gathered = Vec::new();
    gathered.try_reserve_exact(values.len())?;
    gathered.extend(values);
    Ok(gathered)
}
