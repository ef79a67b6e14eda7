//! Answers that are kept in a snapshot file, so that a question is worked out once: where they lie.
//!
//! They are bound to the bytes of the heap in the same file, by a hash. What does not fit, or is damaged, is as if it
//! were not there.

use crate::answer_error::{AnswerError, Result};
use crate::file::{FileError, FileOptions, write_file};
use crate::luasnap::answer_parts::{FileAnswers, NewAnswers};
use crate::luasnap::block::{BYTES, BlockWriter, Decompressor};
use crate::luasnap::error::{LoadError, Problem};
use crate::luasnap::header::{HEADER_LEN, Header};
use crate::luasnap::memory_bound;
use crate::luasnap::numbers::read_bytes;
use crate::luasnap::reader::read_whole;
use crate::luasnap::section::{Entry, Section, Table, raw_sections, table_len};
use rustix::process::geteuid;
use std::fs::{self, File, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use xxhash_rust::xxh3::{Xxh3, xxh3_64};

/// The most bytes of answers that are read.
const MOST_BYTES: u64 = 64 << 20;

impl FileAnswers {
    /// Returns the answers in a snapshot file, which may be none; `None` if it is no regular file, or no undamaged
    /// snapshot file, of which [`open_snapshot`](crate::open_snapshot) then says why.
    pub fn of(path: &Path) -> Option<FileAnswers> {
        let metadata = fs::metadata(path).ok()?;
        // What a pipe has can be read only once.
        if !metadata.is_file() {
            return None;
        }
        let bytes = read_whole(&mut File::open(path).ok()?).ok()?;
        let table = whole_table(&bytes).ok()?;
        memory_bound::is_size_plausible(bytes.len() as u64, table.entries()).then_some(())?;
        Some(FileAnswers::in_file(&table))
    }

    fn in_file(table: &Table<'_>) -> FileAnswers {
        let heap = heap_hash(table);
        FileAnswers::new(heap, &stored(table, heap).unwrap_or_default())
    }
}

/// Returns the answers that are stored about the heap with this hash.
fn stored(table: &Table<'_>, heap: u64) -> Option<Vec<u8>> {
    let answers = table.section(Section::Answers).ok()??;
    (answers.entry.count <= MOST_BYTES).then_some(())?;
    let content = read_bytes(Some(answers), &mut Decompressor::new().ok()?).ok()?;
    let (hash, answers) = content.split_first_chunk()?;
    (u64::from_le_bytes(*hash) == heap).then(|| answers.to_vec())
}

/// A snapshot file as it was when it was read.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct FileIdentity {
    device: u64,
    inode: u64,
    len: u64,
    modified: (i64, i64),
}

impl FileIdentity {
    /// Returns what tells a regular file from one that takes its place; `None` for anything else.
    pub fn of(path: &Path) -> Option<FileIdentity> {
        let metadata = fs::metadata(path).ok().filter(Metadata::is_file)?;
        Some(FileIdentity::of_metadata(&metadata))
    }

    fn of_metadata(metadata: &Metadata) -> FileIdentity {
        FileIdentity {
            device: metadata.dev(),
            inode: metadata.ino(),
            len: metadata.len(),
            modified: (metadata.mtime(), metadata.mtime_nsec()),
        }
    }
}

/// Adds answers to a snapshot file, in place of older ones to the same questions. The heap in it, its owner, its mode and
/// the time when it changed stay.
///
/// Returns whether they were added: not to a file that has them, or that has changed since it was read, that this user does not own or
/// may not write, or that has several names.
///
/// # Errors
///
/// [`FileError`] if the file cannot be read any more, or if the new one cannot be written. The older one is then
/// unchanged.
pub fn add_answers(
    path: &Path,
    read: FileIdentity,
    answers: &NewAnswers<'_>,
) -> Result<bool, FileError> {
    let failed = |source: AnswerError| FileError {
        path: path.to_owned(),
        source,
    };
    let mut file = File::open(path).map_err(|error| failed(error.into()))?;
    let metadata = file.metadata().map_err(|error| failed(error.into()))?;
    if !may_be_replaced(&metadata) || FileIdentity::of_metadata(&metadata) != read {
        return Ok(false);
    }
    let bytes = read_whole(&mut file).map_err(|error| failed(of_load(error)))?;
    let Some(whole) = with_answers(&bytes, answers).map_err(failed)? else {
        return Ok(false);
    };
    let options = FileOptions {
        synced: true,
        modified: metadata.modified().ok(),
        ..FileOptions::default()
    };
    if FileIdentity::of(path) != Some(read) {
        return Ok(false);
    }
    write_file(path, options, |out| Ok(out.write_all(&whole)?))?;
    Ok(true)
}

