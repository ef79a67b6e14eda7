//! Reading a snapshot from a file.
//!
//! Nothing in a file is trusted: lengths are compared with the bytes that are there before memory is allocated,
//! and the columns are checked against each other before a heap is built from them.

use crate::luasnap::block::Decompressor;
use crate::luasnap::edges::{read_labels, read_targets};
use crate::luasnap::error::{LoadError, OpenError, Problem};
use crate::luasnap::facts::{self, Facts};
use crate::luasnap::group_rows::{self, GroupRow};
use crate::luasnap::header::{HEADER_LEN, Header};
use crate::luasnap::label_words::label;
use crate::luasnap::little_endian::u64_at;
use crate::luasnap::memory_bound;
use crate::luasnap::numbers::{column, read_by_kind, read_bytes, read_deltas, read_planes};
use crate::luasnap::section::{Section, Table, proven_entries, table_len};
use crate::luasnap::two_threads::both;
use luasnap_heap::{
    Birthmark, Change, ChangedGroups, CodePlace, CodeShape, Columns, Environment, GroupName, Heap,
    Kind, Label, LoadedCode, Mark, NameId, Names, NodeId, OwnerGroupsId, PackedLabel, Run,
    RunOrder, Snapshot, SparseTable, StoredDifference, StoredGroups, ThreadState, ThreadStatus,
};
use std::fs::File;
use std::io::Read;
use std::path::Path;

/// Reads a snapshot file.
///
/// The file is read into memory, not mapped: if it were truncated meanwhile, a mapping would end the process.
///
/// # Examples
///
/// ```
/// use luasnap_format::{SaveOptions, open_snapshot, write_snapshot};
/// use luasnap_heap::{HeapBuilder, Kind, Label, NodeId, Snapshot, Strength};
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// let mut builder = HeapBuilder::new();
/// let (globals, _) = builder.node(Kind::Table, 0x10)?;
/// let root = Label::Root(builder.name(b"_G")?);
/// builder.edge(NodeId::ROOT, globals, root, Strength::Strong)?;
/// let snapshot = Snapshot::new(builder.finish()?);
///
/// let mut file = tempfile::NamedTempFile::new()?;
/// write_snapshot(&mut file, &snapshot, SaveOptions::default())?;
/// let read = open_snapshot(file.path())?;
/// assert_eq!(read.len()?, 1);
/// assert_eq!(read.everything().address(globals), 0x10);
/// # Ok(())
/// # }
/// ```
///
/// # Errors
///
/// [`OpenError`] says which file cannot be read, and why.
pub fn open_snapshot(path: &Path) -> Result<Snapshot, OpenError> {
    open(path).map_err(|source| OpenError {
        path: path.to_owned(),
        source,
    })
}

fn open(path: &Path) -> Result<Snapshot, LoadError> {
    read_snapshot(&read_whole(&mut File::open(path)?)?)
}

/// Reads a snapshot file, and no more of any other than shows that it is none.
pub(super) fn read_whole(file: &mut File) -> Result<Vec<u8>, LoadError> {
    let mut bytes = Vec::new();
    // Another file may be large, or a pipe that never ends. So each part is checked before it tells
    // how much more to read.
    read_on(file, &mut bytes, HEADER_LEN as u64)?;
    let header = Header::read(&bytes)?;
    read_on(file, &mut bytes, table_len(header.sections) as u64)?;
    proven_entries(&bytes, header)?;
    // One more byte shows whether anything follows.
    let rest = (header.file_len.saturating_add(1)).saturating_sub(bytes.len() as u64);
    read_on(file, &mut bytes, rest)?;
    Ok(bytes)
}

/// Reads `len` more bytes, or as many as there are.
fn read_on(file: &mut File, bytes: &mut Vec<u8>, mut len: u64) -> Result<(), LoadError> {
    const PIECE: u64 = 1 << 20;
    while len > 0 {
        // Allocated here, so that a lack of memory is not reported as an error of the disk.
        let piece = len.min(PIECE);
        bytes.try_reserve(piece as usize)?;
        let read = file.by_ref().take(piece).read_to_end(bytes)? as u64;
        if read < piece {
            break;
        }
        len -= read;
    }
    Ok(())
}

