//! A copy of a process's memory, made while it stands still.
//!
//! What takes long is done before: pages for the copy are fetched from the system, and constants, which
//! do not change, are copied. While the process stands still its mappings are listed anew, since they
//! may have changed, and what it can write is copied, by several threads at once.

use super::buffer::Buffer;
use super::error::AttachError;
use super::pages::{Pages, Run, Sort};
use super::remote_memory::{Part, RemoteMemory};
use super::stop::{PATIENCE, while_stopped};
use crate::native::pieces::{Piece, Pieces};
use std::io;
use std::thread;
use std::time::Duration;

/// Pages that are fetched for what the process gets between the preparation and the stop: this part of
/// what it has, and so many bytes. There is room for far more, but that has to be fetched while the process
/// stands still.
const GROWTH: usize = 16;
const MORE: usize = 8 << 20;
const ROOM: usize = 4;

/// From so many bytes on several threads copy, and no more than so many.
const LARGE: usize = 32 << 20;
const MOST_THREADS: usize = 4;

/// Copies of one process, one after the other, into the same memory.
pub(super) struct Copier {
    process: u32,
    remote: RemoteMemory,
    constants: Copied,
    writable: Copied,
}

/// Pages, and a copy of them.
struct Copied {
    pages: Pages,
    buffer: Buffer,
}

/// How a copy was made.
#[derive(Clone, Copy, Debug)]
pub(super) struct Copying {
    /// From the first thread's stop until the last one was let go.
    pub(super) pause: Duration,
    /// Bytes that were copied meanwhile.
    pub(super) bytes: u64,
}

impl Copier {
    /// Makes ready to copy a process. It does not stop.
    pub(super) fn new(process: u32) -> Result<Copier, AttachError> {
        let failed = |error| AttachError::failed(process, error);
        let remote = RemoteMemory::new(process);
        let pages = Pages::of_process(process, Sort::Constant).map_err(failed)?;
        let mut constants = Copied::room_for(pages.keep_small()).map_err(failed)?;
        constants.read(&remote).map_err(failed)?;
        let pages = Pages::of_process(process, Sort::Writable).map_err(failed)?;
        let writable = Copied::room_for(pages).map_err(failed)?;
        Ok(Copier {
            process,
            remote,
            constants,
            writable,
        })
    }

    /// Stops the process, copies what it can write, and lets it go on.
    pub(super) fn copy(&mut self) -> Result<Copying, AttachError> {
        let mut longest = Duration::ZERO;
        loop {
            self.writable.fetch();
            let (process, remote, writable) = (self.process, &self.remote, &mut self.writable);
            let (copied, pause) =
                while_stopped(process, PATIENCE, || writable.copy_anew(process, remote))?;
            longest = longest.max(pause);
            let Some(pages) = copied.map_err(|error| self.failed(error))? else {
                break;
            };
            self.writable.buffer = Buffer::new(0).map_err(|error| self.failed(error))?;
            self.writable = Copied::room_for(pages).map_err(|error| self.failed(error))?;
        }
        self.writable.give_back();
        self.writable.clear_holes();
        Ok(Copying {
            pause: longest,
            bytes: self.writable.pages.present_bytes(),
        })
    }

    fn failed(&self, error: io::Error) -> AttachError {
        AttachError::failed(self.process, error)
    }

    /// What was copied last.
    pub(super) fn memory(&self) -> Pieces<'_> {
        let pieces = self.writable.pieces().chain(self.constants.pieces());
        Pieces::new(pieces.collect())
    }
}

impl Copied {
    /// Room for pages, and for more of them.
    fn room_for(pages: Pages) -> io::Result<Copied> {
        let buffer = Buffer::new(ROOM * room_for(pages.len))?;
        Ok(Copied { pages, buffer })
    }

    /// Fetches the memory for the pages, and for some more.
    fn fetch(&mut self) {
        let len = room_for(self.pages.len);
        self.buffer.fetch(len, threads(len));
    }

    /// Copies what a process can write now. If there is no room for it, nothing is copied, and the answer is
    /// what needs room.
    fn copy_anew(&mut self, process: u32, remote: &RemoteMemory) -> io::Result<Option<Pages>> {
        let pages = Pages::of_process(process, Sort::Writable)?;
        if pages.len > self.buffer.len() {
            return Ok(Some(pages));
        }
        self.pages = pages;
        self.read(remote).map(|()| None)
    }

    fn read(&mut self, remote: &RemoteMemory) -> io::Result<()> {
        let parts = parts(&self.pages.runs, &mut self.buffer);
        let share = self.pages.len.div_ceil(threads(self.pages.len));
        read_by_threads(remote, parts, share)
    }

    /// Gives back the memory that no page needed.
    fn give_back(&mut self) {
        self.buffer.give_back_from(self.pages.len);
    }

    /// Makes zeroes of what lies between the runs: an earlier copy may have left something there.
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

/// The bytes to be fetched for pages of so many.
fn room_for(len: usize) -> usize {
    len + len / GROWTH + MORE
}

/// How many threads are worth it for so many bytes.
fn threads(len: usize) -> usize {
    match len {
        ..LARGE => 1,
        _ => thread::available_parallelism()
            .map_or(1, usize::from)
            .min(MOST_THREADS),
    }
}

/// The parts of a buffer that runs go to.
fn parts<'a>(runs: &[Run], buffer: &'a mut [u8]) -> Vec<Part<'a>> {
    let (mut rest, mut at) = (buffer, 0);
    let mut parts = Vec::with_capacity(runs.len());
    for run in runs {
        let (into, behind) = rest[run.offset - at..].split_at_mut(run.len as usize);
        parts.push(Part {
            address: run.address,
            into,
        });
        rest = behind;
        at = run.offset + run.len as usize;
    }
    parts
}

/// Reads parts, each thread about `share` bytes of them.
fn read_by_threads(remote: &RemoteMemory, parts: Vec<Part<'_>>, share: usize) -> io::Result<()> {
    let mut shares = vec![Vec::new()];
    let mut left = share;
    for mut part in parts {
        while part.into.len() > left {
            let (first, second) = std::mem::take(&mut part.into).split_at_mut(left);
            let address = part.address;
            part = Part {
                address: address + left as u64,
                into: second,
            };
            if let Some(last) = shares.last_mut() {
                last.push(Part {
                    address,
                    into: first,
                });
            }
            shares.push(Vec::new());
            left = share;
        }
        left -= part.into.len();
        if let Some(last) = shares.last_mut() {
            last.push(part);
        }
    }
    let mut shares = shares.into_iter();
    let own = shares.next();
    thread::scope(|scope| {
        let others: Vec<_> = shares
            .map(|mut parts| scope.spawn(move || remote.copy(&mut parts)))
            .collect();
        let mut result = own.map_or(Ok(()), |mut parts| remote.copy(&mut parts));
        for other in others {
            let copied = other.join().unwrap_or(Err(io::ErrorKind::Other.into()));
            result = result.and(copied);
        }
        result
    })
}