/// Whether a file can be replaced so that nobody sees a difference.
fn may_be_replaced(metadata: &Metadata) -> bool {
    const WRITABLE: u32 = 0o200;
    let is_own = metadata.uid() == geteuid().as_raw();
    metadata.is_file() && is_own && metadata.nlink() == 1 && metadata.mode() & WRITABLE != 0
}

fn of_load(error: LoadError) -> AnswerError {
    match error {
        LoadError::OutOfMemory => AnswerError::OutOfMemory,
        error => AnswerError::Io(std::io::Error::other(error)),
    }
}

/// Returns the table of a whole, undamaged file.
fn whole_table(bytes: &[u8]) -> Result<Table<'_>, LoadError> {
    let header = Header::read(bytes)?;
    if bytes.len() as u64 > header.file_len {
        return Err(LoadError::malformed("end", Problem::TrailingBytes));
    }
    let table = Table::read(bytes, header)?;
    for section in Section::ALL {
        table.section(section)?;
    }
    Ok(table)
}

/// Returns the hash of all that a file says of its heap: the checksums of the sections are those of their bytes.
fn heap_hash(table: &Table<'_>) -> u64 {
    let mut hash = Xxh3::new();
    let of_heap = |entry: &&Entry| !matches!(entry.section, Section::Answers | Section::Padding);
    for entry in table.entries().filter(of_heap) {
        for number in [
            entry.section as u64,
            entry.count,
            entry.stored_len,
            entry.checksum,
        ] {
            hash.update(&number.to_le_bytes());
        }
    }
    hash.digest()
}

/// Returns a file with these answers in place of older ones, all other sections as they are; `None` if it has these
/// already, or if it would break the [bound on memory](memory_bound).
fn with_answers(bytes: &[u8], answers: &NewAnswers<'_>) -> Result<Option<Vec<u8>>> {
    let header = Header::read(bytes).map_err(of_load)?;
    let table = whole_table(bytes).map_err(of_load)?;
    let known = FileAnswers::in_file(&table);
    let answers = known.bytes_with(answers)?;
    if known.are(&answers) {
        return Ok(None);
    }
    let section = answers_section(known.heap(), &answers)?;
    let entry = Entry {
        section: Section::Answers,
        count: (8 + answers.len()) as u64,
        stored_len: section.len() as u64,
        checksum: xxh3_64(&section),
    };
    let kept = raw_sections(bytes, header).map_err(of_load)?;
    let kept = || kept.iter().filter(|raw| !raw.is(Section::Answers));
    let sections = kept().count() as u32 + 1;
    let stored: usize = kept().map(|raw| raw.bytes.len()).sum();
    let len = HEADER_LEN + table_len(sections) + stored + section.len();
    let entries = table
        .entries()
        .filter(|entry| entry.section != Section::Answers);
    if !memory_bound::is_size_plausible(len as u64, entries.chain([&entry])) {
        return Ok(None);
    }
    let header = Header {
        file_len: len as u64,
        sections,
    };
    let mut file = Vec::new();
    file.try_reserve_exact(len)?;
    file.extend_from_slice(&header.bytes_with_answers());
    for raw in kept() {
        file.extend_from_slice(raw.entry);
    }
    file.extend_from_slice(&entry.bytes());
    let checksum = xxh3_64(&file[HEADER_LEN..]);
    file.extend_from_slice(&checksum.to_le_bytes());
    for raw in kept() {
        file.extend_from_slice(raw.bytes);
    }
    file.extend_from_slice(&section);
    Ok(Some(file))
}

fn answers_section(hash: u64, answers: &[u8]) -> Result<Vec<u8>> {
    let mut content = Vec::new();
    content.try_reserve_exact(8 + answers.len())?;
    content.extend_from_slice(&hash.to_le_bytes());
    content.extend_from_slice(answers);
    let mut blocks = BlockWriter::new()?;
    for block in content.chunks(BYTES) {
        blocks.put(block)?;
    }
    Ok(blocks.take())
}
