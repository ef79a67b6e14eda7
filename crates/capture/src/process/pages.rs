//! Which parts of a process's memory are to be copied: pages that are there, of mappings that can hold
//! Lua memory.

use crate::native::mappings::{Mapping, mappings};
use std::io;

use super::present_pages::PresentPages;

/// Holes up to this size are copied as zeroes, so that what lies around them stays in one piece.
const HOLE: u64 = 1 << 20;

/// Constants beyond so many bytes are left out: no program has so many of Lua's.
const MOST_CONSTANTS: u64 = 256 << 20;

/// Which mappings are looked at.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Sort {
    /// What the process can write.
    Writable,
    /// What it can read alone, and not run.
    Constant,
}

/// Pages side by side that are there.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) struct Run {
    pub(super) address: u64,
    pub(super) len: u64,
    /// Where they go in the copy.
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

/// What is to be copied, and where it goes.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub(super) struct Pages {
    /// By address, and so by offset.
    pub(super) runs: Vec<Run>,
    pub(super) regions: Vec<Region>,
    /// Bytes of the copy.
    pub(super) len: usize,
}

impl Pages {
    /// The pages of a process, as they are now.
    pub(super) fn of_process(process: u32, sort: Sort) -> io::Result<Pages> {
        let maps = std::fs::read(format!("/proc/{process}/maps"))?;
        let mut present = PresentPages::new(process);
        let mut pages = Pages::default();
        for mapping in mappings(&maps).filter(|mapping| sort.has(mapping)) {
            let may_have_holes = !mapping.path.starts_with(b"/");
            present.each(mapping.start, mapping.end, |start, end| {
                pages.add(start, end, mapping.is_writable, may_have_holes)
            })?;
        }
        Ok(pages)
    }

    /// How many bytes the pages have that are there.
    pub(super) fn present_bytes(&self) -> u64 {
        self.runs.iter().map(|run| run.len).sum()
    }

    /// Adds pages side by side. What lies between them and the last ones is zeroes, if it may be a
    /// hole.
    fn add(
        &mut self,
        start: u64,
        end: u64,
        is_writable: bool,
        may_have_holes: bool,
    ) -> io::Result<()> {
        let len = end - start;
        let gap = match self.regions.last() {
            Some(last) if last.is_writable == is_writable => {
                start.checked_sub(last.address + last.len)
            }
            _ => None,
        };
        match gap {
            Some(gap) if gap == 0 || (may_have_holes && gap <= HOLE) => {
                self.len += gap as usize;
                if let Some(last) = self.regions.last_mut() {
                    last.len += gap + len;
                }
            }
            _ => self.push_region(Region {
                address: start,
                len,
                offset: self.len,
                is_writable,
            })?,
        }
        self.push_run(Run {
            address: start,
            len,
            offset: self.len,
        })?;
        self.len += len as usize;
        Ok(())
    }

    fn push_region(&mut self, region: Region) -> io::Result<()> {
        self.regions.try_reserve(1).map_err(io::Error::other)?;
        self.regions.push(region);
        Ok(())
    }

    fn push_run(&mut self, run: Run) -> io::Result<()> {
        match self.runs.last_mut() {
            Some(last)
                if last.address + last.len == run.address
                    && last.offset + last.len as usize == run.offset =>
            {
                last.len += run.len;
            }
            _ => {
                self.runs.try_reserve(1).map_err(io::Error::other)?;
                self.runs.push(run);
            }
        }
        Ok(())
    }

    /// Leaves out the largest mappings of constants until few enough are left.
    pub(super) fn keep_small(mut self) -> Pages {
        let mut kept = Pages::default();
        self.regions.sort_by_key(|region| region.len);
        let mut sum = 0;
        self.regions.retain(|region| {
            sum += region.len;
            sum <= MOST_CONSTANTS
        });
        self.regions.sort_by_key(|region| region.address);
        for region in &self.regions {
            // A region of constants from a file has no holes, and of others they are small.
            let added = kept.add(region.address, region.address + region.len, false, false);
            if added.is_err() {
                break;
            }
        }
        kept
    }
}

impl Sort {
    fn has(self, mapping: &Mapping<'_>) -> bool {
        mapping.is_plain_memory()
            && match self {
                Sort::Writable => mapping.is_writable,
                Sort::Constant => !mapping.is_writable && !mapping.is_executable,
            }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::process::buffer::Buffer;
    use crate::process::remote_memory::PAGE;

    const BASE: u64 = 0x7f00_0000_0000;

    fn pages(added: &[(u64, u64, bool, bool)]) -> Pages {
        let mut pages = Pages::default();
        for &(start, end, is_writable, may_have_holes) in added {
            let (start, end) = (BASE + PAGE * start, BASE + PAGE * end);
            pages.add(start, end, is_writable, may_have_holes).unwrap();
        }
        pages
    }

    #[test]
    fn small_holes_are_kept_and_large_ones_are_not() {
        let of = |added: &[_]| {
            let pages = pages(added);
            (
                pages.regions.len(),
                pages.runs.len(),
                pages.len as u64 / PAGE,
            )
        };
        assert_eq!(of(&[(0, 1, true, true), (1, 2, true, true)]), (1, 1, 2));
        assert_eq!(of(&[(0, 1, true, true), (3, 4, true, true)]), (1, 2, 4));
        assert_eq!(of(&[(0, 1, true, true), (300, 301, true, true)]), (2, 2, 2));
        // Of a file, what is not there is not zeroes.
        assert_eq!(of(&[(0, 1, true, false), (3, 4, true, false)]), (2, 2, 2));
        assert_eq!(of(&[(0, 1, false, true), (1, 2, true, true)]), (2, 1, 2));
    }

    #[test]
    fn every_run_lies_where_its_region_has_it() {
        let pages = pages(&[
            (0, 2, true, true),
            (5, 6, true, true),
            (6, 7, false, false),
            (9, 10, false, false),
            (400, 410, true, true),
        ]);
        for run in &pages.runs {
            // A run may go on in the next region where that follows at once.
            let region = pages
                .regions
                .iter()
                .rfind(|region| region.address <= run.address);
            let region = region.expect("a region");
            let inside = (run.address - region.address) as usize;
            assert_eq!(run.offset, region.offset + inside);
        }
        assert_eq!(pages.present_bytes(), PAGE * 15);
        assert_eq!(pages.len as u64, PAGE * 18);
    }

    #[test]
    fn pages_that_nobody_touched_are_left_out() {
        let mut buffer = Buffer::new(64 << 20).unwrap();
        buffer.fetch(64 << 20, 1);
        let start = buffer.as_ptr() as u64;
        let pages = Pages::of_process(std::process::id(), Sort::Writable).unwrap();
        fn has(pages: &Pages, address: u64) -> bool {
            pages
                .runs
                .iter()
                .any(|run| (run.address..run.address + run.len).contains(&address))
        }
        assert!(has(&pages, start) && has(&pages, start + (63 << 20)));
        // Far more is mapped than is there: the stacks of threads, for one.
        let untouched = std::thread::spawn(move || {
            let local = 0u8;
            let local = &raw const local as u64;
            let pages = Pages::of_process(std::process::id(), Sort::Writable).unwrap();
            has(&pages, local) && !has(&pages, local - (1 << 20))
        });
        assert!(untouched.join().unwrap());
        let constants = Pages::of_process(std::process::id(), Sort::Constant)
            .unwrap()
            .keep_small();
        static TEXT: &str = "a constant";
        assert!(has(&constants, TEXT.as_ptr() as u64));
        assert!(constants.regions.iter().all(|region| !region.is_writable));
    }
}
