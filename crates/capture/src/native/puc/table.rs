//! Tables: their parts, their entries, and how their weak modes affect references.

use crate::layout::puc::Node;
use crate::lua::weak_mode::WeakMode;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::puc::header::{TAG, VALUE};
use crate::native::puc::sweep::{ANY, Sweep};
use crate::native::puc::table_slots::slot_sizes;
use crate::native::puc::tags::ValueType;
use crate::native::puc::whose::Whose;
use crate::native::sweep::Sweep as _;
use crate::version::Version;
use luasnap_heap::{Kind, Label, NodeId, Strength};

/// In a table's `flags`: it has no hash part (5.5).
const NO_NODES: u8 = 1 << 6;
/// In `flags` (5.4.0: in `marked`): the size of the array part is the next power of two.
const SIZE_IS_ROUNDED: u8 = 1 << 7;
/// A hash part of at least this many nodes (log2) has a word before it (5.5).
const LAST_FREE_FROM: u8 = 3;
/// Bytes between the values and the tags of an array part of 5.5.
const LENGTH_HINT: u64 = 4;

/// A table's parts.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    /// In 5.5 the middle: values are before it, tags behind.
    array: u64,
    array_size: u64,
    pub(super) nodes: u64,
    pub(super) node_count: u64,
    /// Bytes of the hash part besides its nodes.
    node_extra: u64,
    pub(super) metatable: u64,
}

impl<'m, M: Memory> Sweep<'m, M> {
    /// Reads the parts of the table at `address`.
    #[inline(never)]
    pub(super) fn table_parts<const L: usize>(&self, whose: Whose, address: u64) -> Option<Parts> {
        self.read_parts::<L>(whose, address)
    }

    /// The same, where nearly all tables come by.
    #[inline(always)]
    fn read_parts<const L: usize>(&self, whose: Whose, address: u64) -> Option<Parts> {
        let places = &self.known_layout::<L>().table;
        let table = self.structure_of(whose, address, places.size)?;
        let log2 = table.byte(places.node_count_log2);
        let nodes = table.word(places.nodes);
        let flags = table.byte(places.flags);
        // A table without a hash part refers to a node that is a constant.
        let is_own = || log2 != 0 || self.memory.is_writable(nodes);
        let has_nodes = match self.known_layout::<L>().version {
            Version::Lua51 | Version::Lua52 => is_own(),
            // Up to 5.3.3 that is all that tells.
            Version::Lua53 => table.word(places.last_free) != 0 && is_own(),
            Version::Lua54 => table.word(places.last_free) != 0,
            _ => flags & NO_NODES == 0,
        };
        let limit = u64::from(table.int(places.array_size));
        let array_size = match self.known_layout::<L>().version {
            Version::Lua54 if !limit.is_power_of_two() && limit != 0 => {
                let is_rounded = match self.known_layout::<L>().name.as_bytes() {
                    b"5.4.0" => table.byte(TAG + 1),
                    _ => flags,
                };
                match is_rounded & SIZE_IS_ROUNDED {
                    0 => limit,
                    _ => limit.next_power_of_two(),
                }
            }
            _ => limit,
        };
        let has_word = self.known_layout::<L>().version == Version::Lua55
            && has_nodes
            && log2 >= LAST_FREE_FROM;
        Some(Parts {
            array: table.word(places.array),
            array_size,
            nodes,
            node_count: if has_nodes { 1 << (log2 & 63) } else { 0 },
            node_extra: if has_word { 8 } else { 0 },
            metatable: table.word(places.metatable),
        })
    }

    /// Reads the parts of a table of this VM that is read already.
    pub(super) fn parts_of(&self, table: NodeId) -> Swept<Parts> {
        let parts = self.table_parts::<ANY>(Whose::Own, self.heap.address(table));
        Ok(parts.ok_or(LayoutMismatch::Unreadable(&"a table"))?)
    }

    /// Shallow size of the table at `address`, in bytes.
    #[inline]
    pub(super) fn table_size<const L: usize>(&self, whose: Whose, address: u64) -> Option<u64> {
        let parts = self.read_parts::<L>(whose, address)?;
        let slot_sizes = slot_sizes(self.known_layout::<L>());
        let hint = match (self.known_layout::<L>().version, parts.array_size) {
            (Version::Lua55, 1..) => LENGTH_HINT,
            _ => 0,
        };
        let array = u64::from(slot_sizes.array) * parts.array_size + hint;
        let node = u64::from(slot_sizes.hash);
        let nodes = node.saturating_mul(parts.node_count);
        let own = u64::from(self.known_layout::<L>().table.size) + array + parts.node_extra;
        Some(own.saturating_add(nodes))
    }

