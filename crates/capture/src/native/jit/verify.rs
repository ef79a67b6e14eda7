//! Verifies that a layout means what the VM means. Sizes may add up and references may lead to
//! objects although two fields have changed places; names and hashes then read wrong.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::references::References;
use crate::native::jit::sweep::Sweep;
use crate::native::jit::table::{NODE, NODE_KEY, NODE_VALUE, Parts};
use crate::native::jit::tags::{self, Value, ValueType};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::modes::Fields;
use crate::native::verify::{is_event, is_near, is_sample, verify_metamethods, verify_metatables};
use crate::version::Version;
use luasnap_heap::{Kind, NodeId};

/// In a node: the next one in its collision chain.
const NODE_NEXT: u16 = 16;
/// Number of entries that are checked in a table.
const ENTRIES: usize = 4;
/// Tags of the types that cannot have a common metatable: those that no program sees, tables, and
/// userdata.
const NO_BASIC_TYPES: [u16; 5] = [5, 7, 9, 11, 12];
/// Number of tags.
const TAGS: u16 = 14;

impl<M: Memory, R: References> Sweep<'_, M, R> {
    /// Verifies what can be verified once every object is known.
    pub(super) fn verify_meaning_of_objects(&self) -> Swept {
        self.verify_metamethods()?;
        self.verify_metatables_of_types()?;
        self.verify_finalizers_of_cdata()?;
        let used = u64::from(self.global.int(self.layout.global_state.strings_used));
        match is_near(
            self.table_strings,
            used,
            self.origin.is_stopped_at_any_instruction,
        ) {
            true => Ok(()),
            false => Err(LayoutMismatch::StringTable.into()),
        }
    }

    /// Addresses of the metamethods' names: the first roots.
    fn metamethods(&self) -> impl Iterator<Item = u64> + '_ {
        let places = &self.layout.global_state;
        let numbers = 0..places.root_metatables;
        numbers.map(|number| R::at(self.global, places.roots + R::SIZE * number))
    }

    /// Verifies the names of the metamethods.
    fn verify_metamethods(&self) -> Swept {
        verify_metamethods(&self.heap, self.metamethods())
    }

    /// Verifies that the metatables of the basic types are tables, and that types whose values have
    /// their own have none.
    fn verify_metatables_of_types(&self) -> Swept {
        let places = &self.layout.global_state;
        let place = places.roots + R::SIZE * places.root_metatables;
        verify_metatables((0..TAGS).map(|number| {
            let address = R::at(self.global, place + R::SIZE * number);
            let may_have_one = !NO_BASIC_TYPES.contains(&number);
            address == 0 || (may_have_one && self.is(address, Kind::Table))
        }))
    }

    /// Verifies that there is a table of finalizers where C types are in use: in older builds the
    /// state of the C types has it, in newer ones it is the last root.
    fn verify_finalizers_of_cdata(&self) -> Swept {
        let places = &self.layout.global_state;
        let c_types = R::at(self.global, places.c_types);
        if c_types == 0 {
            return Ok(());
        }
        let table = match self.layout.c_types.finalizers {
            ABSENT => Some(R::at(
                self.global,
                places.roots + R::SIZE * (places.root_count - 1),
            )),
            place => self.memory.word(c_types + u64::from(place)),
        };
        match table.is_some_and(|table| self.is(table, Kind::Table)) {
            true => Ok(()),
            false => Err(LayoutMismatch::Kind(&"the table of finalizers of cdata").into()),
        }
    }

    /// Hash by which the string table has the string at `address`.
    pub(super) fn hash_of(&self, address: u64) -> Option<u32> {
        let places = &self.layout.string;
        let string = self.memory.structure(address, places.size)?;
        Some(string.int(places.hash))
    }

    /// Hash by which tables have the string at `address` as a key.
    fn table_hash_of(&self, address: u64) -> Option<u32> {
        let places = &self.layout.string;
        let string = self.memory.structure(address, places.size)?;
        Some(match places.id {
            ABSENT => string.int(places.hash),
            id => string.int(id),
        })
    }

    /// Verifies, for a sample of tables, that keys are where their hashes say and values are what
    /// their tags say.
    #[inline]
    pub(super) fn verify_table(&self, node: NodeId, parts: Parts) -> Swept {
        match is_sample(node) {
            true => self.verify_sample(parts),
            false => Ok(()),
        }
    }

    #[inline(never)]
    fn verify_sample(&self, parts: Parts) -> Swept {
        let nodes = self
            .memory
            .items(parts.nodes, parts.node_count, NODE)
            .ok_or(LayoutMismatch::Unreadable(&"a table's hash part"))?;
        let entries = nodes.chunks_exact(usize::from(NODE)).map(Structure);
        let entries = entries.filter(|node| !R::value(node.word(NODE_VALUE)).is_nil());
        for entry in entries.take(ENTRIES) {
            let key = R::value(entry.word(NODE_KEY));
            self.verify_tag(R::value(entry.word(NODE_VALUE)))?;
            self.verify_tag(key)?;
            if !is_next(parts, R::at(entry, NODE_NEXT)) {
                return Err(LayoutMismatch::Key.into());
            }
            let is_boolean = key.value_type() == ValueType::Boolean;
            let main = u64::from(key.is_true()) & (parts.node_count - 1);
            if is_boolean && !leads_to::<R>(parts, nodes, main, key) {
                return Err(LayoutMismatch::Key.into());
            }
            if let Some(address) = key.object()
                && self.is(address, Kind::String)
                && let Some(hash) = self.table_hash_of(address)
                && !leads_to::<R>(parts, nodes, u64::from(hash) & (parts.node_count - 1), key)
            {
                return Err(LayoutMismatch::Key.into());
            }
        }
        Ok(())
    }

    /// Verifies that a value refers to an object of the type that its tag says.
    fn verify_tag(&self, value: Value) -> Swept {
        let Some(address) = value.object() else {
            return Ok(());
        };
        let Some(node) = self.heap.find(address) else {
            return Err(LayoutMismatch::UnknownReference.into());
        };
        let kind = self.heap.kind(node);
        match kind == Kind::Snapshot || tags::agree(value, kind) {
            true => Ok(()),
            false => Err(LayoutMismatch::Kind(&"what a table's value refers to").into()),
        }
    }

    /// Verifies what can be verified once all references are known.
    pub(super) fn verify_meaning_of_references(&self) -> Swept {
        // In a call of ours the API has told where tables have their metatables.
        if self.origin.is_stopped_at_any_instruction {
            self.modes.verify_objects()?;
        }
        self.userdata_metatables.verify_objects()
    }

    /// Returns what the fields of a metatable say.
    pub(super) fn fields_of(&self, metatable: u64) -> Fields {
        let nodes = self
            .table_parts(metatable)
            .and_then(|parts| self.memory.items(parts.nodes, parts.node_count, NODE));
        let keys = nodes
            .unwrap_or_default()
            .chunks_exact(usize::from(NODE))
            .map(Structure)
            .filter(|node| !R::value(node.word(NODE_VALUE)).is_nil())
            .filter_map(|node| R::value(node.word(NODE_KEY)).object());
        let mut fields = Fields::None;
        for key in keys {
            let name = self.heap.find(key).map(|node| self.heap.source(node));
            if name.is_some_and(|name| is_event(Version::LuaJit, self.heap.name(name))) {
                return Fields::Metamethods;
            }
            fields = Fields::Others;
        }
        fields
    }

    /// Whether the object at `address` is of this kind.
    #[inline]
    pub(super) fn is(&self, address: u64, kind: Kind) -> bool {
        let node = self.heap.find(address);
        node.is_some_and(|node| self.heap.kind(node) == kind)
    }
}

/// Whether the collision chain that starts at node number `main` has a node with this key.
fn leads_to<R: References>(parts: Parts, nodes: &[u8], main: u64, key: Value) -> bool {
    let size = u64::from(NODE);
    let mut offset = main * size;
    for _ in 0..parts.node_count {
        let Some(node) = nodes.get(offset as usize..(offset + size) as usize) else {
            return false;
        };
        let node = Structure(node);
        if R::value(node.word(NODE_KEY)) == key {
            return true;
        }
        let next = R::at(node, NODE_NEXT);
        offset = next.wrapping_sub(parts.nodes);
        if next == 0 || !is_next(parts, next) {
            return false;
        }
    }
    false
}

/// Whether `next` can be what follows a node: nothing, or a node of the same table.
fn is_next(parts: Parts, next: u64) -> bool {
    let (size, offset) = (u64::from(NODE), next.wrapping_sub(parts.nodes));
    next == 0 || offset.is_multiple_of(size) && offset / size < parts.node_count
}
