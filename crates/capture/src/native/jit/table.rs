//! Tables: their parts, their entries, and how their weak modes affect references.

use crate::layout::ABSENT;
use crate::lua::weak_mode::WeakMode;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::references::References;
use crate::native::jit::slots::{SLOT, VALUE, slots};
use crate::native::jit::sweep::Sweep;
use crate::native::jit::tags::{Value, ValueType};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::sweep::Sweep as _;
use luasnap_heap::{Kind, Label, NodeId, SlotSizes, Strength};

/// A node of a hash part: value, key, next.
pub(super) const NODE: u16 = 24;
pub(super) const NODE_VALUE: u16 = 0;
pub(super) const NODE_KEY: u16 = 8;
/// In `colo`: the number of slots behind the table itself, in use or not, and the flag that they
/// are not.
const SLOTS_BEHIND: u8 = 0x7f;
const LEFT: u8 = 0x80;

/// A table's parts.
#[derive(Clone, Copy)]
pub(super) struct Parts {
    array: u64,
    /// Slots of the array part. The first one is for key 0.
    array_size: u64,
    pub(super) nodes: u64,
    pub(super) node_count: u64,
    metatable: u64,
    colocated: u8,
}

impl<M: Memory, R: References> Sweep<'_, M, R> {
    /// Bytes of a slot of either part.
    pub(super) const SLOT_SIZES: SlotSizes = SlotSizes {
        array: VALUE as u8,
        hash: NODE as u8,
    };

    /// Reads the parts of the table at `address`.
    #[inline]
    pub(super) fn table_parts(&self, address: u64) -> Option<Parts> {
        let places = &self.layout.table;
        let table = self.memory.structure(address, places.size)?;
        Some(Parts {
            array: R::at(table, places.array),
            array_size: u64::from(table.int(places.array_size)),
            nodes: R::at(table, places.nodes),
            node_count: match table.int(places.hash_mask) {
                0 => 0, // what it has is the VM's one node for nothing
                mask => u64::from(mask) + 1,
            },
            metatable: R::at(table, places.metatable),
            colocated: table.byte(places.colocated),
        })
    }

    /// Shallow size of the table at `address`, in bytes.
    #[inline]
    pub(super) fn table_size(&self, address: u64) -> Option<u64> {
        let parts = self.table_parts(address)?;
        let is_behind = parts.colocated != 0 && parts.colocated & LEFT == 0;
        let array = if is_behind {
            0
        } else {
            SLOT * parts.array_size
        };
        Some(
            u64::from(self.layout.table.size)
                + SLOT * u64::from(parts.colocated & SLOTS_BEHIND)
                + array
                + u64::from(NODE) * parts.node_count,
        )
    }

    /// Prefetches the parts of the table at `address`, whose header was prefetched before.
    #[inline]
    pub(super) fn prefetch_table_at(&self, address: u64) {
        let places = &self.layout.table;
        if let Some(table) = self.memory.structure(address, places.size) {
            self.memory.prefetch(R::at(table, places.array));
            self.memory.prefetch(R::at(table, places.nodes));
        }
    }

    pub(super) fn add_edges_of_table(&mut self, node: NodeId, address: u64) -> Swept {
        let parts = self
            .table_parts(address)
            .ok_or(LayoutMismatch::Unreadable(&"a table"))?;
        let mut mode = WeakMode::default();
        if parts.metatable != 0 {
            mode = self.mode_of(parts.metatable)?;
            let metatable = (Kind::Table, &"a table's metatable");
            self.refer_to_kind(node, parts.metatable, Label::Metatable, metatable)?;
        }
        self.verify_table(node, parts)?;
        let in_array = self.add_edges_of_array(node, parts, mode)?;
        let in_nodes = self.add_edges_of_nodes(node, parts, mode)?;
        self.heap.set_count(node, in_array + in_nodes);
        let array = (parts.array_size, in_array);
        self.heap
            .note_slots(node, array, (parts.node_count, in_nodes))?;
        Ok(())
    }

    /// Adds the references of the array part. Returns the number of its entries.
    fn add_edges_of_array(&mut self, source: NodeId, parts: Parts, mode: WeakMode) -> Swept<u32> {
        let array = self
            .memory
            .items(parts.array, parts.array_size, VALUE)
            .ok_or(LayoutMismatch::Unreadable(&"a table's array"))?;
        let mut count = 0;
        for (index, value) in (0..).zip(slots(array).map(R::value)) {
            count += u32::from(!value.is_nil());
            self.refer_to_element(source, value, Label::Index(index), mode)?;
        }
        Ok(count)
    }

    /// Adds the references of the hash part. Returns the number of its entries.
    fn add_edges_of_nodes(&mut self, source: NodeId, parts: Parts, mode: WeakMode) -> Swept<u32> {
        let nodes = self
            .memory
            .items(parts.nodes, parts.node_count, NODE)
            .ok_or(LayoutMismatch::Unreadable(&"a table's hash part"))?;
        let mut count = 0;
        for node in nodes.chunks_exact(usize::from(NODE)).map(Structure) {
            let value = R::value(node.word(NODE_VALUE));
            if !value.is_nil() {
                count += 1;
                self.add_edges_of_entry(source, R::value(node.word(NODE_KEY)), value, mode)?;
            }
        }
        Ok(count)
    }

    /// Adds the references of an entry of the hash part. A weak key does not make the reference to
    /// its value weak: there are no ephemerons.
    #[inline(always)]
    fn add_edges_of_entry(
        &mut self,
        source: NodeId,
        key: Value,
        value: Value,
        mode: WeakMode,
    ) -> Swept {
        let Some(address) = key.object() else {
            let label = self.plain_label(key);
            return self.refer_to_element(source, value, label, mode);
        };
        if let Some(known) = self.strings.get(address) {
            self.heap.edge(known.node, Label::Key, Strength::Strong)?;
            return self.refer_to_element(source, value, Label::Field(known.text), mode);
        }
        self.add_edges_of_other_entry(source, address, value, mode)
    }

    /// The same for a key that was not met recently, or is not a string.
    fn add_edges_of_other_entry(
        &mut self,
        source: NodeId,
        key: u64,
        value: Value,
        mode: WeakMode,
    ) -> Swept {
        let Some(node) = self.object(source, key)? else {
            return Ok(());
        };
        if self.heap.kind(node) == Kind::String {
            let text = self.text_of(node)?;
            self.strings.put(key, node, text);
            self.heap.edge(node, Label::Key, Strength::Strong)?;
            return self.refer_to_element(source, value, Label::Field(text), mode);
        }
        let strength = match mode.weak_keys {
            true => Strength::WeakKey,
            false => Strength::Strong,
        };
        self.heap.edge(node, Label::Key, strength)?;
        self.refer_to_element(source, value, Label::Object(node), mode)
    }

    /// Adds a reference to a value in a table, if it is an object. References to strings are never
    /// weak.
    #[inline]
    fn refer_to_element(
        &mut self,
        source: NodeId,
        value: Value,
        label: Label,
        mode: WeakMode,
    ) -> Swept {
        if let Some(address) = value.object()
            && let Some(target) = self.object(source, address)?
        {
            let strength = match mode.weak_values && self.heap.kind(target) != Kind::String {
                true => Strength::WeakValue,
                false => Strength::Strong,
            };
            self.heap.edge(target, label, strength)?;
        }
        Ok(())
    }

    /// Label of a value under a key that is not an object.
    fn plain_label(&self, key: Value) -> Label {
        match key.value_type() {
            ValueType::Boolean => Label::Boolean(key.is_true()),
            ValueType::Integer => Label::Index(i64::from(key.0 as i32)),
            ValueType::Double => Label::of_number(f64::from_bits(key.0)),
            _ => Label::Address(Kind::Userdata, self.light_address(key)),
        }
    }

    /// Address that a light userdata is. Its upper half is in a table, by segment, but in older
    /// builds.
    fn light_address(&self, value: Value) -> u64 {
        const LOW_BITS: u32 = 39;
        const NULL: u64 = 0xff;
        let address = value.address();
        if self.layout.global_state.light_segments == ABSENT {
            return address;
        }
        let segment = address >> LOW_BITS;
        if segment == NULL {
            return 0;
        }
        let at = 4 * segment as usize;
        let upper = self.segments.get(at..at + 4);
        let upper = upper.map_or(0, |bytes| Structure(bytes).int(0));
        u64::from(upper) << 32 | address & ((1 << LOW_BITS) - 1)
    }

    /// Weak mode of the tables that have this metatable.
    #[inline]
    fn mode_of(&mut self, metatable: u64) -> Swept<WeakMode> {
        match self.modes.get(metatable) {
            Some(mode) => Ok(mode),
            None => {
                let (mode, fields) = (self.read_mode(metatable), self.fields_of(metatable));
                self.modes.put(metatable, mode, fields)
            }
        }
    }

    /// The `__mode` of a metatable.
    fn read_mode(&self, metatable: u64) -> WeakMode {
        let is = |address: u64, kind: Kind| {
            let node = self.heap.find(address);
            node.is_some_and(|node| self.heap.kind(node) == kind)
        };
        if !is(metatable, Kind::Table) || self.mode_key == 0 {
            return WeakMode::default();
        }
        self.field(metatable, self.mode_key)
            .and_then(Value::object)
            .filter(|&address| is(address, Kind::String))
            .and_then(|string| self.text_at(string))
            .map_or(WeakMode::default(), WeakMode::from_text)
    }

    /// The value under a string key of a table.
    fn field(&self, table: u64, key: u64) -> Option<Value> {
        let parts = self.table_parts(table)?;
        let nodes = self.memory.items(parts.nodes, parts.node_count, NODE)?;
        let found = nodes
            .chunks_exact(usize::from(NODE))
            .map(Structure)
            .find(|node| R::value(node.word(NODE_KEY)).object() == Some(key))?;
        Some(R::value(found.word(NODE_VALUE)))
    }
}
