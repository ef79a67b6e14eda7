//! Looks at a LuaJIT VM while its program runs.

use crate::layout::JitLayout;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::chunk_name::ChunkName;
use crate::native::jit::references::References;
use crate::native::jit::slots::{VALUE, slots};
use crate::native::jit::table::{NODE, NODE_KEY, NODE_VALUE};
use crate::native::jit::tags::{self, Value};
use crate::native::look::{Look, STACK_SLOTS, Seen, SeenCode, TABLE_SLOTS, TEXT};
use crate::version::Version;
use luasnap_heap::Kind;
use std::marker::PhantomData;

/// `FF_LUA` in `ffid`: a Lua function.
const IN_LUA: u8 = 0;
/// `firstline` of a Lua function that is built into LuaJIT.
const BUILT_IN: u32 = u32::MAX;

/// Looks by one layout.
pub(crate) struct JitLook<'m, M, R> {
    memory: &'m M,
    layout: &'static JitLayout,
    main_thread: u64,
    global_state: u64,
    /// How wide references are.
    width: PhantomData<R>,
}

impl<'m, M: Memory, R: References> JitLook<'m, M, R> {
    /// Looks at the VM whose main thread and global state are at these addresses.
    pub(crate) fn new(
        memory: &'m M,
        layout: &'static JitLayout,
        [main_thread, global_state]: [u64; 2],
    ) -> Self {
        JitLook {
            memory,
            layout,
            main_thread,
            global_state,
            width: PhantomData,
        }
    }

    /// Whether the header of an object says that it is of this kind.
    fn is(&self, address: u64, kind: Kind) -> bool {
        let header = self.memory.structure(address, R::HEADER);
        header.is_some_and(|header| tags::kind(header.byte(R::TYPE)) == Some(kind))
    }

    fn seen(&self, value: Value) -> Seen {
        match (value.table(), value.function()) {
            (Some(table), _) if self.is(table, Kind::Table) => Seen::Table(table),
            (_, Some(function)) if self.is(function, Kind::LuaFunction) => Seen::Function(function),
            _ => Seen::Other,
        }
    }

    /// Returns the text of a string; `None` for what is none.
    fn text_at(&self, address: u64) -> Option<&'m [u8]> {
        if !self.is(address, Kind::String) {
            return None;
        }
        let places = &self.layout.string;
        let string = self.memory.structure(address, places.size)?;
        let len = u64::from(string.int(places.len)).min(TEXT);
        let start = address.checked_add(u64::from(places.size))?;
        self.memory.bytes(start, len as usize)
    }
}

impl<M: Memory, R: References> Look for JitLook<'_, M, R> {
    fn fits(&self) -> bool {
        true
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
        R::value(global.word(places.registry)).table()
    }

    fn stack(&self) -> Vec<Seen> {
        let places = &self.layout.state;
        let stack = || {
            let thread = self.memory.structure(self.main_thread, places.size)?;
            let count = u64::from(thread.int(places.stack_size)).min(STACK_SLOTS);
            self.memory.items(R::at(thread, places.stack), count, VALUE)
        };
        let seen = slots(stack().unwrap_or_default()).map(|slot| {
            let seen = self.seen(R::value(slot));
            match R::callee_in(slot) {
                Some(callee) if seen == Seen::Other => self.seen(callee),
                _ => seen,
            }
        });
        seen.collect()
    }

    fn entries(&self, table: u64) -> Vec<(Vec<u8>, Seen)> {
        let nodes = || {
            if !self.is(table, Kind::Table) {
                return None;
            }
            let places = &self.layout.table;
            let table = self.memory.structure(table, places.size)?;
            let count = u64::from(table.int(places.hash_mask)) + 1;
            let nodes = R::at(table, places.nodes);
            self.memory.items(nodes, count.min(TABLE_SLOTS), NODE)
        };
        let nodes = nodes().unwrap_or_default();
        let nodes = nodes.chunks_exact(usize::from(NODE)).map(Structure);
        let entries = nodes.filter_map(|node| {
            let key = R::value(node.word(NODE_KEY)).object()?;
            let key = self.text_at(key)?.to_vec();
            Some((key, self.seen(R::value(node.word(NODE_VALUE)))))
        });
        entries.collect()
    }

    fn code(&self, function: u64) -> Option<SeenCode> {
        let places = &self.layout.function;
        let function = self.memory.structure(function, places.upvalues)?;
        if function.byte(places.fast_function) != IN_LUA {
            return None;
        }
        let size = self.layout.prototype.size;
        // It is right before its code.
        let address = R::at(function, places.pc).wrapping_sub(u64::from(size));
        if !self.is(address, Kind::Prototype) {
            return None;
        }
        let places = &self.layout.prototype;
        let prototype = self.memory.structure(address, size)?;
        let line = prototype.int(places.line);
        if line == BUILT_IN {
            return None;
        }
        let source = self.text_at(R::at(prototype, places.source))?;
        Some(SeenCode {
            chunk: ChunkName::new(Version::LuaJit, source).bytes().to_vec(),
            is_main: line == 0,
            is_shared: false,
        })
    }
}
