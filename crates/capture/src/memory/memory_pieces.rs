//! The memory of another process, in pieces that this one has: copies, or mapped parts of a file.

use crate::machine::Machine;
use crate::memory::kept_bytes::KeptBytes;
use crate::memory::memory::Memory;
use crate::memory::prefetch::prefetch;
use std::cell::Cell;
use std::cmp::Reverse;
use std::collections::{BinaryHeap, TryReserveError};
use std::ops::Range;

/// Contiguous bytes of a process's memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Piece<'a> {
    /// Their address in that process.
    pub(crate) address: u64,
    pub(crate) bytes: &'a [u8],
    /// Whether the process can write there.
    pub(crate) is_writable: bool,
}

impl<'a> Piece<'a> {
    /// The address after its last byte.
    pub(crate) fn end(&self) -> u64 {
        self.address.saturating_add(self.bytes.len() as u64)
    }

    /// The part between two addresses in it.
    fn between(&self, start: u64, end: u64) -> Piece<'a> {
        let inside = |address| (address - self.address) as usize;
        Piece {
            address: start,
            bytes: &self.bytes[inside(start)..inside(end)],
            is_writable: self.is_writable,
        }
    }
}

/// Memory in pieces.
#[derive(Debug)]
pub(crate) struct MemoryPieces<'a> {
    /// In order of address, without overlaps.
    pieces: Vec<Piece<'a>>,
    last: Cell<Piece<'a>>,
    /// Writable ranges that are zero where no piece covers them. In order of address, without
    /// overlaps.
    untouched: &'a [Range<u64>],
    /// Bytes that were read across the borders of pieces.
    across: KeptBytes,
    machine: Machine,
}

impl<'a> MemoryPieces<'a> {
    /// The memory that consists of these pieces. Where two overlap, the earlier one in the list
    /// counts, and the other one keeps only what lies outside.
    pub(crate) fn new(
        given: impl IntoIterator<Item = Piece<'a>>,
    ) -> Result<MemoryPieces<'a>, TryReserveError> {
        Ok(MemoryPieces {
            pieces: without_overlaps(given)?,
            last: Cell::default(),
            untouched: &[],
            across: KeptBytes::default(),
            machine: Machine::HERE,
        })
    }

    /// The same, with zeroes where no piece covers these ranges, which are in order of address. A
    /// VM has memory that it never touched, such as the slots of a table created for many entries.
    pub(crate) fn with_untouched(self, untouched: &'a [Range<u64>]) -> MemoryPieces<'a> {
        MemoryPieces { untouched, ..self }
    }

    /// The same, of a process on another machine.
    pub(crate) fn with_machine(self, machine: Machine) -> MemoryPieces<'a> {
        MemoryPieces { machine, ..self }
    }

    /// The pieces, by address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Piece<'a>> {
        self.pieces.iter()
    }

    /// Upper bound of the bytes that the process can write.
    pub(crate) fn writable_bytes(&self) -> u64 {
        let writable = self.pieces.iter().filter(|piece| piece.is_writable);
        let touched = writable.map(|piece| piece.bytes.len() as u64);
        let untouched = self.untouched.iter().map(|range| range.end - range.start);
        touched.chain(untouched).fold(0, u64::saturating_add)
    }

    /// Whether `start..end` lies in one untouched range.
    fn is_untouched(&self, start: u64, end: u64) -> bool {
        let number = self.untouched.partition_point(|range| range.end <= start);
        let range = self.untouched.get(number);
        range.is_some_and(|range| range.start <= start && end <= range.end)
    }

    /// The piece that contains `address`.
    #[inline]
    fn piece(&self, address: u64) -> Option<Piece<'a>> {
        let last = self.last.get();
        if address.wrapping_sub(last.address) < last.bytes.len() as u64 {
            return Some(last);
        }
        self.look_up(address)
    }

    fn look_up(&self, address: u64) -> Option<Piece<'a>> {
        let found = *self.pieces.get(self.place(address))?;
        if address < found.address {
            return None;
        }
        self.last.set(found);
        Some(found)
    }

    /// Index of the first piece that ends after `address`.
    fn place(&self, address: u64) -> usize {
        self.pieces.partition_point(|one| one.end() <= address)
    }

    /// Bytes in several adjacent pieces, or in untouched memory.
    #[cold]
    fn bytes_across(&self, address: u64, len: usize) -> Option<&[u8]> {
        if len == 0 {
            return Some(&[]);
        }
        let end = address.checked_add(len as u64)?;
        let first = self.place(address);
        let touched = || {
            let pieces = self.pieces[first..].iter();
            pieces.take_while(move |piece| piece.address < end)
        };
        // Check that all are there before allocating: the length may be nonsense.
        let mut next = address;
        for piece in touched() {
            if piece.address > next && !self.is_untouched(next, piece.address) {
                return None;
            }
            next = piece.end();
        }
        if next < end && !self.is_untouched(next, end) {
            return None;
        }
        self.across.get(address, len, |into| {
            for piece in touched() {
                let part = piece.between(piece.address.max(address), piece.end().min(end));
                let start = (part.address - address) as usize;
                into[start..start + part.bytes.len()].copy_from_slice(part.bytes);
            }
            true
        })
    }
}

