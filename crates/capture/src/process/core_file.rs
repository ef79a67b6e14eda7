//! Core files: the memory of a process that has ended, or that a debugger saved.
//!
//! The file is mapped, not copied. It has the writable memory of the process; it may lack parts of
//! files that were mapped read-only, and then those files are read, if they are still unchanged.

use crate::capture_time::CaptureTime;
use crate::machine::Machine;
use crate::memory::memory_pieces::{MemoryPieces, Piece};
use crate::process::buffer::FileView;
use crate::process::capture::{Captures, StateCapture};
use crate::process::core_error::{CoreError, CoreErrorKind};
use crate::process::core_notes::{MappedFile, Notes};
use crate::process::search::states_in;
use luasnap_words::{Sentence, Spoken};
use object::elf::{FileHeader64, PF_W, PT_LOAD, ProgramHeader64};
use object::read::elf::{FileHeader, ProgramHeader};
use object::{Endianness, elf};
use std::collections::HashMap;
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// `EI_CLASS` of a 32-bit file.
const CLASS_32: &[u8] = b"\x7fELF\x01";
/// Bytes at a file's start that are compared with those in the core file.
const COMPARED: usize = 4096;

/// A part of the process's memory, as the core file has it.
#[derive(Clone, Copy)]
struct Segment<'a> {
    address: u64,
    /// What the core file has of it, from its start on.
    bytes: &'a [u8],
    /// Its size in the process, in bytes.
    len: u64,
    is_writable: bool,
    /// Whether the writer of the core file left it out entirely.
    is_left_out: bool,
}

/// Captures the Lua states of the process that a core file is of, by address. `program` is the path
/// of its executable, if that has moved since the process ran.
///
/// # Errors
/// See [`CoreErrorKind`]. A file that ends early is no error while its states can be read.
pub fn read_core(path: &Path, program: Option<&Path>) -> Result<Vec<StateCapture>, CoreError> {
    let file = File::open(path).map_err(|error| CoreError::unreadable(path, &error))?;
    let written = file.metadata().and_then(|data| data.modified()).ok();
    let data = FileView::new(&file).map_err(|error| CoreError::unreadable(path, &error))?;
    let core = Core::parse(path, &data)?;
    let mut notes = core.notes;
    if let Some(program) = program {
        notes.set_program(program);
    }
    let files = Files::open(&notes.files, core.machine);
    let memory = MemoryPieces::new(core.segments.iter().map(|one| piece(one, &files)))
        .map_err(|_| CoreError::new(CoreErrorKind::Failed, path, Sentence::new("fail.no_memory")))?
        .with_machine(core.machine);
    let moment = CaptureTime::of_core(written, notes.process(&memory));
    let mut captures = Captures::default();
    for state in states_in(&memory) {
        captures.add(&memory, &state, moment);
    }
    let is_empty = captures.is_empty();
    let error = match captures.finish() {
        Ok(captures) if !is_empty => return Ok(captures),
        Ok(_) => (
            CoreErrorKind::NoLuaState,
            Sentence::new("core.no_lua_state"),
        ),
        Err(error) if error.is_unknown() => (CoreErrorKind::Unsupported, error.sentence()),
        Err(error) => (CoreErrorKind::Failed, error.sentence()),
    };
    Err(match core.missing {
        0 => CoreError::new(error.0, path, error.1),
        missing => CoreError::new(
            CoreErrorKind::Truncated,
            path,
            Sentence::new("core.truncated")
                .with("missing", missing)
                .with("reason", error.1),
        ),
    })
}

/// The contents of a core file.
struct Core<'a> {
    machine: Machine,
    segments: Vec<Segment<'a>>,
    notes: Notes,
    /// Number of bytes missing at its end.
    missing: u64,
}

