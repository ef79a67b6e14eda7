//! The parts of a process's memory that are to be copied: present pages of mappings that can hold
//! Lua memory.

use crate::memory::mappings::{Mapping, mappings};
use crate::process::error::no_memory;
use crate::process::present_pages::PresentPages;
use crate::process::shared_memory::SharedMemory;
use crate::process::threads::living_thread;
use std::io;
use std::ops::Range;

/// Holes up to this size are copied as zeroes, so that their surroundings stay in one piece.
const HOLE: u64 = 1 << 20;

/// Constants beyond this many bytes are left out: no program has that many of Lua's.
const MOST_CONSTANTS: u64 = 256 << 20;

/// A kind of mappings.
#[derive(Clone, Copy, Debug)]
pub(super) enum MappingKind<'a> {
    /// Writable memory that no other process can write.
    Private,
    /// All writable memory.
    Writable(&'a SharedMemory),
    /// Writable memory that is shared.
    Shared(&'a SharedMemory),
    /// Read-only memory: constants, in some programs next to the code.
    Constant(&'a SharedMemory),
}

/// Adjacent present pages.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) address: u64,
    pub(super) len: u64,
    /// Their offset in the copy.
    pub(super) offset: usize,
}

/// A part of the copy that is one piece of the process's memory.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Region {
    pub(super) address: u64,
    pub(super) len: u64,
    pub(super) offset: usize,
    pub(super) is_writable: bool,
}

impl Region {
    fn end(&self) -> u64 {
        self.address + self.len
    }
}

/// What is to be copied, and its place in the copy.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Pages {
    /// By address, and so by offset; each lies within one region.
    pub(super) runs: Vec<Run>,
    pub(super) regions: Vec<Region>,
    /// Size of the copy in bytes.
    pub(super) len: usize,
    /// Ranges in which a missing page is writable and has only zeroes: it was never touched.
    pub(super) untouched: Vec<Range<u64>>,
}

/// Adjacent mappings with the same protection whose missing pages are alike.
#[derive(Clone, Copy, Debug)]
struct Stretch {
    start: u64,
    end: u64,
    is_writable: bool,
    /// Whether a missing page has only zeroes. In a file, or in shared memory, it may have any
    /// contents.
    has_zeroes: bool,
}

impl Stretch {
    fn of(mapping: &Mapping<'_>) -> Stretch {
        Stretch {
            start: mapping.start,
            end: mapping.end,
            is_writable: mapping.is_writable,
            has_zeroes: mapping.is_anonymous(),
        }
    }

    /// Returns the mapping's stretch, which may extend this one.
    fn go_on(self, mapping: &Mapping<'_>) -> Stretch {
        let next = Stretch::of(mapping);
        let is_same = self.end == next.start
            && self.is_writable == next.is_writable
            && self.has_zeroes == next.has_zeroes;
        match is_same {
            true => Stretch {
                start: self.start,
                ..next
            },
            false => next,
        }
    }
}

impl Pages {
    /// Returns the pages of a process, as they are now.
    pub(super) fn of_process(process: u32, kind: MappingKind<'_>) -> io::Result<Pages> {
        let thread = living_thread(process);
        let maps = std::fs::read(format!("/proc/{thread}/maps"))?;
        let mut present = PresentPages::new(thread);
        Pages::of_mappings(
            mappings(&maps).filter(|mapping| kind.has(mapping)),
            |mapping, found| present.each(mapping.start, mapping.end, found),
        )
    }

