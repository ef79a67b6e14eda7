//! Full userdata, string buffers among them.

use crate::layout::ABSENT;
use crate::lua::weak_mode::WeakMode;
use crate::memory::memory::{Memory, Read};
use crate::native::jit::references::References;
use crate::native::jit::sweep::Sweep;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::own_snapshots::Userdata;
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Kind, Label, NodeId};

const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a userdata");
/// `UDTYPE_BUFFER`.
const BUFFER: u8 = 3;
/// `SBUF_FLAG_COW`, `SBUF_FLAG_BORROW`: the memory is that of a string, or of another buffer.
const SHOWS_OBJECT: u64 = 2;
const BORROWS: u64 = 4;

impl<M: Memory, R: References> Sweep<'_, M, R> {
    /// Returns a userdata's fields, and the address of its environment.
    pub(super) fn userdata(&self, address: u64) -> Option<(Userdata, u64)> {
        let places = &self.layout.userdata;
        let userdata = self.memory.structure(address, places.size)?;
        let fields = Userdata {
            metatable: R::at(userdata, places.metatable),
            payload: address + u64::from(places.size),
            len: u64::from(userdata.int(places.len)),
        };
        Some((fields, R::at(userdata, places.environment)))
    }

    fn is_buffer(&self, address: u64) -> bool {
        let places = &self.layout.userdata;
        let size = self.layout.buffer.size;
        let userdata = self.memory.structure(address, places.size);
        size != ABSENT
            && userdata.is_some_and(|userdata| {
                userdata.byte(places.udata_type) == BUFFER
                    && userdata.int(places.len) >= u32::from(size)
            })
    }

    /// Shallow size of a userdata, in bytes, with the memory that a buffer owns.
    pub(super) fn userdata_size(&self, address: u64) -> Option<u64> {
        let (userdata, _) = self.userdata(address)?;
        let mut size = u64::from(self.layout.userdata.size) + userdata.len;
        if self.is_buffer(address) {
            let places = &self.layout.buffer;
            let buffer = self.memory.structure(userdata.payload, places.size)?;
            if R::at(buffer, places.flags) & (SHOWS_OBJECT | BORROWS) == 0 {
                let (start, end) = (buffer.word(places.start), buffer.word(places.end));
                size = size.checked_add(end.checked_sub(start)?)?;
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
            let metatable = (Kind::Table, &"a userdata's metatable");
            self.refer_to_kind(node, userdata.metatable, Label::Metatable, metatable)?;
        }
        let table = (Kind::Table, &"a userdata's environment");
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
        let places = &self.layout.buffer;
        let buffer = self
            .memory
            .structure(userdata.payload, places.size)
            .ok_or(UNREADABLE)?;
        if R::at(buffer, places.flags) & SHOWS_OBJECT != 0 {
            self.refer_to_object(node, R::at(buffer, places.shown), Label::Constant)?;
        }
        let dictionaries = [places.key_dictionary, places.metatable_dictionary];
        for place in dictionaries.into_iter().filter(|&place| place != ABSENT) {
            self.refer_to_object(node, R::at(buffer, place), Label::Constant)?;
        }
        Ok(())
    }
}
