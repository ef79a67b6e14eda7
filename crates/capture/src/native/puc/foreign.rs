//! Objects of other VMs, to which this one refers: in skynet, functions of all states share the prototypes of one that
//! is never closed, with their constants, and tables can be shared.
//!
//! They are on none of this VM's lists, and belong to states that may run meanwhile. So they are followed only where they
//! are marked as shared and all of their header fits, they are read through the kernel (`Memory::bytes_of_others`),
//! and what they refer to must be shared as well. Their bytes are not this VM's.

use crate::memory::memory::{Memory, Read};
use crate::native::byte_ledger::note;
use crate::native::foreign_objects::ForeignObject;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::puc::header::{HEADER, TAG};
use crate::native::puc::string::SHORT;
use crate::native::puc::sweep::{ANY, Sweep};
use crate::native::puc::tags::{self, ObjectType};
use crate::native::puc::whose::Whose;
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Kind, NameId, NodeId};

/// In `marked`: the age of an object, and the one that says that it is shared (`G_SHARED`).
const AGE: u8 = 0b111;
const SHARED: u8 = 7;

/// Whether an object is marked as one that several states use.
pub(super) fn is_shared(marked: u8) -> bool {
    marked & AGE == SHARED
}

impl<'m, M: Memory> Sweep<'m, M> {
    /// Returns the node of the object at `address`, where it is one of this VM or one of another that was met before.
    #[inline(always)]
    pub(super) fn known(&self, address: u64) -> Option<NodeId> {
        match self.heap.find(address) {
            None if self.shares() => self.heap.find_foreign(address),
            found => found,
        }
    }

    /// Returns the node of the shared object of another VM at `address`, which is added if it is new; `None` if there is
    /// none.
    #[cold]
    #[inline(never)]
    pub(super) fn foreign(&mut self, address: u64) -> Swept<Option<NodeId>> {
        if let Some(node) = self.heap.find_foreign(address) {
            return Ok(Some(node));
        }
        let Some((object_type, bytes)) = self.shared_at(address) else {
            return Ok(None);
        };
        let kind = match object_type {
            ObjectType::ShortString | ObjectType::LongString => Kind::String,
            ObjectType::Table => Kind::Table,
            ObjectType::Prototype => Kind::Prototype,
            _ => Kind::LuaFunction,
        };
        let node = self.heap.add_foreign(kind, address)?;
        let object = ForeignObject {
            address,
            bytes,
            node,
        };
        note(&mut self.foreign_objects, object)?;
        match object_type {
            ObjectType::ShortString => self.name_short_foreign(node, address)?,
            ObjectType::LongString => note(&mut self.long_strings, node)?,
            _ => {}
        }
        Ok(Some(node))
    }

    /// Returns what is at `address`, and its shallow size in bytes, if it is a shared object of another VM.
    fn shared_at(&self, address: u64) -> Option<(ObjectType, u64)> {
        const OTHERS: Whose = Whose::Others;
        if !address.is_multiple_of(8) {
            return None;
        }
        let header = self.structure_of(OTHERS, address, HEADER)?;
        let object_type = tags::object_type(self.layout(), header.byte(TAG))?;
        if !is_shared(header.byte(self.layout().string.marked)) {
            return None;
        }
        let size = match object_type {
            ObjectType::ShortString | ObjectType::LongString => {
                self.shared_string_size(address, object_type)
            }
            ObjectType::Table => self.table_size::<ANY>(OTHERS, address),
            ObjectType::Prototype => self.prototype_size(OTHERS, address),
            // Those that are shared have no upvalues: these would be of one state.
            ObjectType::LuaClosure => {
                let size = self.lua_closure_size::<ANY>(OTHERS, address)?;
                (size == u64::from(self.layout().closure.upvalues)).then_some(size)
            }
            _ => None,
        };
        Some((object_type, size?))
    }

    /// The shallow size of a string, if it reads as a shared one: it has a number, a zero byte is behind its text, and no
    /// short text is longer than short ones may be.
    fn shared_string_size(&self, address: u64, object_type: ObjectType) -> Option<u64> {
        let place = self.layout().string.id;
        let string = self.structure_of(Whose::Others, address, place + 8)?;
        let text = self.text_place::<ANY>(Whose::Others, address, object_type)?;
        let end = text.address.checked_add(text.len)?;
        let fits = string.word(place) != 0
            && (object_type == ObjectType::LongString || text.len <= SHORT)
            && self.bytes_of(Whose::Others, end, 1)? == [0];
        fits.then_some(text.size)
    }

    /// Keeps the text of a short string of another VM. This VM may have a string of this text, too: then they have one
    /// name, since a field that either names is one field.
    fn name_short_foreign(&mut self, node: NodeId, address: u64) -> Swept {
        const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"a string");
        let text = self.whole_text(node).ok_or(UNREADABLE)?;
        let hash = self.hash_of_short::<ANY>(Whose::Others, address);
        let name = match hash.and_then(|hash| self.own_name_of(text, hash)) {
            Some(name) => name,
            None => self.heap.intern(text)?,
        };
        self.heap.set_source(node, name);
        Ok(())
    }

    /// The name of this VM's short string that has this text, which lies in the bucket of its hash.
    fn own_name_of(&self, text: &[u8], hash: u32) -> Option<NameId> {
        let places = &self.layout().global_state;
        let count = u64::from(self.global.int(places.strings_size));
        let bucket = u64::from(hash) & count.checked_sub(1)?;
        let buckets = self.global.word(places.strings);
        let mut string = self.memory.word(buckets.checked_add(8 * bucket)?)?;
        let next = u64::from(self.layout().string.next_in_bucket);
        // A bucket has no more than all of them.
        for _ in 0..=self.global.int(places.strings_used) {
            let node = self.heap.find(string)?;
            let name = self.heap.source(node);
            if self.heap.kind(node) == Kind::String && self.heap.name(name) == text {
                return Some(name);
            }
            string = self.memory.word(string.checked_add(next)?)?;
        }
        None
    }

    /// Whether a key is the string at `own`, one of this VM: a string of another VM with the same text is the same key.
    pub(super) fn is_key(&mut self, key: u64, own: u64) -> Swept<bool> {
        if key == own || !self.shares() || self.heap.find(key).is_some() {
            return Ok(key == own);
        }
        let names = [self.foreign(key)?, self.heap.find(own)].map(|node| {
            node.filter(|&node| self.heap.kind(node) == Kind::String)
                .map(|node| self.heap.source(node))
        });
        Ok(names[0].is_some() && names[0] == names[1])
    }

    /// Gives the objects of other VMs their references: prototypes and functions refer to shared objects alone. Shared
    /// tables are left as they are, since they may be larger than the whole VM; the state that made them has what is in
    /// them.
    pub(super) fn add_edges_of_foreign(&mut self) -> Swept {
        let mut number = 0;
        while let Some(&ForeignObject { node, .. }) = self.foreign_objects.get(number) {
            number += 1;
            if self.heap.kind(node) != Kind::Table {
                let listed = self.heap.listed(node);
                self.add_edges_of(node, listed, Self::add_edges_of_kind::<ANY>)?;
            }
        }
        Ok(())
    }
}
