//! Verifies that a layout means what the VM means. Sizes may add up and references may lead to
//! objects although two fields have changed places; names, hashes and numbers then read wrong.

use crate::layout::ABSENT;
use crate::lua::numbers::Width;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::modes::Fields;
use crate::native::puc::header::{HEADER, TAG, VALUE};
use crate::native::puc::sweep::{ANY, Sweep};
use crate::native::puc::table::Parts;
use crate::native::puc::tags::{self, ValueType};
use crate::native::puc::whose::Whose;
use crate::native::sweep::Sweep as _;
use crate::native::verify::{is_event, is_near, is_sample, verify_metamethods, verify_metatables};
use crate::version::Version;
use luasnap_heap::{Kind, NodeId};

/// Number of buckets of the string table that are checked where it is not used for listing (5.3
/// on).
const BUCKETS: u64 = 1024;
/// Number of entries that are checked in a table.
const ENTRIES: usize = 4;
/// Number of objects with a finalizer that are checked.
const FINALIZED: usize = 64;
/// The types whose values have metatables of their own: tables and userdata.
const WITH_OWN_METATABLES: [u16; 2] = [5, 7];
/// `LUA_NUMTYPES`.
const TYPES: u16 = 9;
/// The tag of a short string; in 5.1, of any string.
const SHORT_STRING: u8 = 4;

impl<'m, M: Memory> Sweep<'m, M> {
    /// Verifies what can be verified once every object is known.
    pub(super) fn verify_meaning_of_objects(&mut self) -> Swept {
        self.verify_metamethods()?;
        self.verify_metatables_of_types()?;
        self.verify_finalizers()?;
        self.verify_string_table()
    }

