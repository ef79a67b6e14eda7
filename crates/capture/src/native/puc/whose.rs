//! Whose memory is read: this VM's, or that of another one of the process.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Structure};
use crate::native::puc::sweep::Sweep;
use luasnap_heap::NodeId;

/// Whose memory it is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Whose {
    /// This VM's, which stands still.
    Own,
    /// Another VM's of the process.
    Others,
}

impl<'m, M: Memory> Sweep<'m, M> {
    /// Whether objects may refer to those of another VM.
    #[inline(always)]
    pub(super) fn shares(&self) -> bool {
        self.layout().string.id != ABSENT
    }

    /// Returns whose a node's object is.
    #[inline(always)]
    pub(super) fn whose(&self, node: NodeId) -> Whose {
        match node.0 >= self.listed && self.shares() {
            true => Whose::Others,
            false => Whose::Own,
        }
    }

    #[inline(always)]
    pub(super) fn bytes_of(&self, whose: Whose, address: u64, len: usize) -> Option<&'m [u8]> {
        match whose {
            Whose::Own => self.memory.bytes(address, len),
            Whose::Others => self.memory.bytes_of_others(address, len),
        }
    }

    /// The structure of `size` bytes at `address`.
    #[inline(always)]
    pub(super) fn structure_of(
        &self,
        whose: Whose,
        address: u64,
        size: u16,
    ) -> Option<Structure<'m>> {
        let size = usize::from(size);
        // As in `structure`.
        self.bytes_of(whose, address, size)?
            .get(..size)
            .map(Structure)
    }

    /// The `count` items of `size` bytes each at `address`.
    #[inline(always)]
    pub(super) fn items_of(
        &self,
        whose: Whose,
        address: u64,
        count: u64,
        size: u16,
    ) -> Option<&'m [u8]> {
        if count == 0 {
            return Some(&[]);
        }
        let len = count.checked_mul(u64::from(size))?;
        self.bytes_of(whose, address, usize::try_from(len).ok()?)
    }
}
