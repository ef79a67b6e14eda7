//! The C types of cdata, which give their sizes.

use crate::layout::ABSENT;
use crate::layout::jit::CTState;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};

/// In `CType.info`: the first bit of the sort of type, and the mask of the number of the type it is
/// made of.
const SORT: u32 = 28;
const CHILD: u32 = 0xffff;
/// `CT_HASSIZE`: the last sort of type that has a size.
const LAST_WITH_SIZE: u32 = 5;
/// `CT_ATTRIB`: an attribute of another type, its child.
const ATTRIBUTE: u32 = 8;
/// `CTSIZE_PTR`.
const POINTER: u64 = 8;

/// The table of types; empty while there is none.
#[derive(Clone, Copy)]
pub(super) struct CTypes<'m> {
    places: &'static CTState,
    types: &'m [u8],
    /// Bytes of the state, the table, and the callbacks' numbers.
    size: u64,
}

impl<'m> CTypes<'m> {
    /// Reads the table of the `CTState` at `address`, which is 0 where there is none.
    pub(super) fn read(
        memory: &'m impl Memory,
        places: &'static CTState,
        address: u64,
    ) -> Swept<CTypes<'m>> {
        const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"the table of C types");
        if address == 0 {
            return Ok(CTypes {
                places,
                types: &[],
                size: 0,
            });
        }
        if places.size == ABSENT {
            return Err(LayoutMismatch::GlobalState.into());
        }
        let state = memory.structure(address, places.size).ok_or(UNREADABLE)?;
        let count = u64::from(state.int(places.table_size));
        let types = memory
            .items(state.word(places.table), count, places.type_size)
            .ok_or(UNREADABLE)?;
        let callbacks = 2 * u64::from(state.int(places.callback_count));
        Ok(CTypes {
            places,
            types,
            size: u64::from(places.size) + types.len() as u64 + callbacks,
        })
    }

    /// Bytes of the state, the table, and the callbacks' numbers.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// Bytes of a payload of the type with this number.
    pub(super) fn size_of(&self, number: u16) -> Option<u64> {
        let size = usize::from(self.places.type_size);
        let mut number = usize::from(number);
        // Each attribute leads to another type, and there are no more steps than types.
        for _ in 0..=self.types.len() / size {
            let one = Structure(self.types.get(number * size..(number + 1) * size)?);
            let info = one.int(self.places.type_info);
            match info >> SORT {
                ATTRIBUTE => number = (info & CHILD) as usize,
                0..=LAST_WITH_SIZE => return Some(u64::from(one.int(self.places.type_bytes))),
                _ => return Some(POINTER),
            }
        }
        None
    }
}