/// Returns the snapshot in the bytes of a file.
///
/// # Errors
///
/// [`LoadError`] if the bytes are not a whole snapshot file, or if memory runs out.
pub fn read_snapshot(bytes: &[u8]) -> Result<Snapshot, LoadError> {
    let file = read_file(bytes)?;
    let snapshot = match file.is_difference {
        true => {
            let groups = read_groups(&file)?;
            Snapshot::from_stored_difference(file.heap, file.difference, groups)?
        }
        false => Snapshot::new(file.heap),
    };
    if let Some(birthmark) = file.birthmark {
        snapshot.set_birthmark(birthmark);
    }
    Ok(snapshot)
}

/// What a file has in it, but for the groups of a difference.
struct FileContents<'a> {
    table: Table<'a>,
    heap: Heap,
    difference: StoredDifference,
    is_difference: bool,
    is_decrease: bool,
    birthmark: Option<Birthmark>,
}

fn read_file(bytes: &[u8]) -> Result<FileContents<'_>, LoadError> {
    let header = Header::read(bytes)?;
    if bytes.len() as u64 > header.file_len {
        return Err(LoadError::malformed("end", Problem::TrailingBytes));
    }
    let table = Table::read(bytes, header)?;
    if !memory_bound::is_size_plausible(header.file_len, table.entries()) {
        return Err(LoadError::malformed("table of sections", Problem::TooMuch));
    }
    // Damage is told wherever it is.
    table.section(Section::Answers)?;
    let (edges, rest) = both(|| read_edges(&table), || read_rest(&table));
    let (rest, edges) = (rest?, edges?);
    let Facts {
        provenance,
        globals,
        all_reached,
        birthmark,
        is_difference,
        is_decrease,
    } = rest.facts;
    let columns = Columns {
        edge_counts: edges.counts,
        targets: edges.targets,
        labels: edges.labels,
        wide_labels: edges.wide_labels,
        globals,
        all_reached,
        provenance,
        ..rest.columns
    };
    Ok(FileContents {
        table,
        heap: columns.into_heap()?,
        difference: rest.difference,
        is_difference,
        is_decrease,
        birthmark,
    })
}

/// Reads the groups of a difference, if the file has them.
fn read_groups(file: &FileContents<'_>) -> Result<Option<ChangedGroups>, LoadError> {
    let table = &file.table;
    let Some(examples) = table.section(Section::ChangedHeap)? else {
        return Ok(None);
    };
    if examples.entry.count != examples.bytes.len() as u64 {
        let part = Section::ChangedHeap.name();
        return Err(LoadError::malformed(part, Problem::WrongLength));
    }
    // The groups of a difference in that file, if it has any, are not read.
    let heap = read_file(examples.bytes)?.heap;
    let mut zstd = Decompressor::new()?;
    let mut stored = StoredGroups {
        patterns: read_rows(table, Section::Patterns, &mut zstd, group_rows::pattern)?,
        resized: read_rows(table, Section::Resized, &mut zstd, group_rows::resized)?,
        is_decrease: file.is_decrease,
        ..StoredGroups::default()
    };
    let rows: Vec<GroupRow> = read_rows(table, Section::Groups, &mut zstd, Some)?;
    stored.groups.try_reserve_exact(rows.len())?;
    for row in rows {
        let id = OwnerGroupsId(stored.owners.len() as u32);
        let (group, owners) =
            group_rows::group(row, id).ok_or_else(|| meaningless(Section::Groups, "a row"))?;
        if matches!(group.name, GroupName::StringsOf(_)) {
            stored.owners.try_reserve(1)?;
            stored.owners.push(owners);
        }
        stored.groups.push(group);
    }
    Ok(Some(stored.into_groups(heap)?))
}

/// The columns of references.
struct EdgeColumns {
    counts: Vec<u32>,
    targets: Vec<NodeId>,
    labels: Vec<PackedLabel>,
    wide_labels: Vec<Label>,
}

fn read_edges(table: &Table<'_>) -> Result<EdgeColumns, LoadError> {
    let mut zstd = Decompressor::new()?;
    let counts = read_planes(table.section(Section::EdgeCounts)?, &mut zstd, |count| {
        count
    })?;
    let labels = read_labels(table.section(Section::Labels)?, &mut zstd)?;
    let targets = table.section(Section::Targets)?;
    let targets = read_targets(targets, &mut zstd, &counts, &labels)?;
    let wide_labels = read_wide_labels(table, &mut zstd)?;
    Ok(EdgeColumns {
        counts,
        targets,
        labels,
        wide_labels,
    })
}