/// The pieces in order of address, each without what an earlier one in the list covers.
fn without_overlaps<'a>(
    given: impl IntoIterator<Item = Piece<'a>>,
) -> Result<Vec<Piece<'a>>, TryReserveError> {
    // In order of address, each with its rank in the list.
    let mut starts: Vec<(usize, Piece<'a>)> = Vec::new();
    for (rank, mut piece) in given.into_iter().enumerate() {
        let most = usize::try_from(u64::MAX - piece.address).unwrap_or(usize::MAX);
        piece.bytes = &piece.bytes[..piece.bytes.len().min(most)];
        if !piece.bytes.is_empty() {
            starts.try_reserve(1)?;
            starts.push((rank, piece));
        }
    }
    starts.sort_unstable_by_key(|&(rank, piece)| (piece.address, rank));
    let mut pieces: Vec<Piece<'a>> = Vec::new();
    // The pieces that have begun, by rank, as indices of `starts`.
    let mut begun: BinaryHeap<Reverse<(usize, usize)>> = BinaryHeap::new();
    begun.try_reserve(starts.len())?;
    let mut last = None;
    let (mut at, mut next) = (0, 0);
    loop {
        while let Some(&Reverse((_, number))) = begun.peek()
            && starts[number].1.end() <= at
        {
            begun.pop();
        }
        match (begun.peek(), starts.get(next)) {
            (None, None) => return Ok(pieces),
            (None, Some((_, piece))) => at = piece.address,
            _ => {}
        }
        while let Some(&(rank, piece)) = starts.get(next)
            && piece.address <= at
        {
            begun.push(Reverse((rank, next)));
            next += 1;
        }
        let Some(&Reverse((_, number))) = begun.peek() else {
            continue;
        };
        let piece = starts[number].1;
        if piece.end() <= at {
            continue;
        }
        let begins = starts.get(next).map_or(u64::MAX, |(_, next)| next.address);
        let until = piece.end().min(begins);
        match pieces.last_mut() {
            // The same piece goes on: what began meanwhile comes later in the list.
            Some(whole) if last == Some(number) => *whole = piece.between(whole.address, until),
            _ => {
                pieces.try_reserve(1)?;
                pieces.push(piece.between(at, until));
            }
        }
        last = Some(number);
        at = until;
    }
}