    /// Prefetches the parts of the table at `address`, whose header was prefetched before.
    #[inline]
    pub(super) fn prefetch_table_at<const L: usize>(&self, address: u64) {
        let places = &self.known_layout::<L>().table;
        if let Some(table) = self.memory.structure(address, places.size) {
            self.memory.prefetch(table.word(places.array));
            self.memory.prefetch(table.word(places.nodes));
        }
    }

    pub(super) fn add_edges_of_table<const L: usize>(
        &mut self,
        node: NodeId,
        address: u64,
    ) -> Swept {
        let parts = self
            .read_parts::<L>(Whose::Own, address)
            .ok_or(LayoutMismatch::Unreadable(&"a table"))?;
        let mut mode = WeakMode::default();
        if parts.metatable != 0 {
            mode = self.mode_of(parts.metatable)?;
            let metatable = (Kind::Table, &"a table's metatable");
            self.refer_to_kind(node, parts.metatable, Label::Metatable, metatable)?;
        }
        self.verify_table(node)?;
        let in_array = match self.known_layout::<L>().version {
            _ if parts.array_size == 0 => 0,
            Version::Lua55 => self.add_edges_of_packed_array(node, parts, mode)?,
            _ => self.add_edges_of_array(node, parts, mode)?,
        };
        let in_nodes = self.add_edges_of_nodes::<L>(node, parts, mode)?;
        self.heap.set_count(node, in_array + in_nodes);
        let array = (parts.array_size, in_array);
        self.heap
            .note_slots(node, array, (parts.node_count, in_nodes))?;
        Ok(())
    }

    /// Adds the references of the array part. Returns the number of its entries.
    fn add_edges_of_array(&mut self, source: NodeId, parts: Parts, mode: WeakMode) -> Swept<u32> {
        let slots = self
            .memory
            .items(parts.array, parts.array_size, VALUE)
            .ok_or(LayoutMismatch::Unreadable(&"a table's array"))?;
        let mut count = 0;
        for (index, slot) in (1..).zip(slots.chunks_exact(usize::from(VALUE))) {
            let slot = Structure(slot);
            let value_type = self.types[usize::from(slot.byte(TAG))];
            count += u32::from(value_type != ValueType::Nil);
            if matches!(value_type, ValueType::Object | ValueType::LightFunction) {
                self.refer_to_element(source, value_type, slot.word(0), index, mode)?;
            }
        }
        Ok(count)
    }

    /// The same for the array part of 5.5: values backwards before its middle, tags forwards behind
    /// it.
    fn add_edges_of_packed_array(
        &mut self,
        source: NodeId,
        parts: Parts,
        mode: WeakMode,
    ) -> Swept<u32> {
        let size = parts.array_size;
        let start = parts.array.wrapping_sub(8 * size);
        let values = self.memory.items(start, size, 8);
        let tags = self
            .memory
            .items(parts.array.wrapping_add(LENGTH_HINT), size, 1);
        let (Some(values), Some(tags)) = (values, tags) else {
            return Err(LayoutMismatch::Unreadable(&"a table's array").into());
        };
        let mut count = 0;
        for ((index, &tag), value) in (1..).zip(tags).zip(values.rchunks_exact(8)) {
            let value_type = self.types[usize::from(tag)];
            count += u32::from(value_type != ValueType::Nil);
            if matches!(value_type, ValueType::Object | ValueType::LightFunction) {
                let value = Structure(value).word(0);
                self.refer_to_element(source, value_type, value, index, mode)?;
            }
        }
        Ok(count)
    }

    /// Adds a reference to an element of an array part.
    #[inline(always)]
    fn refer_to_element(
        &mut self,
        source: NodeId,
        value_type: ValueType,
        value: u64,
        index: i64,
        mode: WeakMode,
    ) -> Swept {
        if let Some(target) = self.target(source, value_type, value)? {
            let strength = match mode.weak_values && self.is_weakly_held(target, value_type) {
                true => Strength::WeakValue,
                false => Strength::Strong,
            };
            self.heap.edge(target, Label::Index(index), strength)?;
        }
        Ok(())
    }

    /// Whether weak modes affect a value. Strings are values, which no table holds weakly, and C
    /// functions that are plain pointers do not die.
    fn is_weakly_held(&self, target: NodeId, value_type: ValueType) -> bool {
        value_type == ValueType::Object && self.heap.kind(target) != Kind::String
    }

