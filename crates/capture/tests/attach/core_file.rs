//! Writing core files by hand, as the kernel writes them.

use std::fs::{self, File};
use std::io::{Read, Seek, SeekFrom, Write};
use std::path::Path;

/// The bytes of a page.
pub const PAGE: usize = 4096;

/// What a core file leaves out of the process's writable memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Left {
    None,
    /// Memory shared with named files, which the kernel leaves out unless configured otherwise.
    SharedFiles,
}

/// Writes a core file of a stopped process, as the kernel does: with all writable memory but what
/// is left out, and nothing of read-only files.
pub fn write_core(process: u32, path: &Path, left: Left) {
    let maps = fs::read_to_string(format!("/proc/{process}/maps")).expect("its maps");
    let mut memory = File::open(format!("/proc/{process}/mem")).expect("its memory");
    let (mut segments, mut files) = (Vec::new(), Vec::new());
    for line in maps.lines().filter(|line| !line.contains("[v")) {
        let (range, rest) = line.split_once(' ').expect("a range");
        let (start, end) = range.split_once('-').expect("two ends");
        let number = |text| u64::from_str_radix(text, 16).expect("a number");
        let (start, end) = (number(start), number(end));
        let is_writable = rest.starts_with("rw");
        let mut bytes = Vec::new();
        let name = rest
            .splitn(5, ' ')
            .nth(4)
            .and_then(|rest| rest.find('/').map(|at| &rest[at..]));
        let name = name.filter(|name| !name.ends_with("(deleted)"));
        if let Some(name) = name {
            let offset = rest.split(' ').nth(1).expect("an offset");
            files.push((start, end, number(offset), name.to_owned()));
        }
        let is_left = left == Left::SharedFiles && rest.starts_with("rw-s") && name.is_some();
        let is_anonymous = rest.starts_with('r') && !rest.contains('/');
        if (is_writable && !is_left) || is_anonymous {
            bytes.resize((end - start) as usize, 0);
            memory.seek(SeekFrom::Start(start)).expect("an address");
            memory.read_exact(&mut bytes).expect("its memory");
        }
        segments.push((start, end - start, is_writable, bytes));
    }
    let mut note = prpsinfo(process);
    note.extend(mapped_files(&files));
    let mut header = Vec::new();
    let count = segments.len() + 1;
    header.extend(b"\x7fELF\x02\x01\x01\0\0\0\0\0\0\0\0\0");
    header.extend([4u16, 62].iter().flat_map(|half| half.to_le_bytes())); // ET_CORE, EM_X86_64
    header.extend(1u32.to_le_bytes());
    header.extend([0u64, 64, 0].iter().flat_map(|word| word.to_le_bytes()));
    header.extend(0u32.to_le_bytes());
    let halves = [64u16, 56, count as u16, 0, 0, 0];
    header.extend(halves.iter().flat_map(|half| half.to_le_bytes()));
    let notes = 64 + 56 * count;
    let mut offset = (notes + note.len()).next_multiple_of(PAGE);
    let data = offset;
    let mut program_header = |kind: u32, flags: u32, words: [u64; 6]| {
        header.extend(kind.to_le_bytes());
        header.extend(flags.to_le_bytes());
        header.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    };
    program_header(4, 0, [notes as u64, 0, 0, note.len() as u64, 0, 4]);
    for (start, len, is_writable, bytes) in &segments {
        let flags = if *is_writable { 6 } else { 4 };
        let there = bytes.len() as u64;
        program_header(
            1,
            flags,
            [offset as u64, *start, 0, there, *len, PAGE as u64],
        );
        offset += bytes.len();
    }
    header.extend(note);
    header.resize(data, 0);
    let mut file = File::create(path).expect("a file");
    file.write_all(&header).expect("it is written");
    for (_, _, _, bytes) in &segments {
        file.write_all(bytes).expect("it is written");
    }
}

/// `NT_PRPSINFO`, with only the process's id set.
fn prpsinfo(process: u32) -> Vec<u8> {
    let mut description = vec![0; 136];
    description[24..28].copy_from_slice(&process.to_le_bytes());
    let mut note = Vec::new();
    for word in [5u32, 136, 3] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"CORE\0\0\0\0");
    note.extend(description);
    note
}

/// `NT_FILE`: the mapped parts of files, by start, end, offset and name.
fn mapped_files(files: &[(u64, u64, u64, String)]) -> Vec<u8> {
    let mut description = Vec::new();
    let mut words = vec![files.len() as u64, 1];
    words.extend(
        files
            .iter()
            .flat_map(|(start, end, offset, _)| [*start, *end, *offset]),
    );
    description.extend(words.iter().flat_map(|word| word.to_le_bytes()));
    for (_, _, _, name) in files {
        description.extend(name.as_bytes());
        description.push(0);
    }
    let mut note = Vec::new();
    for word in [5u32, description.len() as u32, 0x4649_4c45] {
        note.extend(word.to_le_bytes());
    }
    note.extend(b"CORE\0\0\0\0");
    description.resize(description.len().next_multiple_of(4), 0);
    note.extend(description);
    note
}