fn read_wide_labels(table: &Table<'_>, zstd: &mut Decompressor) -> Result<Vec<Label>, LoadError> {
    let tags = read_bytes(table.section(Section::WideTags)?, zstd)?;
    let values = read_deltas(table.section(Section::WideValues)?, zstd)?;
    let mut labels = Vec::new();
    labels.try_reserve_exact(tags.len())?;
    if tags.len() != values.len() {
        let part = Section::WideValues.name();
        return Err(LoadError::malformed(part, Problem::WrongLength));
    }
    for (tag, value) in tags.into_iter().zip(values) {
        labels.push(label(tag, value).ok_or_else(|| meaningless(Section::WideTags, "a label"))?);
    }
    Ok(labels)
}

/// Everything but the columns of references.
struct Rest {
    facts: Facts,
    columns: Columns,
    difference: StoredDifference,
}

fn read_rest(table: &Table<'_>) -> Result<Rest, LoadError> {
    let mut zstd = Decompressor::new()?;
    let facts = read_bytes(table.section(Section::Facts)?, &mut zstd)?;
    let facts = facts::read(&facts)?;
    let kinds = read_kinds(table, &mut zstd)?;
    let sources = table.section(Section::Sources)?;
    let columns = Columns {
        sources: read_by_kind(sources, &mut zstd, &kinds, NameId)?,
        kinds,
        addresses: read_deltas(table.section(Section::Addresses)?, &mut zstd)?,
        sizes: read_planes(table.section(Section::Sizes)?, &mut zstd, |size| size)?,
        counts: read_planes(table.section(Section::Counts)?, &mut zstd, |count| count)?,
        large_sizes: read_large_sizes(table, &mut zstd)?,
        names: read_names(table, &mut zstd)?,
        runs: read_runs(table, &mut zstd)?,
        marks: read_marks(table, &mut zstd)?,
        sparse_tables: read_sparse_tables(table, &mut zstd)?,
        threads: read_threads(table, &mut zstd)?,
        loaded_code: read_loaded_code(table, &mut zstd)?,
        environments: read_environments(table, &mut zstd)?,
        ..Columns::default()
    };
    let difference = read_difference(table, &mut zstd)?;
    if let Some(padding) = table.section(Section::Padding)?
        && padding.bytes.iter().any(|byte| *byte != 0)
    {
        return Err(meaningless(Section::Padding, "a byte"));
    }
    Ok(Rest {
        facts,
        columns,
        difference,
    })
}

fn read_kinds(table: &Table<'_>, zstd: &mut Decompressor) -> Result<Vec<Kind>, LoadError> {
    let numbers = read_bytes(table.section(Section::Kinds)?, zstd)?;
    let mut kinds = Vec::new();
    kinds.try_reserve_exact(numbers.len())?;
    for number in numbers {
        let kind = Kind::from_number(number);
        kinds.push(kind.ok_or_else(|| meaningless(Section::Kinds, "a kind"))?);
    }
    Ok(kinds)
}

fn read_names(table: &Table<'_>, zstd: &mut Decompressor) -> Result<Names, LoadError> {
    let lengths: Vec<u64> =
        read_planes(table.section(Section::NameLengths)?, zstd, |length| length)?;
    let bytes = read_bytes(table.section(Section::NameBytes)?, zstd)?;
    let names = Names::from_parts(bytes, lengths.into_iter())?;
    names.ok_or_else(|| meaningless(Section::NameLengths, "a length"))
}

fn read_large_sizes(
    table: &Table<'_>,
    zstd: &mut Decompressor,
) -> Result<Vec<(NodeId, u64)>, LoadError> {
    read_rows(table, Section::LargeSizes, zstd, |[node, size]| {
        Some((node_id(node)?, size))
    })
}

fn read_runs(table: &Table<'_>, zstd: &mut Decompressor) -> Result<Vec<Run>, LoadError> {
    read_rows(table, Section::Runs, zstd, |[start, order]| {
        let order = match order {
            0 => RunOrder::None,
            1 => RunOrder::Allocation,
            2 => RunOrder::Finalizer,
            _ => return None,
        };
        let start = node_id(start)?;
        Some(Run { start, order })
    })
}

fn read_marks(table: &Table<'_>, zstd: &mut Decompressor) -> Result<Vec<Mark>, LoadError> {
    read_rows(table, Section::Marks, zstd, |[address, place, run]| {
        Some(Mark {
            address,
            place: node_id(place)?,
            run: u32::try_from(run).ok()?,
        })
    })
}

