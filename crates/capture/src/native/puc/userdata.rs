//! Full userdata.

use crate::layout::ABSENT;
use crate::lua::weak_mode::WeakMode;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::puc::header::VALUE;
use crate::native::puc::sweep::Sweep;
use crate::native::puc::tags::ValueType;
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Kind, Label, NodeId};

/// A userdata's fields.
#[derive(Clone, Copy)]
pub(super) struct Userdata<'m> {
    header: Structure<'m>,
    /// Number of user values behind its header (5.4 and later).
    value_count: u64,
    pub(super) metatable: u64,
    pub(super) payload: u64,
    /// Bytes of the payload.
    pub(super) len: u64,
}

impl<'m, M: Memory> Sweep<'m, M> {
    pub(super) fn userdata(&self, address: u64) -> Option<Userdata<'m>> {
        let places = &self.layout().userdata;
        let header = self.memory.structure(address, places.header)?;
        let value_count = match places.user_value_count {
            ABSENT => 0,
            place => u64::from(header.half(place)),
        };
        let payload = match value_count {
            0 => u64::from(places.header),
            count => u64::from(places.user_values) + u64::from(VALUE) * count,
        };
        Some(Userdata {
            header,
            value_count,
            metatable: header.word(places.metatable),
            payload: address + payload,
            len: header.word(places.len),
        })
    }

    pub(super) fn userdata_size(&self, address: u64) -> Option<u64> {
        let userdata = self.userdata(address)?;
        Some((userdata.payload - address).saturating_add(userdata.len))
    }

    pub(super) fn add_edges_of_userdata(&mut self, node: NodeId, address: u64) -> Swept {
        const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a userdata");
        let places = &self.layout().userdata;
        let userdata = self.userdata(address).ok_or(UNREADABLE)?;
        if userdata.metatable != 0 {
            if self.userdata_metatables.get(userdata.metatable).is_none() {
                let fields = self.fields_of(userdata.metatable)?;
                self.userdata_metatables
                    .put(userdata.metatable, WeakMode::default(), fields)?;
            }
            let metatable = (Kind::Table, &"a userdata's metatable");
            self.refer_to_kind(node, userdata.metatable, Label::Metatable, metatable)?;
        }
        if places.environment != ABSENT {
            // 5.2 calls it the user value.
            let label = match self.version().is_51_api() {
                true => Label::Environment,
                false => Label::UserValue(1),
            };
            let environment = userdata.header.word(places.environment);
            let table = (Kind::Table, &"a userdata's environment");
            self.refer_to_kind(node, environment, label, table)?;
        }
        if places.user_value != ABSENT {
            let tag = userdata.header.byte(places.user_value_tag);
            if self.types[usize::from(tag)] == ValueType::Object {
                let value = userdata.header.word(places.user_value);
                self.refer_to_object(node, value, Label::UserValue(1))?;
            }
        }
        self.has_user_values |= userdata.value_count > 0;
        let start = address + u64::from(places.user_values);
        let values = match userdata.value_count {
            0 => &[],
            count => self.memory.items(start, count, VALUE).ok_or(UNREADABLE)?,
        };
        for (number, value) in (1..).zip(values.chunks_exact(usize::from(VALUE))) {
            self.refer_to_value(node, Structure(value), Label::UserValue(number))?;
        }
        // Its visible address is that of its payload.
        self.heap.set_address(node, userdata.payload);
        Ok(())
    }
}
