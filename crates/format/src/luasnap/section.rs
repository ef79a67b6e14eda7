//! The sections of a file, and the table that lists them.

use crate::luasnap::error::{LoadError, Problem};
use crate::luasnap::header::{HEADER_LEN, Header};
use crate::luasnap::little_endian::{put_u32, put_u64, u16_at, u32_at, u64_at};
use xxhash_rust::xxh3::xxh3_64;

/// The sections. Their numbers are those in files: a new section gets a new number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u16)]
pub(super) enum Section {
    /// Facts about the heap as a whole.
    Facts = 1,
    /// By node.
    Kinds = 2,
    /// By node.
    Addresses = 3,
    /// By node.
    Sizes = 4,
    /// Rows: a node and its size.
    LargeSizes = 5,
    /// By node.
    Counts = 6,
    /// By node.
    Sources = 7,
    /// By node.
    EdgeCounts = 8,
    /// By edge.
    Targets = 9,
    /// By edge.
    Labels = 10,
    /// By large label: its tag.
    WideTags = 11,
    /// By large label: its value.
    WideValues = 12,
    /// By name.
    NameLengths = 13,
    /// The names, one after the other.
    NameBytes = 14,
    /// Rows: the start of a run, and the meaning of its order.
    Runs = 15,
    /// Rows: a marker's address, its place and its run.
    Marks = 16,
    /// Rows: a table, and the slots and used slots of each of its two parts.
    SparseTables = 17,
    /// By node, in a difference: its change.
    Changes = 18,
    /// By node, in a difference: by how many entries it grew or shrank.
    ChangedEntries = 19,
    /// By node, in a difference: the number of references to it.
    Refs = 20,
    /// Zeros that pad the file to the size that its contents require.
    Padding = 21,
    /// Rows: a thread, and what it is doing.
    Threads = 22,
    /// Rows: code that was loaded without a name, the line where it ends, and the number of its upvalues.
    LoadedCode = 23,
    /// Rows: an environment at which paths start, and the name of its chunk.
    Environments = 24,
    /// Of a difference: a whole file with the examples of the groups that changed.
    ChangedHeap = 25,
    /// Rows: a path pattern.
    Patterns = 26,
    /// Rows: a group.
    Groups = 27,
    /// Rows: what grew or shrank.
    Resized = 28,
    /// The hash of all other sections, and answers to questions about the heap.
    Answers = 29,
}

/// How the values of a section are encoded.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
#[repr(u8)]
pub(super) enum Encoding {
    /// Plain bytes, not compressed.
    Raw = 0,
    /// Blocks of bytes.
    Bytes = 1,
    /// Blocks of numbers, in byte planes.
    Planes = 2,
    /// Blocks of differences to the number before, in byte planes.
    Deltas = 3,
    /// Blocks of differences to the last number of a node of the same kind, in byte planes.
    ByKind = 4,
    /// Blocks of labels.
    Labels = 5,
    /// Blocks of differences to the target of the last similar reference, in byte planes.
    Targets = 6,
}

impl Section {
    /// All sections, in the order in which they are written.
    pub(super) const ALL: [Section; 29] = [
        Section::Facts,
        Section::Kinds,
        Section::Addresses,
        Section::Sizes,
        Section::LargeSizes,
        Section::Counts,
        Section::Sources,
        Section::EdgeCounts,
        Section::Targets,
        Section::Labels,
        Section::WideTags,
        Section::WideValues,
        Section::NameLengths,
        Section::NameBytes,
        Section::Runs,
        Section::Marks,
        Section::SparseTables,
        Section::Changes,
        Section::ChangedEntries,
        Section::Refs,
        Section::Padding,
        Section::Threads,
        Section::LoadedCode,
        Section::Environments,
        Section::ChangedHeap,
        Section::Patterns,
        Section::Groups,
        Section::Resized,
        Section::Answers,
    ];

    fn from_number(number: u16) -> Option<Section> {
        Self::ALL.get(usize::from(number).checked_sub(1)?).copied()
    }

