//! A copy of a process's memory, made while it is stopped.
//!
//! What takes long is done before: pages for the copy are fetched from the system, and constants,
//! which do not change, are copied. While the process is stopped its mappings are listed again,
//! since they may have changed, and its writable memory is copied, by several threads at once.

use crate::memory::memory_pieces::{MemoryPieces, Piece};
use crate::process::buffer::{Buffer, Place};
use crate::process::error::{AttachError, AttachErrorKind, no_memory, reason};
use crate::process::memory_limits;
use crate::process::pages::{MappingKind, Pages, Run};
use crate::process::remote_memory::{Part, RemoteMemory};
use crate::process::shared_memory::SharedMemory;
use crate::process::standstill::{PATIENCE, StopTimes, while_stopped};
use luasnap_heap::Printable;
use luasnap_words::Sentence;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::sync::Mutex;
use std::thread;

/// Pages fetched for the memory that the process allocates between the preparation and the stop:
/// this fraction of its memory, plus `MORE` bytes. There are addresses for `ROOM` times as much,
/// but those pages have to be fetched while the process is stopped.
const GROWTH: usize = 16;
const MORE: usize = 8 << 20;
const ROOM: usize = 4;

/// Bytes from which several threads copy, and the most threads.
const LARGE: usize = 32 << 20;
const MOST_THREADS: usize = 4;
/// Bytes that a thread copies before it takes the next share.
const SHARE: usize = 16 << 20;

/// Makes copies of one process, one after the other, into the same memory.
pub(super) struct Copier<'a> {
    process: u32,
    remote: RemoteMemory,
    place: Place<'a>,
    shared: &'a SharedMemory,
    /// Whether shared memory of the process is copied too.
    has_shared: bool,
    constants: Copied,
    writable: Copied,
    stop_times: StopTimes,
}

/// Pages, and a copy of them.
struct Copied {
    pages: Pages,
    buffer: Buffer,
}

impl<'a> Copier<'a> {
    /// Prepares to copy a process into a place, if there is room for it, without stopping it.
    /// Shared memory is copied too if `has_shared` is set.
    pub(super) fn new(
        process: u32,
        place: Place<'a>,
        shared: &'a SharedMemory,
        has_shared: bool,
    ) -> Result<Copier<'a>, AttachError> {
        let failed = |error| AttachError::failed(process, &error);
        let no_place = |error| no_place(process, place, error);
        let constants = Pages::of_process(process, MappingKind::Constant(shared))
            .and_then(Pages::keep_small)
            .map_err(failed)?;
        let writable =
            Pages::of_process(process, mapping_kind(shared, has_shared)).map_err(failed)?;
        memory_limits::check(process, constants.len + to_be_fetched(writable.len), place)?;
        let mut copier = Copier {
            process,
            remote: RemoteMemory::new(process),
            place,
            shared,
            has_shared,
            constants: Copied::exactly(constants, place).map_err(no_place)?,
            writable: Copied::room_for(writable, place).map_err(no_place)?,
            stop_times: StopTimes::default(),
        };
        copier.constants.read(&copier.remote).map_err(failed)?;
        Ok(copier)
    }

    /// Copies shared memory, too, from now on.
    pub(super) fn take_shared(&mut self) {
        self.has_shared = true;
    }

    /// Stops the process, copies its writable memory, and resumes it; returns the number of bytes
    /// copied.
    pub(super) fn copy(&mut self) -> Result<u64, AttachError> {
        loop {
            self.writable.fetch();
            let (process, remote, writable) = (self.process, &self.remote, &mut self.writable);
            let kind = mapping_kind(self.shared, self.has_shared);
            let copied = while_stopped(process, PATIENCE, &mut self.stop_times, || {
                writable.copy_again(process, remote, kind)
            })?;
            let Some(pages) = copied.map_err(|error| self.failed(error))? else {
                break;
            };
            self.writable = Copied::none().map_err(|error| self.failed(error))?;
            memory_limits::check(process, to_be_fetched(pages.len), self.place)?;
            self.writable = Copied::room_for(pages, self.place)
                .map_err(|error| no_place(process, self.place, error))?;
        }
        self.writable.give_back();
        self.writable.clear_holes();
        Ok(self.writable.pages.present_bytes())
    }

    /// Returns how long the process stood still so far.
    pub(super) fn stop_times(&self) -> StopTimes {
        self.stop_times
    }

    fn failed(&self, error: io::Error) -> AttachError {
        AttachError::failed(self.process, &error)
    }

    /// Returns the last copy. Constants were copied before: if one has become writable since, the
    /// later copy counts.
    pub(super) fn memory(&self) -> Result<MemoryPieces<'_>, AttachError> {
        let pieces = self.writable.pieces().chain(self.constants.pieces());
        let pieces = MemoryPieces::new(pieces).map_err(|error| self.failed(no_memory(error)))?;
        Ok(pieces.with_untouched(&self.writable.pages.untouched))
    }
}

