//! What a core file records about its process: its id, its program, and the files that were mapped.

use crate::capture_time::fnv1a;
use crate::machine::{AT_ENTRY, AT_RANDOM};
use crate::memory::memory::Memory;
use luasnap_heap::Process;
use object::elf::{FileHeader64, ProgramHeader64};
use object::read::elf::ProgramHeader;
use object::{Endianness, elf};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

/// Offset of `pr_pid` in `NT_PRPSINFO` of a 64-bit machine.
const PROCESS_ID: usize = 24;
/// Number of random bytes that each start of a program gets at the address in `AT_RANDOM`.
const RANDOM_BYTES: usize = 16;

/// A mapped part of a file.
#[derive(Clone, PartialEq, Eq, Debug)]
pub(super) struct MappedFile {
    pub(super) start: u64,
    pub(super) end: u64,
    /// Its offset in the file, in bytes.
    pub(super) offset: u64,
    pub(super) path: PathBuf,
}

/// The notes of a core file, as far as there are any.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Notes {
    process: Option<u32>,
    entry: Option<u64>,
    random: Option<u64>,
    /// By address.
    pub(super) files: Vec<MappedFile>,
}

impl Notes {
    /// Reads the notes of all segments that have any.
    pub(super) fn new(
        segments: &[ProgramHeader64<Endianness>],
        endian: Endianness,
        data: &[u8],
    ) -> Notes {
        let mut read = Notes::default();
        for segment in segments {
            let Ok(Some(mut notes)) = segment.notes(endian, data) else {
                continue;
            };
            while let Ok(Some(note)) = notes.next() {
                let _: &object::read::elf::Note<'_, FileHeader64<Endianness>> = &note;
                match note.n_type(endian) {
                    elf::NT_PRPSINFO => read.process = int(note.desc(), PROCESS_ID),
                    elf::NT_AUXV => read.read_auxiliary(note.desc()),
                    elf::NT_FILE => read.files = mapped_files(note.desc()).unwrap_or_default(),
                    _ => {}
                }
            }
        }
        read
    }

    fn read_auxiliary(&mut self, vector: &[u8]) {
        for at in (0..vector.len()).step_by(16) {
            match word(vector, at) {
                Some(AT_ENTRY) => self.entry = word(vector, at + 8),
                Some(AT_RANDOM) => self.random = word(vector, at + 8),
                _ => {}
            }
        }
    }

    /// Identifies the process. It is the same for two core files of one process.
    pub(super) fn process(&self, memory: &impl Memory) -> Option<Process> {
        let id = self.process?;
        let random = memory.bytes(self.random?, RANDOM_BYTES)?;
        let parts = [b"core", &id.to_le_bytes()[..], random];
        Some(Process {
            id,
            instance: fnv1a(parts.into_iter().flatten().copied()),
        })
    }

    /// Sets another path for the program's own file.
    pub(super) fn set_program(&mut self, path: &Path) {
        let Some(entry) = self.entry else { return };
        let program = self
            .files
            .iter()
            .find(|file| (file.start..file.end).contains(&entry))
            .map(|file| file.path.clone());
        for file in &mut self.files {
            if Some(&file.path) == program.as_ref() {
                file.path = path.to_owned();
            }
        }
    }
}

/// Parses `NT_FILE`: counts and addresses first, then a zero-terminated name for each.
fn mapped_files(note: &[u8]) -> Option<Vec<MappedFile>> {
    let (count, page) = (word(note, 0)?, word(note, 8)?);
    let names = usize::try_from(count)
        .ok()?
        .checked_mul(24)?
        .checked_add(16)?;
    let names = note.get(names..)?.split(|&byte| byte == 0);
    let mut files = Vec::new();
    for (at, name) in (16..).step_by(24).zip(names).take(count as usize) {
        files.push(MappedFile {
            start: word(note, at)?,
            end: word(note, at + 8)?,
            offset: word(note, at + 16)?.checked_mul(page)?,
            path: PathBuf::from(OsStr::from_bytes(name)),
        });
    }
    files.sort_by_key(|file| file.start);
    Some(files)
}

fn word(bytes: &[u8], at: usize) -> Option<u64> {
    Some(u64::from_ne_bytes(bytes.get(at..at + 8)?.try_into().ok()?))
}

fn int(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_ne_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn note(words: &[u64], names: &[u8]) -> Vec<u8> {
        let words = words.iter().flat_map(|word| word.to_ne_bytes());
        words.chain(names.iter().copied()).collect()
    }

    #[test]
    fn mapped_files_are_listed() {
        let bytes = note(
            &[2, 4096, 0x9000, 0xa000, 3, 0x1000, 0x2000, 0],
            b"/lib/b\0/bin/a\0",
        );
        let files = mapped_files(&bytes).unwrap();
        let file = |start, end, offset, path: &str| MappedFile {
            start,
            end,
            offset,
            path: path.into(),
        };
        assert_eq!(
            files,
            [
                file(0x1000, 0x2000, 0, "/bin/a"),
                file(0x9000, 0xa000, 3 * 4096, "/lib/b"),
            ]
        );
        for len in 0..bytes.len() {
            let _ = mapped_files(&bytes[..len]); // what is cut off is no reason to fail
        }
        assert_eq!(mapped_files(&note(&[u64::MAX, 4096], b"")), None);
        assert_eq!(mapped_files(&note(&[1, u64::MAX, 1, 2, 3], b"x\0")), None);
    }

    #[test]
    fn the_program_may_lie_elsewhere_now() {
        let bytes = note(
            &[2, 1, 0x1000, 0x2000, 0, 0x3000, 0x4000, 0],
            b"/bin/a\0/lib/b\0",
        );
        let mut notes = Notes {
            files: mapped_files(&bytes).unwrap(),
            ..Notes::default()
        };
        notes.read_auxiliary(&note(&[3, 7, AT_ENTRY, 0x1234, 0, 0], b""));
        notes.set_program(Path::new("/other/a"));
        let paths: Vec<_> = notes.files.iter().map(|file| file.path.as_path()).collect();
        assert_eq!(paths, [Path::new("/other/a"), Path::new("/lib/b")]);
    }
}