    /// Returns the name in messages.
    pub(super) fn name(self) -> &'static str {
        match self {
            Section::Facts => "section of facts",
            Section::Kinds => "section of kinds",
            Section::Addresses => "section of addresses",
            Section::Sizes => "section of sizes",
            Section::LargeSizes => "section of large sizes",
            Section::Counts => "section of counts",
            Section::Sources => "section of sources",
            Section::EdgeCounts => "section of numbers of references",
            Section::Targets => "section of targets",
            Section::Labels => "section of labels",
            Section::WideTags => "section of large labels' tags",
            Section::WideValues => "section of large labels' values",
            Section::NameLengths => "section of names' lengths",
            Section::NameBytes => "section of names",
            Section::Runs => "section of runs",
            Section::Marks => "section of marks",
            Section::SparseTables => "section of sparse tables",
            Section::Changes => "section of changes",
            Section::ChangedEntries => "section of changed entries",
            Section::Refs => "section of counted references",
            Section::Padding => "padding",
            Section::Threads => "section of threads",
            Section::LoadedCode => "section of loaded code",
            Section::Environments => "section of environments",
            Section::ChangedHeap => "section of examples",
            Section::Patterns => "section of path patterns",
            Section::Groups => "section of groups",
            Section::Resized => "section of resized tables",
            Section::Answers => "section of answers",
        }
    }

    pub(super) fn encoding(self) -> Encoding {
        match self {
            Section::Facts
            | Section::Kinds
            | Section::LargeSizes
            | Section::WideTags
            | Section::NameBytes
            | Section::Runs
            | Section::Marks
            | Section::SparseTables
            | Section::Threads
            | Section::LoadedCode
            | Section::Environments
            | Section::Patterns
            | Section::Groups
            | Section::Resized
            | Section::Answers
            | Section::Changes => Encoding::Bytes,
            Section::Sizes
            | Section::Counts
            | Section::EdgeCounts
            | Section::NameLengths
            | Section::ChangedEntries
            | Section::Refs => Encoding::Planes,
            Section::Addresses | Section::WideValues => Encoding::Deltas,
            Section::Sources => Encoding::ByKind,
            Section::Targets => Encoding::Targets,
            Section::Labels => Encoding::Labels,
            Section::Padding | Section::ChangedHeap => Encoding::Raw,
        }
    }

    /// Returns the bytes of memory that a reader needs for each value.
    pub(super) fn memory(self) -> u64 {
        match self {
            Section::Facts | Section::Kinds | Section::NameBytes | Section::Changes => 1,
            // That file keeps to the same bound by itself.
            Section::ChangedHeap => 1,
            Section::Answers => 1,
            Section::Addresses | Section::NameLengths | Section::EdgeCounts => 8,
            Section::Sizes | Section::Counts | Section::Sources => 4,
            Section::Targets | Section::Labels | Section::ChangedEntries | Section::Refs => 4,
            Section::WideTags | Section::WideValues => 16,
            Section::LargeSizes => 64,
            Section::Runs => 8,
            Section::Marks => 16,
            Section::SparseTables => 20,
            Section::Threads => 36,
            Section::LoadedCode => 12,
            Section::Environments => 8,
            Section::Patterns => 80,
            Section::Groups => 240,
            Section::Resized => 56,
            Section::Padding => 0,
        }
    }

    /// Whether readers that do not know the section may skip it.
    fn is_optional(self) -> bool {
        matches!(
            self,
            Section::Padding
                | Section::Threads
                | Section::LoadedCode
                | Section::Environments
                | Section::ChangedHeap
                | Section::Patterns
                | Section::Groups
                | Section::Resized
                | Section::Answers
        )
    }
}

/// A section in the table.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Entry {
    pub(super) section: Section,
    /// The number of its values: bytes, numbers or rows.
    pub(super) count: u64,
    /// Its number of bytes in the file.
    pub(super) stored_len: u64,
    /// xxh3 of these bytes.
    pub(super) checksum: u64,
}

/// Bytes of an entry of the table.
const ENTRY_LEN: usize = 32;
/// A flag of sections that readers may skip if they do not know them.
const OPTIONAL: u8 = 1;
const PART: &str = "table of sections";

/// Returns the length of the table in bytes, with its checksum.
pub(super) fn table_len(sections: u32) -> usize {
    sections as usize * ENTRY_LEN + 8
}

/// Returns the start of the first section.
fn start_of_sections(sections: u32) -> usize {
    HEADER_LEN + table_len(sections)
}

/// Returns the entries of a file's table, after checking that they are undamaged and that the
/// sections add up to the length in the header. `file` may end after its table.
pub(super) fn proven_entries(file: &[u8], header: Header) -> Result<&[u8], LoadError> {
    let start = start_of_sections(header.sections);
    let Some(table) = file.get(HEADER_LEN..start) else {
        return Err(cut_off(PART, file, header.file_len.max(start as u64)));
    };
    let (entries, checksum) = table.split_at(table.len() - 8);
    if xxh3_64(entries) != u64_at(checksum, 0) {
        return Err(LoadError::Damaged { part: PART });
    }
    let end = entries
        .chunks_exact(ENTRY_LEN)
        .try_fold(start as u64, |end, entry| {
            end.checked_add(stored_len(entry))
        });
    match end == Some(header.file_len) {
        true => Ok(entries),
        false => Err(LoadError::malformed(PART, Problem::Lengths)),
    }
}

/// Returns the number of bytes that an entry's section has in the file.
fn stored_len(entry: &[u8]) -> u64 {
    u64_at(entry, 16)
}

impl Entry {
    /// Returns the entry as it is in a file.
    pub(super) fn bytes(&self) -> [u8; ENTRY_LEN] {
        let mut bytes = [0; ENTRY_LEN];
        bytes[..2].copy_from_slice(&(self.section as u16).to_le_bytes());
        bytes[2] = self.section.encoding() as u8;
        bytes[3] = match self.section.is_optional() {
            true => OPTIONAL,
            false => 0,
        };
        put_u32(&mut bytes, 4, 0);
        put_u64(&mut bytes, 8, self.count);
        put_u64(&mut bytes, 16, self.stored_len);
        put_u64(&mut bytes, 24, self.checksum);
        bytes
    }
}

