//! The header of a file: magic bytes, versions, length.

use crate::luasnap::error::{LoadError, Problem};
use crate::luasnap::little_endian::{put_u32, put_u64, u32_at, u64_at};
use xxhash_rust::xxh3::xxh3_64;

/// The first bytes of a file.
pub(super) const MAGIC: [u8; 8] = *b"\x89LUASNAP";
/// The last version of the format that is read.
pub(super) const FORMAT: u32 = 2;
/// The version of what is written, ...
const WITHOUT_ANSWERS: u32 = 1;
/// ... and of a file with answers.
const WITH_ANSWERS: u32 = 2;
/// The first version whose readers can read what is written.
const LEAST_READER: u32 = 1;
/// Bytes of a header, in every version.
pub(super) const HEADER_LEN: usize = 64;
/// More sections than any version will have.
const MOST_SECTIONS: u32 = 1024;
/// Bytes of the writer's version in the header.
const WRITER_LEN: usize = 24;
const PART: &str = "header";

/// A header.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Header {
    /// Bytes of the whole file.
    pub(super) file_len: u64,
    /// The number of sections, at most [`MOST_SECTIONS`].
    pub(super) sections: u32,
}

impl Header {
    pub(super) fn bytes(self) -> [u8; HEADER_LEN] {
        self.bytes_in(WITHOUT_ANSWERS)
    }

    /// Returns the header of a file that has a section of answers.
    pub(super) fn bytes_with_answers(self) -> [u8; HEADER_LEN] {
        self.bytes_in(WITH_ANSWERS)
    }

    fn bytes_in(self, format: u32) -> [u8; HEADER_LEN] {
        let mut bytes = [0; HEADER_LEN];
        bytes[..8].copy_from_slice(&MAGIC);
        put_u32(&mut bytes, 8, format);
        put_u32(&mut bytes, 12, LEAST_READER);
        let writer = env!("CARGO_PKG_VERSION").as_bytes();
        let writer = &writer[..writer.len().min(WRITER_LEN)];
        bytes[16..16 + writer.len()].copy_from_slice(writer);
        put_u64(&mut bytes, 40, self.file_len);
        put_u32(&mut bytes, 48, self.sections);
        let checksum = xxh3_64(&bytes[..56]);
        put_u64(&mut bytes, 56, checksum);
        bytes
    }

    pub(super) fn read(bytes: &[u8]) -> Result<Header, LoadError> {
        if bytes.is_empty() {
            return Err(LoadError::Empty);
        }
        let magic = &bytes[..bytes.len().min(MAGIC.len())];
        if !MAGIC.starts_with(magic) {
            return Err(LoadError::Foreign);
        }
        let Some(bytes) = bytes.get(..HEADER_LEN) else {
            return Err(LoadError::Truncated {
                part: PART,
                bytes: (HEADER_LEN - bytes.len()) as u64,
                at_least: true,
            });
        };
        if xxh3_64(&bytes[..56]) != u64_at(bytes, 56) {
            return Err(LoadError::Damaged { part: PART });
        }
        let (format, least_reader) = (u32_at(bytes, 8), u32_at(bytes, 12));
        if least_reader > FORMAT {
            return Err(LoadError::Newer {
                writer: writer(&bytes[16..16 + WRITER_LEN]),
                format,
                newest: FORMAT,
            });
        }
        if format == 0 || least_reader == 0 || least_reader > format {
            let problem = Problem::Value("the version of the format");
            return Err(LoadError::malformed(PART, problem));
        }
        let sections = u32_at(bytes, 48);
        if sections > MOST_SECTIONS {
            let problem = Problem::Value("the number of sections");
            return Err(LoadError::malformed(PART, problem));
        }
        Ok(Header {
            file_len: u64_at(bytes, 40),
            sections,
        })
    }
}

/// Returns the version of the writer, with `?` for what cannot be shown.
fn writer(bytes: &[u8]) -> String {
    let end = bytes.iter().position(|byte| *byte == 0);
    let shown = bytes[..end.unwrap_or(bytes.len())].iter();
    shown
        .map(|byte| match byte.is_ascii_graphic() {
            true => char::from(*byte),
            false => '?',
        })
        .collect()
}