/// The error where there is no memory, or file, for a copy.
fn no_place(process: u32, place: Place<'_>, error: io::Error) -> AttachError {
    match place {
        Place::Memory => AttachError::failed(process, &error),
        Place::Folder(folder) => AttachError::new(
            AttachErrorKind::Failed,
            Sentence::new("attach.no_scratch")
                .with("process", process)
                .with(
                    "folder",
                    Printable(folder.as_os_str().as_bytes()).to_string(),
                )
                .with("reason", reason(&error)),
        ),
    }
}

/// The memory of a process that is copied while it is stopped.
fn mapping_kind(shared: &SharedMemory, has_shared: bool) -> MappingKind<'_> {
    match has_shared {
        true => MappingKind::Writable(shared),
        false => MappingKind::Private,
    }
}

impl Copied {
    fn none() -> io::Result<Copied> {
        Copied::exactly(Pages::default(), Place::Memory)
    }

    /// Room for these pages only.
    fn exactly(pages: Pages, place: Place<'_>) -> io::Result<Copied> {
        let buffer = Buffer::new(pages.len, place)?;
        Ok(Copied { pages, buffer })
    }

    /// Room for pages, and for more of them, as far as there are addresses. On a disk there is room
    /// for the expected growth.
    fn room_for(pages: Pages, place: Place<'_>) -> io::Result<Copied> {
        let len = to_be_fetched(pages.len);
        let more = match place {
            // Where addresses are limited, the heaps need them.
            Place::Memory if !memory_limits::addresses_are_limited() => ROOM,
            _ => 1,
        };
        let mut buffer = Buffer::new(more * len, place);
        if more > 1 && buffer.is_err() {
            buffer = Buffer::new(len, place);
        }
        Ok(Copied {
            pages,
            buffer: buffer?,
        })
    }

    /// Fetches the memory for the pages, and for some more.
    fn fetch(&mut self) {
        let len = to_be_fetched(self.pages.len);
        self.buffer.fetch(len, threads(len));
    }

    /// Copies the memory that a process can write now. If there is no room for it, nothing is
    /// copied, and the pages that need room are returned.
    fn copy_again(
        &mut self,
        process: u32,
        remote: &RemoteMemory,
        kind: MappingKind<'_>,
    ) -> io::Result<Option<Pages>> {
        let pages = Pages::of_process(process, kind)?;
        if pages.len > self.buffer.len() {
            return Ok(Some(pages));
        }
        self.pages = pages;
        self.read(remote).map(|()| None)
    }

    fn read(&mut self, remote: &RemoteMemory) -> io::Result<()> {
        let mut parts = parts(&self.pages.runs, &mut self.buffer)?;
        read_by_threads(remote, &mut parts, threads(self.pages.len))
    }

    /// Gives back the memory that no page needed.
    fn give_back(&mut self) {
        self.buffer.give_back_from(self.pages.len);
    }

    /// Zeroes what lies between the runs: an earlier copy may have left something there.
    fn clear_holes(&mut self) {
        let mut at = 0;
        for run in &self.pages.runs {
            self.buffer[at..run.offset].fill(0);
            at = run.offset + run.len as usize;
        }
    }

    fn pieces(&self) -> impl Iterator<Item = Piece<'_>> {
        self.pages.regions.iter().map(|region| Piece {
            address: region.address,
            bytes: &self.buffer[region.offset..region.offset + region.len as usize],
            is_writable: region.is_writable,
        })
    }
}