    /// Returns the pages of mappings, which are in address order; `present` reports those that are
    /// present.
    fn of_mappings<'a>(
        mappings: impl Iterator<Item = Mapping<'a>>,
        mut present: impl FnMut(
            &Mapping<'a>,
            &mut dyn FnMut(u64, u64) -> io::Result<()>,
        ) -> io::Result<()>,
    ) -> io::Result<Pages> {
        let mut pages = Pages::default();
        let mut stretch: Option<Stretch> = None;
        for mapping in mappings {
            let here = stretch.map_or(Stretch::of(&mapping), |before| before.go_on(&mapping));
            stretch = Some(here);
            pages.note_untouched(here)?;
            present(&mapping, &mut |start, end| pages.add(start, end, here))?;
        }
        Ok(pages)
    }

    /// Records a stretch whose missing pages have zeroes.
    fn note_untouched(&mut self, stretch: Stretch) -> io::Result<()> {
        if !stretch.is_writable || !stretch.has_zeroes {
            return Ok(());
        }
        match self.untouched.last_mut() {
            Some(last) if last.start == stretch.start => last.end = stretch.end,
            _ => {
                self.untouched.try_reserve(1).map_err(no_memory)?;
                self.untouched.push(stretch.start..stretch.end);
            }
        }
        Ok(())
    }

    /// Returns the bytes of the pages that are present.
    pub(super) fn present_bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.len).sum()
    }

    /// Adds adjacent pages. A small hole between them and the previous ones, in the same stretch,
    /// becomes zeroes; otherwise they begin a new region.
    fn add(&mut self, start: u64, end: u64, stretch: Stretch) -> io::Result<()> {
        let gap = match self.regions.last() {
            Some(last) if last.is_writable == stretch.is_writable => {
                let gap = start.checked_sub(last.end());
                let is_hole = stretch.has_zeroes && last.end() > stretch.start;
                gap.filter(|&gap| gap == 0 || (is_hole && gap <= HOLE))
            }
            _ => None,
        };
        let len = end - start;
        match (gap, self.regions.last_mut()) {
            (Some(gap), Some(last)) => {
                last.len += gap + len;
                self.len += gap as usize;
            }
            _ => {
                let region = Region {
                    address: start,
                    len,
                    offset: self.len,
                    is_writable: stretch.is_writable,
                };
                self.regions.try_reserve(1).map_err(no_memory)?;
                self.regions.push(region);
            }
        }
        let run = Run {
            address: start,
            len,
            offset: self.len,
        };
        self.push_run(run, gap == Some(0))?;
        self.len += len as usize;
        Ok(())
    }

    fn push_run(&mut self, run: Run, goes_on: bool) -> io::Result<()> {
        match self.runs.last_mut() {
            Some(last) if goes_on => last.len += run.len,
            _ => {
                self.runs.try_reserve(1).map_err(no_memory)?;
                self.runs.push(run);
            }
        }
        Ok(())
    }

    /// Leaves out the largest regions of constants until the rest is small enough.
    pub(super) fn keep_small(mut self) -> io::Result<Pages> {
        if self.len as u64 <= MOST_CONSTANTS {
            return Ok(self);
        }
        self.regions.sort_unstable_by_key(|region| region.len);
        let mut sum = 0;
        self.regions.retain(|region| {
            sum += region.len;
            sum <= MOST_CONSTANTS
        });
        self.regions.sort_unstable_by_key(|region| region.address);
        let mut kept = Pages::default();
        kept.regions
            .try_reserve(self.regions.len())
            .map_err(no_memory)?;
        for region in &self.regions {
            let first = self
                .runs
                .partition_point(|run| run.address < region.address);
            let inside = self.runs[first..].iter();
            for run in inside.take_while(|run| run.address < region.end()) {
                let offset = kept.len + (run.offset - region.offset);
                kept.push_run(Run { offset, ..*run }, false)?;
            }
            kept.regions.push(Region {
                offset: kept.len,
                ..*region
            });
            kept.len += region.len as usize;
        }
        Ok(kept)
    }
}

