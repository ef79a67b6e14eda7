//! Looks at a PUC Lua VM while its program runs.

use crate::layout::{ABSENT, PucLayout};
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::chunk_name::ChunkName;
use crate::native::look::{Look, STACK_SLOTS, Seen, SeenCode, TABLE_SLOTS, TEXT};
use crate::native::puc::foreign::is_shared;
use crate::native::puc::header::{HEADER, TAG, VALUE};
use crate::native::puc::tags::{self, ObjectType, ValueType};
use crate::version::Version;

/// Looks by one layout.
pub(crate) struct PucLook<'m, M> {
    memory: &'m M,
    layout: &'static PucLayout,
    main_thread: u64,
    global_state: u64,
}

impl<'m, M: Memory> PucLook<'m, M> {
    /// Looks at the VM whose main thread and global state are at these addresses.
    pub(crate) fn new(
        memory: &'m M,
        layout: &'static PucLayout,
        [main_thread, global_state]: [u64; 2],
    ) -> Self {
        PucLook {
            memory,
            layout,
            main_thread,
            global_state,
        }
    }

    /// Returns what the header of an object says it is.
    fn object_type(&self, address: u64) -> Option<ObjectType> {
        let header = self.memory.structure(address, HEADER)?;
        tags::object_type(self.layout, header.byte(TAG))
    }

    fn seen(&self, value: u64, tag: u8) -> Seen {
        match tags::value_type(self.layout.version, tag) {
            ValueType::Object => {}
            ValueType::LightUserdata => return Seen::Pointer(value),
            _ => return Seen::Other,
        }
        match self.object_type(value) {
            Some(ObjectType::ShortString | ObjectType::LongString) => Seen::Text(value),
            Some(ObjectType::Table) => Seen::Table(value),
            Some(ObjectType::LuaClosure | ObjectType::Closure) => Seen::Function(value),
            _ => Seen::Other,
        }
    }

    /// Returns the text of a string; `None` for what is none.
    fn text_at(&self, address: u64) -> Option<&'m [u8]> {
        let places = &self.layout.string;
        let object_type = self.object_type(address)?;
        let is_short = object_type == ObjectType::ShortString;
        if !is_short && object_type != ObjectType::LongString {
            return None;
        }
        let string = self.memory.structure(address, places.header)?;
        let behind = address.checked_add(u64::from(places.header))?;
        let (start, len) = match places.short_len {
            ABSENT => (behind, string.word(places.len)),
            short_len if is_short => (behind, u64::from(string.byte(short_len))),
            _ if self.layout.version != Version::Lua55 => (behind, string.word(places.len)),
            _ => {
                let string = self.memory.structure(address, places.fixed_size)?;
                (string.word(places.contents), string.word(places.len))
            }
        };
        self.memory.bytes(start, len.min(TEXT) as usize)
    }
}

impl<M: Memory> Look for PucLook<'_, M> {
    /// The first metamethod is `__index` in every release, and its name is never collected.
    fn fits(&self) -> bool {
        let place = u64::from(self.layout.global_state.metamethods);
        let name = self.global_state.checked_add(place);
        let name = name.and_then(|place| self.memory.word(place));
        name.and_then(|name| self.text_at(name)) == Some(b"__index")
    }

    fn main_thread(&self) -> u64 {
        self.main_thread
    }

    fn text(&self, string: u64) -> Option<Vec<u8>> {
        self.text_at(string).map(<[u8]>::to_vec)
    }

    fn bytes(&self, address: u64, len: usize) -> Option<Vec<u8>> {
        self.memory.bytes(address, len).map(<[u8]>::to_vec)
    }

    fn registry(&self) -> Option<u64> {
        let places = &self.layout.global_state;
        let global = self.memory.structure(self.global_state, places.size)?;
        Some(global.word(places.registry))
    }

    fn stack(&self) -> Vec<Seen> {
        let places = &self.layout.state;
        let slots = || {
            let thread = self.memory.structure(self.main_thread, places.size)?;
            let stack = thread.word(places.stack);
            let size = thread.word(places.stack_last).checked_sub(stack)?;
            let count = (size / u64::from(VALUE)).min(STACK_SLOTS);
            self.memory.items(stack, count, VALUE)
        };
        let slots = slots().unwrap_or_default().chunks_exact(usize::from(VALUE));
        let slots = slots.map(Structure);
        slots
            .map(|slot| self.seen(slot.word(0), slot.byte(TAG)))
            .collect()
    }

    fn entries(&self, table: u64) -> Vec<(Vec<u8>, Seen)> {
        let places = &self.layout.node;
        let nodes = || {
            if self.object_type(table)? != ObjectType::Table {
                return None;
            }
            let of = &self.layout.table;
            let table = self.memory.structure(table, of.size)?;
            let count = 1u64 << (table.byte(of.node_count_log2) & 31);
            let nodes = table.word(of.nodes);
            self.memory
                .items(nodes, count.min(TABLE_SLOTS), places.size)
        };
        let nodes = nodes().unwrap_or_default();
        let nodes = nodes.chunks_exact(usize::from(places.size)).map(Structure);
        let entries = nodes.filter_map(|node| {
            let key = node.byte(places.key_tag);
            if tags::value_type(self.layout.version, key) != ValueType::Object {
                return None;
            }
            let key = self.text_at(node.word(places.key))?.to_vec();
            let tag = node.byte(places.value + TAG);
            Some((key, self.seen(node.word(places.value), tag)))
        });
        entries.collect()
    }

    fn code(&self, function: u64) -> Option<SeenCode> {
        let places = &self.layout.closure;
        let closure = self.memory.structure(function, places.upvalues)?;
        if places.is_c != ABSENT && closure.byte(places.is_c) != 0 {
            return None;
        }
        let address = closure.word(places.prototype);
        if self.object_type(address)? != ObjectType::Prototype {
            return None;
        }
        let places = &self.layout.prototype;
        let prototype = self.memory.structure(address, places.size)?;
        let source = self.text_at(prototype.word(places.source))?;
        Some(SeenCode {
            chunk: ChunkName::new(self.layout.version, source).bytes().to_vec(),
            is_main: prototype.int(places.line) == 0,
            is_shared: self.layout.string.id != ABSENT
                && is_shared(prototype.byte(self.layout.string.marked)),
        })
    }
}