fn read_sparse_tables(
    table: &Table<'_>,
    zstd: &mut Decompressor,
) -> Result<Vec<SparseTable>, LoadError> {
    read_rows(table, Section::SparseTables, zstd, |row: [u64; 5]| {
        Some(SparseTable {
            node: node_id(row[0])?,
            array_slots: u32::try_from(row[1]).ok()?,
            array_used: u32::try_from(row[2]).ok()?,
            hash_slots: u32::try_from(row[3]).ok()?,
            hash_used: u32::try_from(row[4]).ok()?,
        })
    })
}

fn read_threads(table: &Table<'_>, zstd: &mut Decompressor) -> Result<Vec<ThreadState>, LoadError> {
    read_rows(table, Section::Threads, zstd, |row: [u64; 9]| {
        let number = |at: usize| u32::try_from(row[at]).ok();
        let place = |at: usize| {
            Some(CodePlace {
                source: NameId(number(at)?),
                line: number(at + 1)?,
            })
        };
        Some(ThreadState {
            node: node_id(row[0])?,
            status: ThreadStatus::from_number(u8::try_from(row[1]).ok()?)?,
            place: place(2)?,
            defined: number(4)?,
            function: NameId(number(5)?),
            caller: place(6)?,
            error: NameId(number(8)?),
        })
    })
}

fn read_loaded_code(
    table: &Table<'_>,
    zstd: &mut Decompressor,
) -> Result<Vec<LoadedCode>, LoadError> {
    read_rows(table, Section::LoadedCode, zstd, |row: [u64; 3]| {
        let shape = CodeShape {
            last_line: u32::try_from(row[1]).ok()?,
            upvalues: u8::try_from(row[2]).ok()?,
        };
        let node = node_id(row[0])?;
        Some(LoadedCode { node, shape })
    })
}

/// Reads the environments of an excerpt; `None` if there are none, and those that its code shows count.
fn read_environments(
    table: &Table<'_>,
    zstd: &mut Decompressor,
) -> Result<Option<Vec<Environment>>, LoadError> {
    let rows = read_rows(table, Section::Environments, zstd, |[node, chunk]| {
        let chunk = NameId(u32::try_from(chunk).ok()?);
        let node = node_id(node)?;
        Some(Environment { node, chunk })
    })?;
    Ok((!rows.is_empty()).then_some(rows))
}

fn read_difference(
    table: &Table<'_>,
    zstd: &mut Decompressor,
) -> Result<StoredDifference, LoadError> {
    let tags = read_bytes(table.section(Section::Changes)?, zstd)?;
    let entries: Vec<u32> =
        read_planes(table.section(Section::ChangedEntries)?, zstd, |entries| {
            entries
        })?;
    let mut difference = StoredDifference {
        changes: Vec::new(),
        refs: read_planes(table.section(Section::Refs)?, zstd, |refs| refs)?,
    };
    difference.changes.try_reserve_exact(tags.len())?;
    for (tag, entries) in tags.into_iter().zip(entries) {
        let change = match tag {
            0 => Change::None,
            1 => Change::New,
            2 => Change::Gone,
            3 => Change::Grew(entries),
            4 => Change::Shrank(entries),
            _ => return Err(meaningless(Section::Changes, "a change")),
        };
        difference.changes.push(change);
    }
    Ok(difference)
}

/// Reads rows of 64-bit numbers.
fn read_rows<const N: usize, T>(
    table: &Table<'_>,
    section: Section,
    zstd: &mut Decompressor,
    make: impl Fn([u64; N]) -> Option<T>,
) -> Result<Vec<T>, LoadError> {
    let Some(mut place) = table.section(section)? else {
        return Ok(Vec::new());
    };
    let mut rows = column(&place)?;
    place.entry.count = place.entry.count.saturating_mul(8 * N as u64);
    let bytes = read_bytes(Some(place), zstd)?;
    for row in bytes.chunks_exact(8 * N) {
        let row = std::array::from_fn(|at| u64_at(row, 8 * at));
        rows.push(make(row).ok_or_else(|| meaningless(section, "a row"))?);
    }
    Ok(rows)
}

fn node_id(number: u64) -> Option<NodeId> {
    u32::try_from(number).ok().map(NodeId)
}

fn meaningless(section: Section, what: &'static str) -> LoadError {
    LoadError::malformed(section.name(), Problem::Value(what))
}