impl MappingKind<'_> {
    fn has(self, mapping: &Mapping<'_>) -> bool {
        let is_private = mapping.is_private_memory();
        match self {
            MappingKind::Private => mapping.is_writable && is_private,
            MappingKind::Writable(shared) => {
                mapping.is_writable && (is_private || shared.has(mapping))
            }
            MappingKind::Shared(shared) => mapping.is_writable && shared.has(mapping),
            MappingKind::Constant(shared) => {
                !mapping.is_writable && (is_private || shared.has(mapping))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::memory::memory::Memory;
    use crate::memory::memory_pieces::{MemoryPieces, Piece};
    use crate::process::buffer::{Buffer, Place};
    use proptest::prelude::*;

    const BASE: u64 = 0x7f00_0000_0000;
    /// Size of a page; no system is asked.
    const PAGE: u64 = 4096;

    /// The pages of mappings, given by page numbers: start, end, whether it is writable, whether it
    /// is a file; `there` are the present pages.
    fn pages(mapped: &[(u64, u64, bool, bool)], there: &[(u64, u64)]) -> Pages {
        let at = |page: u64| BASE + PAGE * page;
        let mapping = |&(start, end, is_writable, is_file): &(u64, u64, bool, bool)| Mapping {
            start: at(start),
            end: at(end),
            is_readable: true,
            is_writable,
            is_executable: false,
            is_private: true,
            path: if is_file { b"/file" } else { b"" },
        };
        Pages::of_mappings(mapped.iter().map(mapping), |mapping, found| {
            for &(start, end) in there {
                let (start, end) = (at(start).max(mapping.start), at(end).min(mapping.end));
                if start < end {
                    found(start, end)?;
                }
            }
            Ok(())
        })
        .unwrap()
    }

    /// Numbers of regions, runs, and pages of the copy.
    fn counts(pages: &Pages) -> (usize, usize, u64) {
        let (regions, runs) = (pages.regions.len(), pages.runs.len());
        (regions, runs, pages.len as u64 / PAGE)
    }

    #[test]
    fn small_holes_are_kept_and_large_ones_are_not() {
        let whole = [(0, 400, true, false)];
        let of = |there: &[_]| counts(&pages(&whole, there));
        assert_eq!(of(&[(0, 1), (1, 2)]), (1, 1, 2));
        assert_eq!(of(&[(0, 1), (3, 4)]), (1, 2, 4));
        assert_eq!(of(&[(0, 1), (300, 301)]), (2, 2, 2));
        // In a file, missing pages are not zeroes.
        let file = pages(&[(0, 4, true, true)], &[(0, 1), (3, 4)]);
        assert_eq!(counts(&file), (2, 2, 2));
        // An unmapped range is not a hole, and constants do not join writable regions.
        let of = |mapped: &[_]| counts(&pages(mapped, &[(0, 10)]));
        assert_eq!(of(&[(0, 1, true, false), (3, 4, true, false)]), (2, 2, 2));
        assert_eq!(of(&[(0, 1, true, false), (1, 2, true, true)]), (1, 1, 2));
        assert_eq!(of(&[(0, 1, false, false), (1, 2, true, false)]), (2, 2, 2));
        // A hole that begins in one mapping and ends in its neighbour is a hole, too.
        let neighbours = [(0, 3, true, false), (3, 6, true, false)];
        let bridged = pages(&neighbours, &[(0, 1), (5, 6)]);
        assert_eq!(counts(&bridged), (1, 2, 6));
        let apart = pages(&neighbours, &[(4, 6)]);
        assert_eq!(counts(&apart), (1, 1, 2));
    }

    #[test]
    fn what_lies_between_constants_is_none() {
        let mapped = [
            (0, 1, false, false),
            (1, 9, true, false),
            (9, 10, false, false),
        ];
        let constants: Vec<_> = mapped.iter().copied().filter(|one| !one.2).collect();
        assert_eq!(counts(&pages(&constants, &[(0, 10)])), (2, 2, 2));
        let writable: Vec<_> = mapped.iter().copied().filter(|one| one.2).collect();
        assert_eq!(counts(&pages(&writable, &[(0, 10)])), (1, 1, 8));
    }

    #[test]
    fn the_largest_constants_are_left_out_where_there_are_too_many() {
        let most = MOST_CONSTANTS / PAGE;
        let mapped = [
            (0, 3, false, true),
            (10, 10 + most, false, true),
            (20 + most, 30 + most, false, false),
        ];
        let kept = pages(&mapped, &[(0, 21 + most), (24 + most, 30 + most)]);
        let kept = kept.keep_small().unwrap();
        assert_eq!(counts(&kept), (2, 3, 13));
        check_runs(&kept);
        let few = pages(&mapped[..1], &[(0, 3)]);
        assert_eq!(few.clone().keep_small().unwrap(), few);
    }

    /// Checks that every run has its right place in its region.
    #[track_caller]
    fn check_runs(pages: &Pages) {
        for run in &pages.runs {
            let region = pages
                .regions
                .iter()
                .rfind(|region| region.address <= run.address);
            let region = region.expect("a region");
            assert!(run.address + run.len <= region.end());
            let inside = (run.address - region.address) as usize;
            assert_eq!(run.offset, region.offset + inside);
        }
        let regions = pages.regions.iter().map(|region| region.len as usize);
        assert_eq!(regions.sum::<usize>(), pages.len);
    }

    /// A mapped page.
    #[derive(Clone, Copy, PartialEq, Debug)]
    struct Mapped {
        is_writable: bool,
        has_zeroes: bool,
        is_there: bool,
    }

    const KINDS: [Option<(bool, bool, bool)>; 7] = [
        None,
        // Whether it is writable, is private, and has a path.
        Some((true, true, false)),
        Some((false, true, false)),
        Some((true, true, true)),
        Some((false, true, true)),
        Some((true, false, true)),
        Some((false, false, true)),
    ];

    proptest! {
        /// Whatever mappings are adjacent, their copy agrees with a map of pages on each byte.
        #[test]
        fn a_copy_is_a_map_of_pages(
            mapped in prop::collection::vec((0..KINDS.len(), 1..6u64), 1..14),
            there in prop::collection::vec(prop::bool::weighted(0.7), 14 * 6),
            reads in prop::collection::vec((0..14 * 6 * PAGE, 0..3 * PAGE), 40),
        ) {
            let shared = SharedMemory::default();
            let (mut mappings, mut naive) = (Vec::new(), Vec::new());
            for (kind, len) in mapped {
                let start = naive.len() as u64;
                for page in start..start + len {
                    let is_there = there[page as usize];
                    naive.push(KINDS[kind].map(|(is_writable, is_private, has_path)| Mapped {
                        is_writable,
                        has_zeroes: is_private && !has_path,
                        is_there,
                    }));
                }
                if let Some((is_writable, is_private, has_path)) = KINDS[kind] {
                    mappings.push(Mapping {
                        start: BASE + PAGE * start,
                        end: BASE + PAGE * (start + len),
                        is_readable: true,
                        is_writable,
                        is_executable: false,
                        is_private,
                        path: if has_path { b"/memfd:heap (deleted)" } else { b"" },
                    });
                }
            }
            let byte = |address: u64| (address / 8 % 251) as u8;
            let copied = |kind: MappingKind<'_>| {
                let chosen = mappings.iter().filter(|mapping| kind.has(mapping)).cloned();
                let pages = Pages::of_mappings(chosen, |mapping, found| {
                    for page in (mapping.start..mapping.end).step_by(PAGE as usize) {
                        if there[((page - BASE) / PAGE) as usize] {
                            found(page, page + PAGE)?;
                        }
                    }
                    Ok(())
                })
                .unwrap();
                check_runs(&pages);
                let mut copy = vec![0; pages.len];
                for run in &pages.runs {
                    for at in 0..run.len {
                        copy[run.offset + at as usize] = byte(run.address + at);
                    }
                }
                (pages, copy)
            };
            let kinds = [MappingKind::Writable(&shared), MappingKind::Constant(&shared)];
            let copies = kinds.map(copied);
            let memory = MemoryPieces::new(copies.iter().flat_map(|(pages, copy)| {
                pages.regions.iter().map(|region| Piece {
                    address: region.address,
                    bytes: &copy[region.offset..region.offset + region.len as usize],
                    is_writable: region.is_writable,
                })
            }))
            .unwrap();
            let page_of = |address: u64| -> Option<Mapped> {
                naive.get(((address - BASE) / PAGE) as usize).copied().flatten()
            };
            for (offset, len) in reads {
                let address = BASE + offset;
                let read = memory.bytes(address, len as usize);
                let whole = || address..address + len;
                // All present bytes are read, and what is read is present, or a zero of a hole.
                let is_there = |at| page_of(at).is_some_and(|page| page.is_there);
                if len > 0 && page_of(address).is_some() && whole().all(is_there) {
                    prop_assert!(read.is_some(), "{:#x}, {} bytes", address, len);
                }
                for (at, &found) in whole().zip(read.unwrap_or_default()) {
                    let Some(page) = page_of(at) else {
                        return Err(TestCaseError::fail(format!("{at:#x} is not mapped")));
                    };
                    prop_assert!(page.is_there || page.has_zeroes);
                    prop_assert_eq!(found, if page.is_there { byte(at) } else { 0 });
                    prop_assert_eq!(memory.is_writable(at), page.is_writable);
                }
            }
        }
    }

    #[test]
    fn pages_that_nobody_touched_are_left_out() {
        let shared = SharedMemory::default();
        let mut buffer = Buffer::new(64 << 20, Place::Memory).unwrap();
        buffer.fetch(64 << 20, 1);
        let start = buffer.as_ptr() as u64;
        let pages = Pages::of_process(std::process::id(), MappingKind::Private).unwrap();
        fn has(pages: &Pages, address: u64) -> bool {
            pages
                .runs
                .iter()
                .any(|run| (run.address..run.address + run.len).contains(&address))
        }
        assert!(has(&pages, start) && has(&pages, start + (63 << 20)));
        // Far more is mapped than present, such as the stacks of threads.
        let untouched = std::thread::spawn(move || {
            let local = 0u8;
            let local = &raw const local as u64;
            let pages = Pages::of_process(std::process::id(), MappingKind::Private).unwrap();
            has(&pages, local) && !has(&pages, local - (1 << 20))
        });
        assert!(untouched.join().unwrap());
        let constants = Pages::of_process(std::process::id(), MappingKind::Constant(&shared))
            .and_then(Pages::keep_small)
            .unwrap();
        static TEXT: &str = "a constant";
        assert!(has(&constants, TEXT.as_ptr() as u64));
        assert!(constants.regions.iter().all(|region| !region.is_writable));
    }
}