/// Bytes to be fetched for `len` bytes of pages.
fn to_be_fetched(len: usize) -> usize {
    len + len / GROWTH + MORE
}

/// Number of threads worth using for `len` bytes.
fn threads(len: usize) -> usize {
    match len {
        ..LARGE => 1,
        _ => thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_THREADS),
    }
}

/// Splits the parts of a buffer that runs go to into parts no larger than a share.
fn parts<'a>(runs: &[Run], buffer: &'a mut [u8]) -> io::Result<Vec<Part<'a>>> {
    let (mut rest, mut at) = (buffer, 0);
    let mut parts = Vec::new();
    for run in runs {
        let (into, behind) = rest[run.offset - at..].split_at_mut(run.len as usize);
        parts
            .try_reserve(into.len().div_ceil(SHARE))
            .map_err(no_memory)?;
        let addresses = (run.address..).step_by(SHARE);
        let shares = addresses.zip(into.chunks_mut(SHARE));
        parts.extend(shares.map(|(address, into)| Part { address, into }));
        rest = behind;
        at = run.offset + run.len as usize;
    }
    Ok(parts)
}

/// Reads parts, by up to `threads` threads, as far as the system provides them.
fn read_by_threads(
    remote: &RemoteMemory,
    parts: &mut [Part<'_>],
    threads: usize,
) -> io::Result<()> {
    let rest = Mutex::new(parts);
    let read_all = || loop {
        let share = rest.lock().map(|mut rest| next_share(&mut rest));
        match share {
            Ok([]) => return Ok(()),
            Ok(share) => remote.copy(share)?,
            Err(_) => return Err(thread_failed()),
        }
    };
    thread::scope(|scope| {
        let mut others = [const { None }; MOST_THREADS];
        for other in others.iter_mut().take(threads - 1) {
            // If no thread is available, this one reads it all.
            *other = thread::Builder::new().spawn_scoped(scope, read_all).ok();
        }
        let mut result = read_all();
        for other in others.into_iter().flatten() {
            let copied = other.join().unwrap_or_else(|_| Err(thread_failed()));
            result = result.and(copied);
        }
        result
    })
}

/// The error for a panic of a copying thread.
fn thread_failed() -> io::Error {
    io::Error::other(Sentence::new("fail.thread"))
}

/// Takes the next parts, up to about a share of bytes.
fn next_share<'a, 'b>(rest: &mut &'a mut [Part<'b>]) -> &'a mut [Part<'b>] {
    let mut bytes = 0;
    let is_little = |part: &&Part<'_>| {
        bytes += part.into.len();
        bytes <= SHARE
    };
    let count = rest.iter().take_while(is_little).count();
    let count = count.max(1).min(rest.len());
    let (share, behind) = std::mem::take(rest).split_at_mut(count);
    *rest = behind;
    share
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn several_threads_copy_what_one_copies() {
        let remote = RemoteMemory::new(std::process::id());
        let source: Vec<u8> = (0..3 * SHARE + 77).map(|at| (at / 5) as u8).collect();
        let address = source.as_ptr() as u64;
        let run = |start: usize, end: usize| Run {
            address: address + start as u64,
            len: (end - start) as u64,
            offset: start,
        };
        let runs = [
            run(0, 10),
            run(20, SHARE),
            run(SHARE, SHARE + 1),
            run(SHARE + 2, source.len()),
        ];
        for threads in 1..=MOST_THREADS {
            let mut copy = vec![0; source.len()];
            let mut parts = parts(&runs, &mut copy).unwrap();
            assert!(parts.iter().all(|part| part.into.len() <= SHARE));
            read_by_threads(&remote, &mut parts, threads).unwrap();
            for run in &runs {
                let inside = run.offset..run.offset + run.len as usize;
                let wrong = inside.clone().find(|&at| copy[at] != source[at]);
                assert_eq!(wrong, None, "{threads} threads, {inside:?}");
            }
            assert!(copy[10..20].iter().all(|&byte| byte == 0) && copy[SHARE + 1] == 0);
        }
        read_by_threads(&remote, &mut [], 2).unwrap();
    }
}
