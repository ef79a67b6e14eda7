//! Memory as the native engine reads it: at addresses that may be wrong.

use crate::machine::Machine;

/// The memory of a process.
///
/// What is read does not change during a capture, since the VM stands still.
pub(crate) trait Memory {
    /// The `len` bytes at `address`, where all of them can be read.
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]>;

    /// The same for bytes that belong to another VM of the process, which may run meanwhile, and may have given them
    /// back: what is returned was read at one moment, and stays.
    fn bytes_of_others(&self, address: u64, len: usize) -> Option<&[u8]> {
        self.bytes(address, len)
    }

    /// Whether the program can write at `address`; where it cannot, there are constants.
    fn is_writable(&self, address: u64) -> bool;

    /// The machine that the process runs on.
    fn machine(&self) -> Machine {
        Machine::HERE
    }

    /// Hints that the bytes at `address` will be read soon.
    fn prefetch(&self, address: u64);
}

/// A memory all of which is read as if it were of other VMs.
pub(crate) struct OfOthers<'m, M>(pub(crate) &'m M);

impl<M: Memory> Memory for OfOthers<'_, M> {
    fn bytes(&self, address: u64, len: usize) -> Option<&[u8]> {
        self.0.bytes_of_others(address, len)
    }

    fn is_writable(&self, address: u64) -> bool {
        self.0.is_writable(address)
    }

    fn prefetch(&self, _: u64) {}
}

/// The bytes of a structure, read by the offsets of a layout.
///
/// # Panics
/// The readers panic at an offset past the end, which is an error in a layout's table.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Structure<'a>(pub(crate) &'a [u8]);

impl Structure<'_> {
    #[inline]
    fn array<const N: usize>(self, offset: u16) -> [u8; N] {
        let mut bytes = [0; N];
        bytes.copy_from_slice(&self.0[usize::from(offset)..usize::from(offset) + N]);
        bytes
    }

    #[inline]
    pub(crate) fn byte(self, offset: u16) -> u8 {
        self.0[usize::from(offset)]
    }

    #[inline]
    pub(crate) fn half(self, offset: u16) -> u16 {
        u16::from_ne_bytes(self.array(offset))
    }

    #[inline]
    pub(crate) fn int(self, offset: u16) -> u32 {
        u32::from_ne_bytes(self.array(offset))
    }

    #[inline]
    pub(crate) fn word(self, offset: u16) -> u64 {
        u64::from_ne_bytes(self.array(offset))
    }

    /// The word at an offset that may be too large for a `u16`.
    #[inline]
    pub(crate) fn word_at(self, offset: u64) -> u64 {
        Structure(&self.0[offset as usize..]).word(0)
    }
}

/// Reads structures and what they contain.
pub(crate) trait Read: Memory {
    /// The structure of `size` bytes at `address`.
    #[inline]
    fn structure(&self, address: u64, size: u16) -> Option<Structure<'_>> {
        let size = usize::from(size);
        // The compiler does not know that it asked for as many, and would check the end of each field.
        self.bytes(address, size)?.get(..size).map(Structure)
    }

    /// The word at `address`.
    #[inline]
    fn word(&self, address: u64) -> Option<u64> {
        Some(self.structure(address, 8)?.word(0))
    }

    /// The `count` items of `size` bytes each at `address`.
    #[inline]
    fn items(&self, address: u64, count: u64, size: u16) -> Option<&[u8]> {
        if count == 0 {
            return Some(&[]);
        }
        let len = count.checked_mul(u64::from(size))?;
        self.bytes(address, usize::try_from(len).ok()?)
    }
}

impl<M: Memory> Read for M {}