    /// Returns the nodes of a table's hash part.
    pub(super) fn hash_part<const L: usize>(&self, parts: Parts) -> Swept<&'m [u8]> {
        let size = self.known_layout::<L>().node.size;
        let nodes = self.memory.items(parts.nodes, parts.node_count, size);
        Ok(nodes.ok_or(LayoutMismatch::Unreadable(&"a table's hash part"))?)
    }

    /// Adds the references of the hash part. Returns the number of its entries.
    fn add_edges_of_nodes<const L: usize>(
        &mut self,
        source: NodeId,
        parts: Parts,
        mode: WeakMode,
    ) -> Swept<u32> {
        let places = &self.known_layout::<L>().node;
        let nodes = self.hash_part::<L>(parts)?;
        let mut count = 0;
        for node in nodes.chunks_exact(usize::from(places.size)) {
            let node = Structure(node);
            let value_type = self.types[usize::from(node.byte(places.value + TAG))];
            if value_type == ValueType::Nil {
                continue;
            }
            count += 1;
            self.add_edges_of_entry::<L>(source, node, value_type, mode)?;
        }
        Ok(count)
    }

    /// Adds the references of an entry of the hash part.
    #[inline(always)]
    fn add_edges_of_entry<const L: usize>(
        &mut self,
        source: NodeId,
        node: Structure<'_>,
        value_type: ValueType,
        mode: WeakMode,
    ) -> Swept {
        let places = &self.known_layout::<L>().node;
        let key_type = self.types[usize::from(node.byte(places.key_tag))];
        let (key, value) = (node.word(places.key), node.word(places.value));
        match key_type {
            ValueType::Integer => self.verify_integer(source, key)?,
            ValueType::Float => self.verify_float(key)?,
            ValueType::Boolean => self.verify_boolean(source, node)?,
            _ if value_type == ValueType::Integer => self.note_integer(key, value),
            _ => {}
        }
        if key_type == ValueType::Object
            && let Some(known) = self.strings.get(key)
        {
            self.heap.edge(known.node, Label::Key, Strength::Strong)?;
            if let Some(target) = self.target(source, value_type, value)? {
                let strength = match mode.weak_values && self.is_weakly_held(target, value_type) {
                    true => Strength::WeakValue,
                    false => Strength::Strong,
                };
                self.heap.edge(target, Label::Field(known.text), strength)?;
            }
            return Ok(());
        }
        self.add_edges_of_other_entry::<L>(source, node, value_type, mode)
    }

    /// The same for a key that was not met recently, or is not a string.
    fn add_edges_of_other_entry<const L: usize>(
        &mut self,
        source: NodeId,
        node: Structure<'_>,
        value_type: ValueType,
        mode: WeakMode,
    ) -> Swept {
        let places = &self.known_layout::<L>().node;
        let key_type = self.types[usize::from(node.byte(places.key_tag))];
        let (key, value) = (node.word(places.key), node.word(places.value));
        let key_node = self.target(source, key_type, key)?;
        let mut key_is_weak = false;
        if let Some(key) = key_node {
            key_is_weak = mode.weak_keys && self.is_weakly_held(key, key_type);
            let strength = match key_is_weak {
                true => Strength::WeakKey,
                false => Strength::Strong,
            };
            self.heap.edge(key, Label::Key, strength)?;
        }
        let Some(target) = self.target(source, value_type, value)? else {
            return Ok(());
        };
        let label = match key_type {
            ValueType::Boolean => Label::Boolean(self.is_true(node.byte(places.key_tag), key)),
            _ => self.key_label(key_type, key, key_node)?,
        };
        let strength = if mode.weak_values && self.is_weakly_held(target, value_type) {
            Strength::WeakValue
        } else if key_is_weak && self.known_layout::<L>().version.has_ephemerons() {
            Strength::Ephemeron
        } else {
            Strength::Strong
        };
        self.heap.edge(target, label, strength)?;
        Ok(())
    }

    /// Label of a value under a key.
    #[inline]
    fn key_label(&mut self, key_type: ValueType, key: u64, node: Option<NodeId>) -> Swept<Label> {
        Ok(match (key_type, node) {
            (_, Some(node)) if self.heap.kind(node) == Kind::String => {
                let text = self.text_of(node)?;
                self.strings.put(key, node, text);
                Label::Field(text)
            }
            (_, Some(node)) => Label::Object(node),
            (ValueType::Integer, _) => Label::Index(self.numbers.integer(key)),
            (ValueType::Float, _) => Label::of_number(self.numbers.float(key)),
            _ => Label::Address(Kind::Userdata, key),
        })
    }

    /// Whether a boolean is `true`: from 5.4 on its tag says so.
    pub(super) fn is_true(&self, tag: u8, value: u64) -> bool {
        match self.version() {
            Version::Lua54 | Version::Lua55 => tag != 1,
            _ => value as u32 != 0,
        }
    }

    /// Weak mode of the tables that have this metatable.
    #[inline]
    pub(super) fn mode_of(&mut self, metatable: u64) -> Swept<WeakMode> {
        match self.modes.get(metatable) {
            Some(mode) => Ok(mode),
            None => {
                let (mode, fields) = (self.read_mode(metatable)?, self.fields_of(metatable)?);
                self.modes.put(metatable, mode, fields)
            }
        }
    }

    /// The `__mode` of a metatable.
    fn read_mode(&mut self, metatable: u64) -> Swept<WeakMode> {
        let table = self.resolve(metatable)?;
        let table = table.filter(|&node| self.heap.kind(node) == Kind::Table);
        let (Some(table), 1..) = (table, self.mode_key) else {
            return Ok(WeakMode::default());
        };
        let value = self.string_field(table, self.mode_key)?;
        let text = value.and_then(|string| self.whole_text(string));
        Ok(text.map_or(WeakMode::default(), WeakMode::from_text))
    }

    /// Address of the object under a small integer key of a table.
    pub(super) fn integer_field(&self, table: u64, key: u64) -> Option<u64> {
        let parts = self.table_parts::<ANY>(Whose::Own, table)?;
        if key <= parts.array_size {
            let (value, tag) = match self.version() {
                Version::Lua55 => (
                    parts.array.wrapping_sub(8 * key),
                    parts.array.wrapping_add(LENGTH_HINT + key - 1),
                ),
                _ => {
                    let slot = parts.array.wrapping_add(u64::from(VALUE) * (key - 1));
                    (slot, slot.wrapping_add(u64::from(TAG)))
                }
            };
            let tag = *self.memory.bytes(tag, 1)?.first()?;
            let is_object = self.types[usize::from(tag)] == ValueType::Object;
            return self.memory.word(value).filter(|_| is_object);
        }
        let (value_type, value) = self.entry(parts, |node, places| {
            let key_type = self.types[usize::from(node.byte(places.key_tag))];
            let number = node.word(places.key);
            match key_type {
                // Up to 5.2 all numbers are floats.
                ValueType::Float => self.numbers.float(number) == key as f64,
                _ => key_type == ValueType::Integer && self.numbers.integer(number) == key as i64,
            }
        })?;
        (value_type == ValueType::Object).then_some(value)
    }

    /// Type and word of the value in the entry of a hash part for which `is_it` holds.
    fn entry(
        &self,
        parts: Parts,
        is_it: impl Fn(Structure<'_>, &Node) -> bool,
    ) -> Option<(ValueType, u64)> {
        let places = &self.layout().node;
        let nodes = self
            .memory
            .items(parts.nodes, parts.node_count, places.size)?;
        let found = nodes
            .chunks_exact(usize::from(places.size))
            .map(Structure)
            .find(|&node| is_it(node, places))?;
        let tag = found.byte(places.value + TAG);
        Some((self.types[usize::from(tag)], found.word(places.value)))
    }

    /// Type and word of the value under a string key of a table of this VM, if it is one.
    pub(super) fn field(&self, table: u64, key: u64) -> Option<(ValueType, u64)> {
        if key == 0 || !self.is(table, Kind::Table) {
            return None;
        }
        self.entry(
            self.table_parts::<ANY>(Whose::Own, table)?,
            |node, places| {
                node.word(places.key) == key
                    && self.types[usize::from(node.byte(places.key_tag))] == ValueType::Object
            },
        )
    }

    /// The string under a string key of a table; the key is one of this VM.
    fn string_field(&mut self, table: NodeId, key: u64) -> Swept<Option<NodeId>> {
        let places = &self.layout().node;
        for node in self.entries(table) {
            if self.types[usize::from(node.byte(places.key_tag))] == ValueType::Object
                && self.is_key(node.word(places.key), key)?
            {
                let tag = node.byte(places.value + TAG);
                return match self.types[usize::from(tag)] {
                    ValueType::Object => {
                        let value = self.resolve(node.word(places.value))?;
                        Ok(value.filter(|&node| self.heap.kind(node) == Kind::String))
                    }
                    _ => Ok(None),
                };
            }
        }
        Ok(None)
    }

    /// The nodes of a table's hash part; none where they cannot be read.
    pub(super) fn entries(
        &self,
        table: NodeId,
    ) -> impl Iterator<Item = Structure<'m>> + use<'m, M> {
        let size = self.layout().node.size;
        let (whose, address) = (self.whose(table), self.heap.address(table));
        let parts = self.table_parts::<ANY>(whose, address);
        let nodes =
            parts.and_then(|parts| self.items_of(whose, parts.nodes, parts.node_count, size));
        let nodes = nodes.unwrap_or_default();
        nodes.chunks_exact(usize::from(size)).map(Structure)
    }
}
