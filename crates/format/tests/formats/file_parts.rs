//! Snapshot files taken apart and put together again, with checksums that are right whatever the
//! contents. The fuzz target uses this too.

use xxhash_rust::xxh3::xxh3_64;
use zstd::bulk::{compress, decompress};

/// Bytes of the header.
pub const HEADER: usize = 64;
/// Bytes of an entry of the table.
pub const ENTRY: usize = 32;
/// The encoding that is not compressed.
const RAW: u8 = 0;

/// The numbers of the sections that tests change.
pub mod section {
    pub const KINDS: u16 = 2;
    pub const ADDRESSES: u16 = 3;
    pub const SIZES: u16 = 4;
    pub const LARGE_SIZES: u16 = 5;
    pub const SOURCES: u16 = 7;
    pub const EDGE_COUNTS: u16 = 8;
    pub const TARGETS: u16 = 9;
    pub const LABELS: u16 = 10;
    pub const NAME_LENGTHS: u16 = 13;
    pub const NAME_BYTES: u16 = 14;
    pub const RUNS: u16 = 15;
    pub const MARKS: u16 = 16;
    pub const SPARSE_TABLES: u16 = 17;
    pub const THREADS: u16 = 22;
    pub const LOADED_CODE: u16 = 23;
    pub const ANSWERS: u16 = 29;
}

/// A section with its blocks decompressed.
#[derive(Clone, PartialEq, Debug)]
pub struct Part {
    pub number: u16,
    pub encoding: u8,
    pub flags: u8,
    pub count: u64,
    pub blocks: Vec<Vec<u8>>,
}

/// A file taken apart.
#[derive(Clone, PartialEq, Debug)]
pub struct Parts {
    pub format: u32,
    pub least_reader: u32,
    pub writer: String,
    pub sections: Vec<Part>,
}

fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap())
}

fn u64_at(bytes: &[u8], at: usize) -> u64 {
    u64::from_le_bytes(bytes[at..at + 8].try_into().unwrap())
}

impl Parts {
    /// Takes apart an undamaged file.
    pub fn of(file: &[u8]) -> Parts {
        let sections = u32_at(file, 48) as usize;
        let mut start = HEADER + sections * ENTRY + 8;
        let entries = file[HEADER..].chunks(ENTRY).take(sections);
        let sections = entries.map(|entry| {
            let stored = u64_at(entry, 16) as usize;
            let bytes = &file[start..start + stored];
            start += stored;
            Part {
                number: u16::from_le_bytes([entry[0], entry[1]]),
                encoding: entry[2],
                flags: entry[3],
                count: u64_at(entry, 8),
                blocks: match entry[2] {
                    RAW => vec![bytes.to_vec()],
                    _ => blocks(bytes),
                },
            }
        });
        let sections = sections.collect();
        let writer = file[16..40].iter().take_while(|byte| **byte != 0);
        Parts {
            format: u32_at(file, 8),
            least_reader: u32_at(file, 12),
            writer: writer.map(|byte| char::from(*byte)).collect(),
            sections,
        }
    }

    /// The file of these parts.
    pub fn file(&self) -> Vec<u8> {
        let (mut table, mut bodies) = (Vec::new(), Vec::new());
        for part in &self.sections {
            let body = part.body();
            table.extend_from_slice(&part.number.to_le_bytes());
            table.extend_from_slice(&[part.encoding, part.flags, 0, 0, 0, 0]);
            for number in [part.count, body.len() as u64, xxh3_64(&body)] {
                table.extend_from_slice(&number.to_le_bytes());
            }
            bodies.extend_from_slice(&body);
        }
        table.extend_from_slice(&xxh3_64(&table).to_le_bytes());
        let mut file = b"\x89LUASNAP".to_vec();
        file.extend_from_slice(&self.format.to_le_bytes());
        file.extend_from_slice(&self.least_reader.to_le_bytes());
        file.extend_from_slice(self.writer.as_bytes());
        file.resize(40, 0);
        let len = HEADER + table.len() + bodies.len();
        file.extend_from_slice(&(len as u64).to_le_bytes());
        file.extend_from_slice(&(self.sections.len() as u32).to_le_bytes());
        file.resize(56, 0);
        file.extend_from_slice(&xxh3_64(&file).to_le_bytes());
        file.extend(table);
        file.extend(bodies);
        file
    }

    /// The section with that number.
    pub fn section(&mut self, number: u16) -> &mut Part {
        let found = self.sections.iter_mut().find(|part| part.number == number);
        found.expect("the file has the section")
    }
}

impl Part {
    /// The bytes of the section in the file.
    fn body(&self) -> Vec<u8> {
        if self.encoding == RAW {
            return self.blocks.concat();
        }
        let mut body = Vec::new();
        for block in &self.blocks {
            let frame = compress(block, 1).unwrap();
            body.extend_from_slice(&(frame.len() as u32).to_le_bytes());
            body.extend_from_slice(&frame);
        }
        body
    }
}

fn blocks(mut bytes: &[u8]) -> Vec<Vec<u8>> {
    let mut blocks = Vec::new();
    while !bytes.is_empty() {
        let end = 4 + u32_at(bytes, 0) as usize;
        blocks.push(decompress(&bytes[4..end], 1 << 20).unwrap());
        bytes = &bytes[end..];
    }
    blocks
}

/// Corrects the checksums of a file, as far as their places can be found.
pub fn repair_checksums(file: &mut [u8]) {
    if file.len() < HEADER {
        return;
    }
    let sections = u32_at(file, 48) as usize;
    let table = sections.saturating_mul(ENTRY).saturating_add(HEADER);
    if table.saturating_add(8) <= file.len() {
        let mut start = table + 8;
        for entry in (HEADER..table).step_by(ENTRY) {
            let stored = u64_at(file, entry + 16).min(file.len() as u64) as usize;
            let end = start.saturating_add(stored).min(file.len());
            let checksum = xxh3_64(&file[start..end]);
            file[entry + 24..entry + 32].copy_from_slice(&checksum.to_le_bytes());
            start = end;
        }
        let checksum = xxh3_64(&file[HEADER..table]);
        file[table..table + 8].copy_from_slice(&checksum.to_le_bytes());
    }
    let checksum = xxh3_64(&file[..HEADER - 8]);
    file[HEADER - 8..HEADER].copy_from_slice(&checksum.to_le_bytes());
}