/// A section of any version, as it is in a file.
pub(super) struct RawSection<'a> {
    pub(super) entry: &'a [u8],
    pub(super) bytes: &'a [u8],
}

impl RawSection<'_> {
    pub(super) fn is(&self, section: Section) -> bool {
        u16_at(self.entry, 0) == section as u16
    }
}

/// Returns all sections of a whole file, known or not.
pub(super) fn raw_sections(file: &[u8], header: Header) -> Result<Vec<RawSection<'_>>, LoadError> {
    let mut sections = Vec::new();
    sections.try_reserve_exact(header.sections as usize)?;
    let entries = proven_entries(file, header)?;
    let mut rest = &file[start_of_sections(header.sections)..];
    for entry in entries.chunks_exact(ENTRY_LEN) {
        let bytes = rest.split_at_checked(stored_len(entry) as usize);
        let (bytes, behind) = bytes.ok_or_else(|| cut_off(PART, file, header.file_len))?;
        rest = behind;
        sections.push(RawSection { entry, bytes });
    }
    Ok(sections)
}

/// Returns the table, with its checksum.
pub(super) fn table_bytes(entries: &[Entry]) -> Vec<u8> {
    let mut bytes = vec![0; table_len(entries.len() as u32)];
    for (entry, bytes) in entries.iter().zip(bytes.chunks_exact_mut(ENTRY_LEN)) {
        bytes.copy_from_slice(&entry.bytes());
    }
    let end = bytes.len() - 8;
    let checksum = xxh3_64(&bytes[..end]);
    put_u64(&mut bytes, end, checksum);
    bytes
}

/// A section in a file.
#[derive(Clone, Copy, Debug)]
pub(super) struct Place<'a> {
    pub(super) entry: Entry,
    pub(super) bytes: &'a [u8],
}

/// The sections of a file.
#[derive(Debug)]
pub(super) struct Table<'a> {
    places: [Option<Place<'a>>; Section::ALL.len()],
}

impl<'a> Table<'a> {
    /// Reads the table of `file`, which is as long as its header says or shorter.
    pub(super) fn read(file: &'a [u8], header: Header) -> Result<Self, LoadError> {
        let mut found = Table {
            places: [const { None }; Section::ALL.len()],
        };
        let mut start = start_of_sections(header.sections) as u64;
        for entry in proven_entries(file, header)?.chunks_exact(ENTRY_LEN) {
            start = found.add(file, header.file_len, entry, start)?;
        }
        Ok(found)
    }

    /// Adds the section of an entry, and returns the start of the next one.
    fn add(
        &mut self,
        file: &'a [u8],
        file_len: u64,
        entry: &[u8],
        start: u64,
    ) -> Result<u64, LoadError> {
        let (number, encoding, flags) = (u16_at(entry, 0), entry[2], entry[3]);
        let section = Section::from_number(number);
        let part = section.map_or("unknown section", Section::name);
        let stored_len = stored_len(entry);
        let end = start + stored_len; // at most that of the file
        if end > file.len() as u64 {
            return Err(cut_off(part, file, file_len));
        }
        let bytes = &file[start as usize..end as usize];
        let checksum = u64_at(entry, 24);
        let Some(section) = section else {
            if flags & OPTIONAL == 0 {
                let problem = Problem::UnknownSection(number);
                return Err(LoadError::malformed(PART, problem));
            }
            check(part, bytes, checksum)?;
            return Ok(end);
        };
        if encoding != section.encoding() as u8 {
            let problem = Problem::UnknownEncoding(encoding);
            return Err(LoadError::malformed(part, problem));
        }
        if u32_at(entry, 4) != 0 {
            return Err(LoadError::malformed(part, Problem::Value("its entry")));
        }
        let entry = Entry {
            section,
            count: u64_at(entry, 8),
            stored_len,
            checksum,
        };
        let place = &mut self.places[section as usize - 1];
        if place.replace(Place { entry, bytes }).is_some() {
            return Err(LoadError::malformed(part, Problem::Twice));
        }
        Ok(end)
    }

    /// Returns the section, if the file has it, after checking that it is undamaged.
    pub(super) fn section(&self, section: Section) -> Result<Option<Place<'a>>, LoadError> {
        let Some(place) = self.places[section as usize - 1] else {
            return Ok(None);
        };
        check(section.name(), place.bytes, place.entry.checksum)?;
        Ok(Some(place))
    }

    /// Returns the entries of all known sections of the file.
    pub(super) fn entries(&self) -> impl Iterator<Item = &Entry> {
        self.places.iter().flatten().map(|place| &place.entry)
    }
}

fn check(part: &'static str, bytes: &[u8], checksum: u64) -> Result<(), LoadError> {
    match xxh3_64(bytes) == checksum {
        true => Ok(()),
        false => Err(LoadError::Damaged { part }),
    }
}

fn cut_off(part: &'static str, file: &[u8], file_len: u64) -> LoadError {
    LoadError::Truncated {
        part,
        bytes: file_len - file.len() as u64,
        at_least: false,
    }
}
