//! Full userdata, string buffers among them.

use crate::lua::weak_mode::WeakMode;
use crate::memory::memory::{Memory, Read};
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::own_snapshots::Userdata;
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Kind, Label, NodeId};

const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable("a userdata");
/// `UDTYPE_BUFFER`.
const BUFFER: u8 = 3;
/// Sizes of `SBufExt`, and offsets in it: the end and the start of a buffer's memory, a reference
/// with flags in its low bits, the object that the buffer shows, and the tables of its
/// dictionaries. The first revisions with buffers (210.1.4) have only one dictionary.
const SIZE_WITH_ONE: u16 = 64;
const SIZE: u16 = 72;
const END: u16 = 8;
const START: u16 = 16;
const FLAGS: u16 = 24;
const SHOWN: u16 = 32;
const KEY_DICTIONARY: u16 = 48;
const METATABLE_DICTIONARY: u16 = 56;
/// `SBUF_FLAG_COW`, `SBUF_FLAG_BORROW`: the memory is that of a string, or of another buffer.
const SHOWS_OBJECT: u64 = 2;
const BORROWS: u64 = 4;

impl<M: Memory> Sweep<'_, M> {
    /// Returns a userdata's fields, and the address of its environment.
    pub(super) fn userdata(&self, address: u64) -> Option<(Userdata, u64)> {
        let places = &self.layout.userdata;
        let userdata = self.memory.structure(address, places.size)?;
        let fields = Userdata {
            metatable: userdata.word(places.metatable),
            payload: address + u64::from(places.size),
            len: u64::from(userdata.int(places.len)),
        };
        Some((fields, userdata.word(places.environment)))
    }

    fn is_buffer(&self, address: u64) -> bool {
        let places = &self.layout.userdata;
        let userdata = self.memory.structure(address, places.size);
        userdata.is_some_and(|userdata| {
            userdata.byte(places.udata_type) == BUFFER
                && userdata.int(places.len) >= u32::from(SIZE_WITH_ONE)
        })
    }

    /// Shallow size of a userdata, in bytes, with the memory that a buffer owns.
    pub(super) fn userdata_size(&self, address: u64) -> Option<u64> {
        let (userdata, _) = self.userdata(address)?;
        let mut size = u64::from(self.layout.userdata.size) + userdata.len;
        if self.is_buffer(address) {
            let buffer = self.memory.structure(userdata.payload, SIZE_WITH_ONE)?;
            if buffer.word(FLAGS) & (SHOWS_OBJECT | BORROWS) == 0 {
                size = size.checked_add(buffer.word(END).checked_sub(buffer.word(START))?)?;
            }
        }
        Some(size)
    }

    pub(super) fn add_edges_of_userdata(&mut self, node: NodeId, address: u64) -> Swept {
        let (userdata, environment) = self.userdata(address).ok_or(UNREADABLE)?;
        if userdata.metatable != 0 {
            if self.userdata_metatables.get(userdata.metatable).is_none() {
                let fields = self.fields_of(userdata.metatable);
                self.userdata_metatables
                    .put(userdata.metatable, WeakMode::default(), fields)?;
            }
            let metatable = (Kind::Table, "a userdata's metatable");
            self.refer_to_kind(node, userdata.metatable, Label::Metatable, metatable)?;
        }
        let table = (Kind::Table, "a userdata's environment");
        self.refer_to_kind(node, environment, Label::Environment, table)?;
        if self.is_buffer(address) {
            self.add_edges_of_buffer(node, userdata)?;
        }
        // Its visible address is that of its payload.
        self.heap.set_address(node, userdata.payload);
        Ok(())
    }

    /// Adds the references of a string buffer, which no API function shows.
    fn add_edges_of_buffer(&mut self, node: NodeId, userdata: Userdata) -> Swept {
        let has_two = userdata.len >= u64::from(SIZE);
        let size = if has_two { SIZE } else { SIZE_WITH_ONE };
        let buffer = self
            .memory
            .structure(userdata.payload, size)
            .ok_or(UNREADABLE)?;
        if buffer.word(FLAGS) & SHOWS_OBJECT != 0 {
            self.refer_to_object(node, buffer.word(SHOWN), Label::Constant)?;
        }
        self.refer_to_object(node, buffer.word(KEY_DICTIONARY), Label::Constant)?;
        match has_two {
            true => self.refer_to_object(node, buffer.word(METATABLE_DICTIONARY), Label::Constant),
            false => Ok(()),
        }
    }
}
