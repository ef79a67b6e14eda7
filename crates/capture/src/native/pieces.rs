//! The memory of another process, as pieces that this one has: copies, or a file's mapped parts.

use super::memory::Memory;
use super::prefetch::prefetch;
use std::cell::Cell;

/// Neighbouring bytes of a process's memory.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Piece<'a> {
    /// Where they are in that process.
    pub(crate) address: u64,
    pub(crate) bytes: &'a [u8],
    /// Whether the process can write there.
    pub(crate) is_writable: bool,
}

impl Piece<'_> {
    /// The address behind it.
    pub(crate) fn end(&self) -> u64 {
        self.address.saturating_add(self.bytes.len() as u64)
    }
}

/// Memory in pieces.
#[derive(Debug)]
pub(crate) struct Pieces<'a> {
    /// By address; none overlaps another.
    pieces: Vec<Piece<'a>>,
    last: Cell<Piece<'a>>,
}

impl<'a> Pieces<'a> {
    /// The memory that has these pieces. Of two that overlap the second is left out.
    pub(crate) fn new(mut pieces: Vec<Piece<'a>>) -> Pieces<'a> {
        pieces.sort_by_key(|piece| piece.address);
        let mut end = 0;
        pieces.retain(|piece| {
            let is_free = piece.address >= end && !piece.bytes.is_empty();
            if is_free {
                end = piece.end();
            }
            is_free
        });
        Pieces {
            pieces,
            last: Cell::default(),
        }
    }

    /// The pieces, by address.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Piece<'a>> {
        self.pieces.iter()
    }

    /// How many bytes the process can write.
    pub(crate) fn writable_bytes(&self) -> u64 {
        let writable = self.pieces.iter().filter(|piece| piece.is_writable);
        writable.map(|piece| piece.bytes.len() as u64).sum()
    }

    /// The piece in which `address` lies.
    #[inline]
    fn piece(&self, address: u64) -> Option<Piece<'a>> {
        let last = self.last.get();
        if address.wrapping_sub(last.address) < last.bytes.len() as u64 {
            return Some(last);
        }
        self.look_up(address)
    }

    fn look_up(&self, address: u64) -> Option<Piece<'a>> {
        let at = self.pieces.partition_point(|one| one.end() <= address);
        let found = *self.pieces.get(at)?;
        if address < found.address {
            return None;
        }
        self.last.set(found);
        Some(found)
    }
}

impl Memory for Pieces<'_> {
    #[inline]
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        let piece = self.piece(address)?;
        let start = (address - piece.address) as usize;
        piece.bytes.get(start..start.checked_add(len)?)
    }

    fn is_writable(&self, address: u64) -> bool {
        self.piece(address).is_some_and(|piece| piece.is_writable)
    }

    #[inline]
    fn expect(&self, address: u64) {
        if let Some(piece) = self.piece(address) {
            let start = (address - piece.address) as usize;
            prefetch(piece.bytes.as_ptr().wrapping_add(start));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_pieces_have_can_be_read_and_nothing_else() {
        let piece = |address, bytes, is_writable| Piece {
            address,
            bytes,
            is_writable,
        };
        let memory = Pieces::new(vec![
            piece(0x2000, b"later", false),
            piece(0x1000, b"first", true),
            piece(0x1003, b"over it", true),
            piece(0x1005, b"behind", true),
            piece(0x3000, b"", true),
            piece(u64::MAX - 3, b"en", false),
        ]);
        assert_eq!(memory.iter().count(), 4);
        assert_eq!(memory.bytes(0x1000, 5), Some(&b"first"[..]));
        assert_eq!(memory.bytes(0x1002, 3), Some(&b"rst"[..]));
        assert_eq!(memory.bytes(0x1002, 4), None);
        assert_eq!(memory.bytes(0x1005, 6), Some(&b"behind"[..]));
        assert_eq!(memory.bytes(0x2001, 4), Some(&b"ater"[..]));
        assert_eq!(memory.bytes(0x2001, usize::MAX), None);
        assert_eq!(memory.bytes(u64::MAX - 3, 2), Some(&b"en"[..]));
        for wrong in [0, 0xfff, 0x100b, 0x1fff, 0x2005, 0x3000, u64::MAX] {
            assert_eq!(memory.bytes(wrong, 1), None, "{wrong:#x}");
            assert!(!memory.is_writable(wrong));
            memory.expect(wrong);
        }
        assert!(memory.is_writable(0x1004) && !memory.is_writable(0x2000));
    }
}
