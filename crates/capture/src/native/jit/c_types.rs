//! The types of cdata, by which their sizes are known.

use crate::native::jit::{Sweep, WORD};
use crate::native::layout::jit::CTState;
use crate::native::memory::{Memory, Read, Structure};
use crate::native::misfit::{Misfit, Swept};

/// `GCcdata`, whose payload follows; and `GCcdataVar`, which lies before one of a size of its own.
const CDATA: u16 = 16;
const OWN_SIZE: u16 = 8;
/// In `GCcdata`: the number of its type.
const TYPE_ID: u16 = 10;
/// In `GCcdata.marked`: there is a `GCcdataVar`.
const HAS_OWN_SIZE: u8 = 0x80;
/// In `GCcdataVar`: how much more than the payload it has, and the payload's bytes.
const EXTRA: u16 = 2;
const LEN: u16 = 4;

/// In `CType.info`: the sort of type, and the number of the type it is made of.
const SORT: u32 = 28;
const CHILD: u32 = 0xffff;
/// `CT_HASSIZE`: up to this sort a type has a size.
const LAST_WITH_SIZE: u32 = 5;
/// `CT_ATTRIB`: what another type stands behind.
const ATTRIBUTE: u32 = 8;
/// `CTSIZE_PTR`.
const POINTER: u64 = 8;

/// The table of types; empty while nothing needs them.
#[derive(Clone, Copy)]
pub(super) struct CTypes<'m> {
    places: &'static CTState,
    types: &'m [u8],
    /// Bytes of it all.
    size: u64,
}

impl<'m> CTypes<'m> {
    /// The table of the `CTState` at `address`, 0 where there is none.
    pub(super) fn read(
        memory: &'m impl Memory,
        places: &'static CTState,
        address: u64,
    ) -> Swept<CTypes<'m>> {
        const WHAT: Misfit = Misfit::Unreadable("the table of C types");
        if address == 0 {
            return Ok(CTypes {
                places,
                types: &[],
                size: 0,
            });
        }
        let state = memory.structure(address, places.size).ok_or(WHAT)?;
        let count = u64::from(state.int(places.table_size));
        let types = memory
            .items(state.word(places.table), count, places.type_size)
            .ok_or(WHAT)?;
        let callbacks = 2 * u64::from(state.int(places.callback_count));
        Ok(CTypes {
            places,
            types,
            size: u64::from(places.size) + types.len() as u64 + callbacks,
        })
    }

    /// Bytes of it all: the state, the table, and the callbacks' numbers.
    pub(super) fn size(&self) -> u64 {
        self.size
    }

    /// The bytes of a payload of the type with this number.
    fn size_of(&self, number: u16) -> Option<u64> {
        let size = usize::from(self.places.type_size);
        let mut number = usize::from(number);
        // Each attribute leads to another type, and there are no more types than these.
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

/// Where the payload of the cdata at `address` is.
pub(super) fn payload(address: u64) -> u64 {
    address + u64::from(CDATA)
}

impl<M: Memory> Sweep<'_, M> {
    pub(super) fn cdata_size(&self, address: u64) -> Option<u64> {
        let cdata = self.memory.structure(address, CDATA)?;
        if cdata.byte(super::MARKED) & HAS_OWN_SIZE == 0 {
            let size = self.c_types.size_of(cdata.half(TYPE_ID))?;
            return Some(u64::from(CDATA) + size);
        }
        let start = address.checked_sub(u64::from(OWN_SIZE))?;
        let own = self.memory.structure(start, WORD)?;
        Some(u64::from(own.int(LEN)) + u64::from(own.half(EXTRA)))
    }
}