impl Memory for MemoryPieces<'_> {
    #[inline]
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let Some(piece) = self.piece(address) else {
            let is_untouched = self.is_untouched(address, address.checked_add(1)?);
            return is_untouched.then(|| self.bytes_across(address, len))?;
        };
        let start = (address - piece.address) as usize;
        let inside = piece.bytes.get(start..start.checked_add(len)?);
        inside.or_else(|| self.bytes_across(address, len))
    }

    fn is_writable(&self, address: u64) -> bool {
        match self.piece(address) {
            Some(piece) => piece.is_writable,
            None => self.is_untouched(address, address.saturating_add(1)),
        }
    }

    fn machine(&self) -> Machine {
        self.machine
    }

    #[inline]
    fn prefetch(&self, address: u64) {
        if let Some(piece) = self.piece(address) {
            let start = (address - piece.address) as usize;
            prefetch(piece.bytes.as_ptr().wrapping_add(start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn memory<'a>(pieces: &[(u64, &'a [u8], bool)]) -> MemoryPieces<'a> {
        let piece = |&(address, bytes, is_writable)| Piece {
            address,
            bytes,
            is_writable,
        };
        MemoryPieces::new(pieces.iter().map(piece)).unwrap()
    }

    #[test]
    fn what_the_pieces_have_can_be_read_and_nothing_else() {
        let memory = memory(&[
            (0x2000, b"later", false),
            (0x1000, b"first", true),
            (0x1003, b"over it", true),
            (0x100a, b"behind", true),
            (0x3000, b"", true),
            (u64::MAX - 3, b"ending", false),
        ]);
        assert_eq!(memory.iter().count(), 5);
        assert_eq!(memory.bytes(0x1000, 5), Some(&b"first"[..]));
        assert_eq!(memory.bytes(0x1002, 3), Some(&b"rst"[..]));
        // The first in the list counts, and the other keeps what lies after it.
        assert_eq!(memory.bytes(0x1005, 5), Some(&b"er it"[..]));
        assert_eq!(memory.bytes(0x1002, 9), Some(&b"rster itb"[..]));
        assert_eq!(memory.bytes(0x1002, 14), Some(&b"rster itbehind"[..]));
        assert_eq!(memory.bytes(0x1002, 15), None);
        assert_eq!(memory.bytes(0x2001, 4), Some(&b"ater"[..]));
        assert_eq!(memory.bytes(0x2001, usize::MAX), None);
        assert_eq!(memory.bytes(u64::MAX - 3, 2), Some(&b"en"[..]));
        for wrong in [0, 0xfff, 0x1010, 0x1fff, 0x2005, 0x3000, u64::MAX] {
            assert_eq!(memory.bytes(wrong, 1), None, "{wrong:#x}");
            assert!(!memory.is_writable(wrong));
            memory.prefetch(wrong);
        }
        assert!(memory.is_writable(0x1004) && !memory.is_writable(0x2000));
    }

    #[test]
    fn what_a_large_piece_has_on_both_sides_of_a_small_one_stays() {
        let memory = memory(&[(0x1004, b"xy", true), (0x1000, b"constants", false)]);
        assert_eq!(memory.bytes(0x1000, 9), Some(&b"consxynts"[..]));
        assert!(!memory.is_writable(0x1003) && memory.is_writable(0x1004));
        assert!(memory.is_writable(0x1005) && !memory.is_writable(0x1006));
    }

    #[test]
    fn what_nobody_touched_is_zeroes() {
        let untouched = [0x1000..0x2000, 0x3000..0x4000];
        let pieces = [(0x1100, &b"abc"[..], true), (0x3000, b"x", true)];
        let memory = memory(&pieces).with_untouched(&untouched);
        assert_eq!(memory.bytes(0x10ff, 6), Some(&b"\0abc\0\0"[..]));
        assert_eq!(
            memory.bytes(0x1000, 0x1000).map(|all| all[0x101]),
            Some(b'b')
        );
        assert_eq!(memory.bytes(0x3000, 2), Some(&b"x\0"[..]));
        assert_eq!(memory.bytes(0x3fff, 1), Some(&[0][..]));
        for (wrong, len) in [
            (0xfff, 1),
            (0xfff, 2),
            (0x1fff, 2),
            (0x1102, 0xeff),
            (0x2000, 1),
        ] {
            assert_eq!(memory.bytes(wrong, len), None, "{wrong:#x}");
        }
        assert!(memory.is_writable(0x1fff) && !memory.is_writable(0x2000));
        assert_eq!(memory.writable_bytes(), 0x2000 + 4);
    }

    const END: u64 = 300;

    proptest! {
        /// Whatever the pieces are, they agree with a map of single bytes at each address.
        #[test]
        fn pieces_are_a_map_of_bytes(
            given in prop::collection::vec((0..END, 0..80u64, any::<bool>(), any::<u8>()), 0..12),
            reads in prop::collection::vec((0..END + 100, 0..120usize), 1..50),
        ) {
            let bytes: Vec<Vec<u8>> = given
                .iter()
                .map(|&(_, len, _, seed)| (0..len).map(|at| seed.wrapping_add(at as u8)).collect())
                .collect();
            let mut naive = [None; (END + 200) as usize];
            for (&(start, len, is_writable, seed), _) in given.iter().zip(&bytes).rev() {
                for at in 0..len {
                    naive[(start + at) as usize] = Some((seed.wrapping_add(at as u8), is_writable));
                }
            }
            let pieces = given.iter().zip(&bytes).map(|(&(address, _, is_writable, _), bytes)| Piece {
                address,
                bytes,
                is_writable,
            });
            let memory = MemoryPieces::new(pieces).unwrap();
            for (address, len) in reads {
                let expected: Option<Vec<u8>> = (address..address + len as u64)
                    .map(|at| naive.get(at as usize).copied().flatten().map(|(byte, _)| byte))
                    .collect();
                let expected = expected.filter(|_| naive.get(address as usize).is_some_and(Option::is_some));
                prop_assert_eq!(memory.bytes(address, len).map(<[u8]>::to_vec), expected);
                let is_writable = naive.get(address as usize).copied().flatten();
                prop_assert_eq!(memory.is_writable(address), is_writable.is_some_and(|(_, is)| is));
            }
            let mut end = 0;
            for piece in memory.iter() {
                prop_assert!(piece.address >= end && !piece.bytes.is_empty());
                end = piece.end();
            }
            let writable = naive.iter().flatten().filter(|(_, is_writable)| *is_writable).count();
            prop_assert_eq!(memory.writable_bytes(), writable as u64);
        }
    }
}