    /// Addresses of the metamethods' names.
    fn metamethods(&self) -> impl Iterator<Item = u64> + '_ {
        let places = &self.layout().global_state;
        let numbers = 0..places.metamethod_count;
        numbers.map(|number| self.global.word(places.metamethods + 8 * number))
    }

    /// Verifies the names of the metamethods.
    fn verify_metamethods(&self) -> Swept {
        verify_metamethods(&self.heap, self.metamethods())
    }

    /// Verifies that the metatables of the basic types are tables, and that types whose values have
    /// their own have none.
    fn verify_metatables_of_types(&self) -> Swept {
        let place = self.layout().global_state.metatables;
        verify_metatables((0..TYPES).map(|number| {
            let address = self.global.word(place + 8 * number);
            let may_have_one = !WITH_OWN_METATABLES.contains(&number);
            address == 0 || (may_have_one && self.is(address, Kind::Table))
        }))
    }

    /// Verifies the list of objects with a finalizer (5.2 on): the `__gc` of their metatables put
    /// them there. They may have lost it since, but not all of them: files are among the oldest.
    fn verify_finalizers(&mut self) -> Swept {
        const GC: &[u8] = b"__gc";
        let gc = self.metamethods().find(|&address| {
            let node = self.heap.find(address);
            node.is_some_and(|node| self.heap.name(self.heap.source(node)) == GC)
        });
        let Some(gc) = gc else { return Ok(()) };
        // Where tables have their metatables says nothing of userdata. Programs cancel finalizers of
        // tables by taking `__gc` out, so tables alone refuse nothing that userdata confirm.
        let (mut with, mut without, mut userdata_with, mut userdata_without) = (0, 0, 0, 0);
        for node in self.finalized.clone().rev().take(FINALIZED).map(NodeId) {
            let address = self.heap.address(node);
            let metatable = match self.heap.kind(node) {
                Kind::Table => self
                    .table_parts::<ANY>(Whose::Own, address)
                    .map(|parts| parts.metatable),
                Kind::Userdata => self.userdata(address).map(|userdata| userdata.metatable),
                _ => continue,
            };
            let has_it = match metatable {
                Some(metatable) => self.has_field(metatable, |sweep, key| sweep.is_key(key, gc))?,
                None => false,
            };
            match (self.heap.kind(node), has_it) {
                (Kind::Userdata, true) => userdata_with += 1,
                (Kind::Userdata, false) => userdata_without += 1,
                (_, true) => with += 1,
                (_, false) => without += 1,
            }
        }
        let is_wrong = match userdata_with + userdata_without {
            0 => without > 0 && with == 0,
            _ => userdata_with == 0,
        };
        match is_wrong {
            true => Err(LayoutMismatch::Metatables.into()),
            false => Ok(()),
        }
    }

    /// Verifies that the string table has the strings that were listed, each in the bucket of its
    /// hash. Up to 5.2 they were listed from there.
    fn verify_string_table(&self) -> Swept {
        let places = &self.layout().global_state;
        let used = u64::from(self.global.int(places.strings_used));
        if !is_near(
            self.short_strings,
            used,
            self.origin.is_stopped_at_any_instruction,
        ) {
            return Err(LayoutMismatch::StringTable.into());
        }
        let next = match self.layout().string.next_in_bucket {
            ABSENT => return Ok(()),
            place => u64::from(place),
        };
        let count = u64::from(self.global.int(places.strings_size));
        let buckets = self
            .memory
            .items(self.global.word(places.strings), count, 8)
            .ok_or(LayoutMismatch::Unreadable(&"the table of strings"))?;
        let step = (count / BUCKETS).max(1);
        for number in (0..count).step_by(step as usize) {
            let mut string = Structure(buckets).word_at(8 * number);
            // A bucket has no more than all of them.
            for _ in 0..=used {
                if string == 0 {
                    break;
                }
                self.verify_place(string, number, count)?;
                string = self.memory.word(string + next).unwrap_or(0);
            }
        }
        Ok(())
    }

    /// Verifies that `string` is a short string that was listed, and that its hash leads to this
    /// bucket of `count`.
    fn verify_place(&self, string: u64, bucket: u64, count: u64) -> Swept {
        let hash = match self.is(string, Kind::String) {
            true => self.hash_of_short::<ANY>(Whose::Own, string),
            false => None,
        };
        match hash.is_some_and(|hash| u64::from(hash) & (count - 1) == bucket) {
            true => Ok(()),
            false => Err(LayoutMismatch::StringTable.into()),
        }
    }

    /// Stored hash of a string, where it surely has one: in 5.1 every string has one, later short
    /// ones.
    #[inline]
    pub(super) fn hash_of_short<const L: usize>(&self, whose: Whose, string: u64) -> Option<u32> {
        let size = HEADER.max(self.known_layout::<L>().string.hash + 4);
        let header = self.structure_of(whose, string, size)?;
        let is_short = header.byte(TAG) == SHORT_STRING;
        is_short.then(|| header.int(self.known_layout::<L>().string.hash))
    }

    /// Verifies, for a sample of tables, that keys are where their hashes say and values are what
    /// their tags say.
    #[inline]
    pub(super) fn verify_table(&mut self, node: NodeId) -> Swept {
        match is_sample(node) {
            true => self.verify_sample(node),
            false => Ok(()),
        }
    }

    #[inline(never)]
    fn verify_sample(&mut self, node: NodeId) -> Swept {
        let parts = self.parts_of(node)?;
        let places = &self.layout().node;
        let size = usize::from(places.size);
        let nodes = self.hash_part::<ANY>(parts)?;
        let types = self.types;
        let entries = nodes.chunks_exact(size).map(Structure).filter(|node| {
            let tag = node.byte(places.value + TAG);
            types[usize::from(tag)] != ValueType::Nil
        });
        for entry in entries.take(ENTRIES) {
            let (key_tag, key) = (entry.byte(places.key_tag), entry.word(places.key));
            self.verify_tag(entry.byte(places.value + TAG), entry.word(places.value))?;
            self.verify_tag(key_tag, key)?;
            if self.types[usize::from(key_tag)] == ValueType::Object
                && let Some(string) = self.known(key)
                && self.heap.kind(string) == Kind::String
                && let Some(hash) = self.hash_of_short::<ANY>(self.whose(string), key)
            {
                let main = u64::from(hash) & (parts.node_count - 1);
                if !self.leads_to(parts, nodes, main, |node| node.word(places.key) == key) {
                    return Err(LayoutMismatch::Key.into());
                }
            }
        }
        Ok(())
    }

    /// Verifies that a value refers to an object of the type that its tag says.
    fn verify_tag(&mut self, tag: u8, value: u64) -> Swept {
        if self.types[usize::from(tag)] != ValueType::Object {
            return Ok(());
        }
        let Some(node) = self.resolve(value)? else {
            return Err(LayoutMismatch::UnknownReference.into());
        };
        let kind = self.heap.kind(node);
        match kind == Kind::Snapshot || tags::agree(tag, kind) {
            true => Ok(()),
            false => Err(LayoutMismatch::Kind(&"what a table's value refers to").into()),
        }
    }

    /// Whether the collision chain that starts at node number `main` has a node for which `is_it`
    /// holds.
    fn leads_to(
        &self,
        parts: Parts,
        nodes: &[u8],
        main: u64,
        is_it: impl Fn(Structure<'_>) -> bool,
    ) -> bool {
        let places = &self.layout().node;
        let size = u64::from(places.size);
        let mut number = main;
        for _ in 0..parts.node_count {
            let start = (number * size) as usize;
            let Some(node) = nodes.get(start..start + size as usize).map(Structure) else {
                return false;
            };
            if is_it(node) {
                return true;
            }
            let next = match self.version() {
                Version::Lua51 | Version::Lua52 => {
                    let next = node.word(places.next);
                    match next.wrapping_sub(parts.nodes) {
                        offset if next != 0 && offset.is_multiple_of(size) => Some(offset / size),
                        _ => None,
                    }
                }
                _ => match node.int(places.next) as i32 {
                    0 => None,
                    distance => Some(number.wrapping_add_signed(i64::from(distance))),
                },
            };
            match next {
                Some(next) if next < parts.node_count => number = next,
                _ => return false,
            }
        }
        false
    }

    /// Verifies that a boolean key is where the hash of the value it is read as says: in every
    /// release that is 1 for `true`.
    #[cold]
    pub(super) fn verify_boolean(&self, table: NodeId, entry: Structure<'_>) -> Swept {
        let parts = self.parts_of(table)?;
        let places = &self.layout().node;
        let nodes = self.hash_part::<ANY>(parts)?;
        let is_true =
            |node: Structure<'_>| self.is_true(node.byte(places.key_tag), node.word(places.key));
        let is_it = |node: Structure<'_>| {
            let key_type = self.types[usize::from(node.byte(places.key_tag))];
            key_type == ValueType::Boolean && is_true(node) == is_true(entry)
        };
        let main = u64::from(is_true(entry)) & (parts.node_count - 1);
        match self.leads_to(parts, nodes, main, is_it) {
            true => Ok(()),
            false => Err(LayoutMismatch::Key.into()),
        }
    }

    /// Verifies that all 64 bits of an integer key are its own: with 32-bit integers, the upper
    /// ones are left over from an older value. A key that reads the same with 32 bits needs no
    /// check.
    #[inline]
    pub(super) fn verify_integer(&mut self, table: NodeId, key: u64) -> Swept {
        let is_same = key as i64 == i64::from(key as i32);
        match is_same || self.numbers.integers == Width::Narrow {
            true => Ok(()),
            false => self.verify_wide_integer(table, key),
        }
    }

    #[cold]
    fn verify_wide_integer(&mut self, table: NodeId, key: u64) -> Swept {
        let parts = self.parts_of(table)?;
        let places = &self.layout().node;
        let nodes = self.hash_part::<ANY>(parts)?;
        let types = &self.types;
        let is_it = |node: Structure<'_>| {
            let value_type = types[usize::from(node.byte(places.key_tag))];
            node.word(places.key) == key && value_type == ValueType::Integer
        };
        // 5.3 and the first 5.4s take the low bits, later ones the remainder of a division.
        let odd = (parts.node_count - 1) | 1;
        let low_bits = self.leads_to(parts, nodes, key & (parts.node_count - 1), is_it);
        let as_wide = self.leads_to(parts, nodes, key % odd, is_it);
        let as_narrow = self.leads_to(parts, nodes, u64::from(key as u32) % odd, is_it);
        match (low_bits || as_wide, low_bits || as_narrow) {
            (false, _) => return Err(LayoutMismatch::Numbers.into()),
            (true, false) => self.integers_are_wide = true,
            (true, true) => self.has_wide_key = true,
        }
        Ok(())
    }

    /// Verifies that a float key has the width that it is read with: one of 32 bits reads as a
    /// subnormal number or as a NaN of 64.
    #[inline]
    pub(super) fn verify_float(&self, key: u64) -> Swept {
        let number = f64::from_bits(key);
        let is_wide = number == 0.0 || number.is_normal() || number.is_infinite();
        match is_wide || self.numbers.floats == Width::Narrow {
            true => Ok(()),
            false => Err(LayoutMismatch::Numbers.into()),
        }
    }

    /// Notes an integer in a field: `math.maxinteger` tells how wide integers are.
    #[inline]
    pub(super) fn note_integer(&mut self, key: u64, value: u64) {
        if key == self.number_keys.max_integer && value == i64::MAX as u64 {
            self.integers_are_wide = true;
        }
    }

    /// Verifies what can be verified once all references are known.
    pub(super) fn verify_meaning_of_references(&self) -> Swept {
        // In a call of ours the API has told where tables have their metatables.
        if self.origin.is_stopped_at_any_instruction {
            self.modes.verify_objects()?;
        }
        self.userdata_metatables.verify_objects()?;
        if self.misplaced_locals > self.placed_locals {
            return Err(LayoutMismatch::Kind(&"where a local variable begins and ends").into());
        }
        // The library `math` shows that integers have 64 bits. States of skynet that only keep code have none, and skynet
        // itself is not made for others.
        match self.has_wide_key && !self.integers_are_wide && !self.shares() {
            true => Err(LayoutMismatch::Numbers.into()),
            false => Ok(()),
        }
    }

    /// Returns what the fields of a metatable say.
    pub(super) fn fields_of(&mut self, metatable: u64) -> Swept<Fields> {
        let mut has_any = false;
        let has_metamethod = self.has_field(metatable, |sweep, key| {
            has_any = true;
            let node = sweep.resolve(key)?;
            Ok(node.is_some_and(|node| {
                is_event(sweep.version(), sweep.heap.name(sweep.heap.source(node)))
            }))
        })?;
        Ok(match (has_metamethod, has_any) {
            (true, _) => Fields::Metamethods,
            (_, true) => Fields::Others,
            _ => Fields::None,
        })
    }

    /// Whether what is at `table` is a table, and has a field whose key is an object for which `is_it` holds.
    fn has_field(
        &mut self,
        table: u64,
        mut is_it: impl FnMut(&mut Self, u64) -> Swept<bool>,
    ) -> Swept<bool> {
        let table = self.resolve(table)?;
        let Some(table) = table.filter(|&node| self.heap.kind(node) == Kind::Table) else {
            return Ok(false);
        };
        let places = &self.layout().node;
        for node in self.entries(table) {
            let type_of = |tag: u8| self.types[usize::from(tag)];
            let is_key = type_of(node.byte(places.value + TAG)) != ValueType::Nil
                && type_of(node.byte(places.key_tag)) == ValueType::Object;
            if is_key && is_it(self, node.word(places.key))? {
                return Ok(true);
            }
        }
        Ok(false)
    }

    /// Whether the object at `address` is of this kind.
    #[inline]
    pub(super) fn is(&self, address: u64, kind: Kind) -> bool {
        let node = self.heap.find(address);
        node.is_some_and(|node| self.heap.kind(node) == kind)
    }

    /// Whether the function in a slot was copied there from before its arguments, as functions with
    /// extra ones are (5.4 on).
    pub(super) fn has_moved(&self, function: u64, arguments: u64) -> bool {
        let distance = u64::from(VALUE).saturating_mul(arguments.saturating_add(1));
        let left = function.checked_sub(distance);
        let left = left.and_then(|left| self.memory.word(left));
        left.is_some() && left == self.memory.word(function)
    }
}