impl<'a> Core<'a> {
    fn parse(path: &Path, data: &'a [u8]) -> Result<Core<'a>, CoreError> {
        let no_core = |code| CoreError::new(CoreErrorKind::NoCore, path, Sentence::new(code));
        let other = |code| CoreError::new(CoreErrorKind::OtherMachine, path, Sentence::new(code));
        if data.starts_with(CLASS_32) {
            return Err(other("core.thirty_two_bit"));
        }
        let header = FileHeader64::<Endianness>::parse(data).map_err(|_| no_core("core.no_elf"))?;
        let endian = header.endian().map_err(|_| no_core("core.unknown"))?;
        if header.e_type(endian) != elf::ET_CORE {
            return Err(no_core("core.other_elf"));
        }
        if endian != Endianness::default() {
            return Err(other("core.byte_order"));
        }
        let headers = header
            .program_headers(endian, data)
            .map_err(|_| no_core("core.no_headers"))?;
        let (segments, missing) = segments(headers, endian, data);
        Ok(Core {
            machine: Machine::of_elf(header.e_machine(endian)),
            segments,
            notes: Notes::new(headers, endian, data),
            missing,
        })
    }
}

/// The parts of memory, and the number of bytes missing from the file.
fn segments<'a>(
    headers: &[ProgramHeader64<Endianness>],
    endian: Endianness,
    data: &'a [u8],
) -> (Vec<Segment<'a>>, u64) {
    let mut segments = Vec::new();
    let mut end = 0;
    for header in headers.iter().filter(|one| one.p_type(endian) == PT_LOAD) {
        let (offset, len) = (header.p_offset(endian), header.p_filesz(endian));
        end = end.max(offset.saturating_add(len));
        let start = usize::try_from(offset)
            .unwrap_or(usize::MAX)
            .min(data.len());
        let there = (len.min((data.len() - start) as u64)) as usize;
        segments.push(Segment {
            address: header.p_vaddr(endian),
            bytes: &data[start..start + there],
            len: header.p_memsz(endian),
            is_writable: header.p_flags(endian) & PF_W != 0,
            is_left_out: len == 0,
        });
    }
    (segments, end.saturating_sub(data.len() as u64))
}

/// Mapped files, as far as they still exist.
struct Files<'a> {
    mapped: &'a [MappedFile],
    views: HashMap<&'a PathBuf, FileView>,
}

impl<'a> Files<'a> {
    /// Opens the files that a process on `machine` had mapped. A program of another machine is not the one that was
    /// there: paths are alike on all of them.
    fn open(mapped: &'a [MappedFile], machine: Machine) -> Files<'a> {
        let mut views = HashMap::new();
        for file in mapped {
            // Opening a file that is not regular may block, or have an effect.
            if !views.contains_key(&file.path)
                && fs::metadata(&file.path).is_ok_and(|data| data.is_file())
                && let Ok(opened) = File::open(&file.path)
                && let Ok(view) = FileView::new(&opened)
                && !is_of_another_machine(&view, machine)
            {
                views.insert(&file.path, view);
            }
        }
        Files { mapped, views }
    }

    /// The contents of a file where `segment` was mapped from it; `None` where the file has
    /// changed.
    fn part(&self, segment: &Segment<'_>) -> Option<&[u8]> {
        let at = self
            .mapped
            .partition_point(|file| file.end <= segment.address);
        let file = self.mapped.get(at)?;
        let inside = segment.address.checked_sub(file.start)?;
        let view = self.views.get(&file.path)?;
        let start = usize::try_from(file.offset.checked_add(inside)?).ok()?;
        let rest = view.get(start..)?;
        let len = usize::try_from(segment.len).ok()?.min(rest.len());
        let known = segment.bytes.len().min(len).min(COMPARED);
        (rest[..known] == segment.bytes[..known]).then_some(&rest[..len])
    }
}

/// Whether a file is a program or a library of another machine.
fn is_of_another_machine(file: &[u8], machine: Machine) -> bool {
    let header = FileHeader64::<Endianness>::parse(file);
    header.is_ok_and(|header| match header.endian() {
        Ok(endian) => Machine::of_elf(header.e_machine(endian)) != machine,
        Err(_) => true,
    })
}

/// What is known of a segment: the contents in the core file, or in the file that was mapped there.
/// What a program wrote to a shared mapping of a file, which the kernel leaves out, is in that
/// file.
fn piece<'a>(segment: &Segment<'a>, files: &'a Files<'_>) -> Piece<'a> {
    let is_missing = match segment.is_writable {
        true => segment.is_left_out,
        false => (segment.bytes.len() as u64) < segment.len,
    };
    let from_file = files.part(segment).filter(|_| is_missing);
    Piece {
        address: segment.address,
        bytes: from_file.unwrap_or(segment.bytes),
        is_writable: segment.is_writable,
    }
}
