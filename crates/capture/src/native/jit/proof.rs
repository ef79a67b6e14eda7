//! What proves that a layout means what the VM means. Sizes may add up and references may lead to
//! objects where two fields have changed places; names and hashes do not read so then.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::jit::header::WORD;
use crate::native::jit::sweep::Sweep;
use crate::native::jit::table::{NODE, NODE_KEY, NODE_VALUE, Parts};
use crate::native::jit::tags::{self, Value, ValueType};
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::modes::Fields;
use crate::native::proof::{is_event, is_near, is_sample, prove_metamethods, prove_metatables};
use crate::version::Version;
use luasnap_heap::{Kind, NodeId};

/// In a node: by what it leads to the next of its chain.
const NODE_NEXT: u16 = 16;
/// How many entries of a table that is looked at.
const ENTRIES: usize = 4;
/// The types without a metatable of their own, by their tags: what no program sees, tables and userdata.
const NO_BASIC_TYPES: [u16; 5] = [5, 7, 9, 11, 12];
/// How many tags there are.
const TAGS: u16 = 14;

impl<M: Memory> Sweep<'_, M> {
    /// Proves what can be proved once every object is known.
    pub(super) fn prove_objects(&self) -> Swept {
        self.prove_metamethods()?;
        self.prove_metatables_of_types()?;
        self.prove_finalizers_of_cdata()?;
        let used = u64::from(self.global.int(self.layout.global_state.strings_used));
        match is_near(self.table_strings, used, self.origin.is_stopped_anywhere) {
            true => Ok(()),
            false => Err(LayoutMismatch::StringTable.into()),
        }
    }

    /// The addresses of the metamethods' names: the first roots.
    fn metamethods(&self) -> impl Iterator<Item = u64> + '_ {
        let places = &self.layout.global_state;
        let numbers = 0..places.root_metatables;
        numbers.map(|number| self.global.word(places.roots + WORD * number))
    }

    /// The names of the metamethods read so.
    fn prove_metamethods(&self) -> Swept {
        prove_metamethods(&self.heap, self.metamethods())
    }

    /// The metatables of the basic types are tables, and there are none of types whose values have
    /// their own.
    fn prove_metatables_of_types(&self) -> Swept {
        let places = &self.layout.global_state;
        let place = places.roots + WORD * places.root_metatables;
        prove_metatables((0..TAGS).map(|number| {
            let address = self.global.word(place + WORD * number);
            let may_have_one = !NO_BASIC_TYPES.contains(&number);
            address == 0 || (may_have_one && self.is(address, Kind::Table))
        }))
    }

    /// Where C types are in use, there is a table of finalizers: in older builds the C types have it, in
    /// newer ones it is the last root.
    fn prove_finalizers_of_cdata(&self) -> Swept {
        let places = &self.layout.global_state;
        let c_types = self.global.word(places.c_types);
        if c_types == 0 {
            return Ok(());
        }
        let table = match self.layout.c_types.finalizers {
            ABSENT => Some(
                self.global
                    .word(places.roots + WORD * (places.root_count - 1)),
            ),
            place => self.memory.word(c_types + u64::from(place)),
        };
        match table.is_some_and(|table| self.is(table, Kind::Table)) {
            true => Ok(()),
            false => Err(LayoutMismatch::Kind("the table of finalizers of cdata").into()),
        }
    }

    /// Where the table of strings has the string at `address`.
    pub(super) fn hash_of(&self, address: u64) -> Option<u32> {
        let places = &self.layout.string;
        let string = self.memory.structure(address, places.size)?;
        Some(string.int(places.hash))
    }

    /// Where tables have their entry under the string at `address`.
    fn table_hash_of(&self, address: u64) -> Option<u32> {
        let places = &self.layout.string;
        let string = self.memory.structure(address, places.size)?;
        Some(match places.id {
            ABSENT => string.int(places.hash),
            id => string.int(id),
        })
    }

    /// Proves, of some tables, that keys are where their hashes say and values what their tags say.
    #[inline]
    pub(super) fn prove_table(&self, node: NodeId, parts: Parts) -> Swept {
        match is_sample(node) {
            true => self.prove_sample(parts),
            false => Ok(()),
        }
    }

    #[inline(never)]
    fn prove_sample(&self, parts: Parts) -> Swept {
        let nodes = self
            .memory
            .items(parts.nodes, parts.node_count, NODE)
            .ok_or(LayoutMismatch::Unreadable("a table's hash part"))?;
        let entries = nodes.chunks_exact(usize::from(NODE)).map(Structure);
        let entries = entries.filter(|node| !Value(node.word(NODE_VALUE)).is_nil());
        for entry in entries.take(ENTRIES) {
            let key = Value(entry.word(NODE_KEY));
            self.prove_tag(Value(entry.word(NODE_VALUE)))?;
            self.prove_tag(key)?;
            if !is_next(parts, entry.word(NODE_NEXT)) {
                return Err(LayoutMismatch::Key.into());
            }
            let is_boolean = key.value_type() == ValueType::Boolean;
            let main = u64::from(key.is_true()) & (parts.node_count - 1);
            if is_boolean && !leads_to(parts, nodes, main, key) {
                return Err(LayoutMismatch::Key.into());
            }
            if let Some(address) = key.object()
                && self.is(address, Kind::String)
                && let Some(hash) = self.table_hash_of(address)
                && !leads_to(parts, nodes, u64::from(hash) & (parts.node_count - 1), key)
            {
                return Err(LayoutMismatch::Key.into());
            }
        }
        Ok(())
    }

    /// What a value refers to is of the type that its tag says.
    fn prove_tag(&self, value: Value) -> Swept {
        let Some(address) = value.object() else {
            return Ok(());
        };
        let Some(node) = self.heap.find(address) else {
            return Err(LayoutMismatch::UnknownReference.into());
        };
        let kind = self.heap.kind(node);
        match kind == Kind::Snapshot || tags::agree(value, kind) {
            true => Ok(()),
            false => Err(LayoutMismatch::Kind("what a table's value refers to").into()),
        }
    }

    /// Proves what can be proved once all references are known.
    pub(super) fn prove_references(&self) -> Swept {
        // In a call of ours the API has told where tables have theirs.
        if self.origin.is_stopped_anywhere {
            self.modes.prove()?;
        }
        self.userdata_metatables.prove()
    }

    /// What the fields of a metatable say of it.
    pub(super) fn fields_of(&self, metatable: u64) -> Fields {
        let nodes = self
            .table_parts(metatable)
            .and_then(|parts| self.memory.items(parts.nodes, parts.node_count, NODE));
        let keys = nodes
            .unwrap_or_default()
            .chunks_exact(usize::from(NODE))
            .map(Structure)
            .filter(|node| !Value(node.word(NODE_VALUE)).is_nil())
            .filter_map(|node| Value(node.word(NODE_KEY)).object());
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

/// Whether the chain of nodes from number `main` on has one with this key.
fn leads_to(parts: Parts, nodes: &[u8], main: u64, key: Value) -> bool {
    let size = u64::from(NODE);
    let mut offset = main * size;
    for _ in 0..parts.node_count {
        let Some(node) = nodes.get(offset as usize..(offset + size) as usize) else {
            return false;
        };
        let node = Structure(node);
        if Value(node.word(NODE_KEY)) == key {
            return true;
        }
        let next = node.word(NODE_NEXT);
        offset = next.wrapping_sub(parts.nodes);
        if next == 0 || !is_next(parts, next) {
            return false;
        }
    }
    false
}

/// Whether a node may have this as its next one: none, or one of the same table.
fn is_next(parts: Parts, next: u64) -> bool {
    let (size, offset) = (u64::from(NODE), next.wrapping_sub(parts.nodes));
    next == 0 || offset.is_multiple_of(size) && offset / size < parts.node_count
}
