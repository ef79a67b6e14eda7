//! The first pass: every object on a list, and its size.

use crate::layout::ABSENT;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::byte_ledger::note;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::own_snapshots::Userdata;
use crate::native::puc::global_state::usual_extra_space;
use crate::native::puc::header::{HEADER, TAG};
use crate::native::puc::sweep::Sweep;
use crate::native::puc::tags::{self, ObjectType};
use crate::native::puc::whose::Whose;
use crate::version::Version;
use luasnap_heap::{Kind, NodeId, RunOrder};
use std::iter;

/// `FIXEDBIT` in an object's `marked` (5.1, 5.2): never collected.
const FIXED: u8 = 1 << 5;
/// How many buckets of the string table ahead strings are prefetched.
const AHEAD: usize = 16;

/// The lists on which objects are found, each a chain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum List {
    /// Objects of which nothing special is known.
    All,
    WithFinalizer,
    ToBeFinalized,
    Fixed,
    /// A bucket of the string table, or a thread's open upvalues.
    Part,
}

impl<M: Memory> Sweep<'_, M> {
    /// Makes a node of every object.
    pub(super) fn list_objects<const L: usize>(&mut self) -> Swept {
        let places = &self.known_layout::<L>().global_state;
        let (all, finalized) = (places.all, places.to_be_finalized);
        self.heap.begin_run(RunOrder::Allocation)?;
        self.list_chain::<L>(self.global.word(all), List::All)?;
        if self.known_layout::<L>().version >= Version::Lua52 {
            self.heap.begin_run(RunOrder::Finalizer)?;
            let first = self.heap.node_count() as u32;
            self.list_chain::<L>(self.global.word(places.with_finalizer), List::WithFinalizer)?;
            self.finalized = first..self.heap.node_count() as u32;
        }
        self.heap.begin_run(RunOrder::None)?;
        match self.known_layout::<L>().version {
            Version::Lua51 => self.list_ring::<L>(self.global.word(finalized))?,
            _ => self.list_chain::<L>(self.global.word(finalized), List::ToBeFinalized)?,
        }
        if places.fixed != ABSENT {
            self.list_chain::<L>(self.global.word(places.fixed), List::Fixed)?;
        }
        if self.known_layout::<L>().version <= Version::Lua52 {
            self.list_strings::<L>()?;
        }
        if !self.heap.is_taken(self.main_thread) {
            self.list_object::<L>(self.main_thread, List::All)?;
        }
        Ok(())
    }

    /// Lists a chain of objects. An object that is listed twice is an error, so that even a ring
    /// would come to an end.
    fn list_chain<const L: usize>(&mut self, first: u64, list: List) -> Swept {
        let mut next = first;
        while next != 0 {
            next = self.list_here::<L>(next, list)?;
        }
        Ok(())
    }

    /// Lists the ring of userdata that wait for their finalizer (5.1), from its last.
    fn list_ring<const L: usize>(&mut self, last: u64) -> Swept {
        if last == 0 {
            return Ok(());
        }
        let mut next = self.list_object::<L>(last, List::ToBeFinalized)?;
        while next != last {
            next = self.list_object::<L>(next, List::ToBeFinalized)?;
        }
        Ok(())
    }

    /// Lists the string table: all strings in 5.1, the short ones in 5.2.
    fn list_strings<const L: usize>(&mut self) -> Swept {
        let places = &self.known_layout::<L>().global_state;
        let count = u64::from(self.global.int(places.strings_size));
        let buckets = self
            .memory
            .items(self.global.word(places.strings), count, 8)
            .ok_or(LayoutMismatch::Unreadable(&"the table of strings"))?;
        let firsts = buckets.chunks_exact(8).map(|one| Structure(one).word(0));
        // Strings are in no order in memory, but their addresses are known in advance.
        let ahead = firsts.clone().skip(AHEAD).chain(iter::repeat(0));
        for (number, (first, later)) in (0..).zip(firsts.zip(ahead)) {
            self.memory.prefetch(later);
            self.heap.prefetch(later);
            let mut next = first;
            while next != 0 {
                let hash = self
                    .hash_of_short::<L>(Whose::Own, next)
                    .ok_or(LayoutMismatch::StringTable)?;
                if u64::from(hash) & (count - 1) != number {
                    return Err(LayoutMismatch::StringTable.into());
                }
                next = self.list_object::<L>(next, List::Part)?;
            }
        }
        Ok(())
    }

    /// Makes a node of an object. Returns the address of the next object.
    #[inline(never)]
    fn list_object<const L: usize>(&mut self, address: u64, list: List) -> Swept<u64> {
        self.list_here::<L>(address, list)
    }

    /// The same, where nearly all objects come by.
    #[inline(always)]
    fn list_here<const L: usize>(&mut self, address: u64, list: List) -> Swept<u64> {
        let header = self
            .memory
            .structure(address, HEADER)
            .ok_or(LayoutMismatch::Unreadable(&"an object"))?;
        let (next, tag) = (header.word(0), header.byte(TAG));
        let object_type = tags::object_type(self.known_layout::<L>(), tag)
            .ok_or(LayoutMismatch::UnknownType(tag))?;
        if object_type == ObjectType::ShortString || object_type == ObjectType::LongString {
            let node = self.list_string::<L>(address, object_type)?;
            // From 5.3 on fixed objects are on a list of their own.
            let is_fixed = match self.known_layout::<L>().version {
                Version::Lua51 | Version::Lua52 => header.byte(TAG + 1) & FIXED != 0,
                _ => list == List::Fixed,
            };
            if is_fixed {
                note(&mut self.fixed, node)?;
            }
            return Ok(next);
        }
        let node = self.list_other::<L>(address, object_type)?;
        match list {
            List::ToBeFinalized => note(&mut self.to_be_finalized, node)?,
            List::Fixed => note(&mut self.fixed, node)?,
            // In 5.1 userdata follow the main thread.
            List::All
                if address == self.main_thread
                    && self.known_layout::<L>().version == Version::Lua51 =>
            {
                self.heap.begin_run(RunOrder::Allocation)?;
            }
            _ => {}
        }
        Ok(next)
    }

    /// Makes a node of an object that is not a string.
    fn list_other<const L: usize>(
        &mut self,
        address: u64,
        object_type: ObjectType,
    ) -> Swept<NodeId> {
        let (kind, size) = match object_type {
            ObjectType::Table => (Kind::Table, self.table_size::<L>(Whose::Own, address)),
            ObjectType::Closure => self.closure_size_by_field::<L>(address),
            ObjectType::LuaClosure => (
                Kind::LuaFunction,
                self.lua_closure_size::<L>(Whose::Own, address),
            ),
            ObjectType::CClosure => (Kind::CFunction, self.c_closure_size::<L>(address)),
            ObjectType::Userdata => (Kind::Userdata, self.userdata_size(address)),
            ObjectType::Thread => (Kind::Thread, self.thread_size(address)),
            ObjectType::Prototype => (Kind::Prototype, self.prototype_size(Whose::Own, address)),
            ObjectType::Upvalue | ObjectType::ShortString | ObjectType::LongString => (
                Kind::Upvalue,
                Some(u64::from(self.known_layout::<L>().upvalue.size)),
            ),
        };
        let size = size.ok_or(LayoutMismatch::Unreadable(&"an object"))?;
        let node = self.ledger.add(&mut self.heap, kind, address, size)?;
        match kind {
            Kind::Userdata => self.note_own(node, address)?,
            // These are on no other list.
            Kind::Thread if self.known_layout::<L>().version <= Version::Lua52 => {
                let first = self
                    .memory
                    .word(address + u64::from(self.known_layout::<L>().state.open_upvalues))
                    .ok_or(LayoutMismatch::Unreadable(&"a thread"))?;
                self.list_chain::<L>(first, List::Part)?;
            }
            Kind::LuaFunction if self.known_layout::<L>().version == Version::Lua53 => {
                self.list_upvalues_of::<L>(address)?;
            }
            Kind::Thread if self.known_layout::<L>().version == Version::Lua53 => {
                self.list_open_upvalues::<L>(address)?;
            }
            _ => {}
        }
        Ok(node)
    }

    /// Lists the upvalues of a Lua function (5.3). They are not objects of the collector, and are
    /// found through the functions that have them.
    fn list_upvalues_of<const L: usize>(&mut self, function: u64) -> Swept {
        let upvalues = self
            .upvalues_of::<L>(function)
            .ok_or(LayoutMismatch::Unreadable(&"a function"))?;
        for upvalue in upvalues.chunks_exact(8) {
            let address = upvalue.try_into().map_or(0, u64::from_ne_bytes);
            self.list_upvalue::<L>(address)?;
        }
        Ok(())
    }

    /// Lists the open upvalues of a thread (5.3): those that no function has any more stay there
    /// until their variables end.
    fn list_open_upvalues<const L: usize>(&mut self, thread: u64) -> Swept {
        const UNREADABLE: LayoutMismatch = LayoutMismatch::Unreadable(&"an open upvalue");
        let layout = self.known_layout::<L>();
        let mut next = thread + u64::from(layout.state.open_upvalues);
        // Some were listed with their functions, so that a ring would not come to an end by itself.
        for _ in 0..=self.ledger.total() / u64::from(layout.upvalue.size) {
            let upvalue = self.memory.word(next).ok_or(UNREADABLE)?;
            if upvalue == 0 {
                return Ok(());
            }
            self.list_upvalue::<L>(upvalue)?;
            next = upvalue + u64::from(layout.upvalue.next_open);
        }
        Err(LayoutMismatch::BrokenList.into())
    }

    /// Makes a node of an upvalue that may have one already (5.3).
    fn list_upvalue<const L: usize>(&mut self, address: u64) -> Swept {
        if address != 0 && !self.heap.is_taken(address) {
            let size = u64::from(self.known_layout::<L>().upvalue.size);
            self.ledger
                .add(&mut self.heap, Kind::Upvalue, address, size)?;
        }
        Ok(())
    }

    /// Counts the VM's memory that is not objects.
    pub(super) fn list_blocks(&mut self) -> Swept {
        let places = &self.layout().global_state;
        let state = match self.version() {
            Version::Lua55 => places.size,
            _ => places.with_main_thread,
        };
        let state = match self.version() {
            // 5.1 does not count that of its main thread.
            Version::Lua51 => u64::from(state),
            _ => u64::from(state) - usual_extra_space(self.layout()) + self.extra_space,
        };
        self.ledger.block("global state", state)?;
        self.ledger.block(
            "string table",
            8 * u64::from(self.global.int(places.strings_size)),
        )?;
        if places.buffer_size != ABSENT {
            self.ledger
                .block("buffer", self.global.word(places.buffer_size))?;
        }
        Ok(())
    }

    /// Notes a userdata if it is one of our own snapshots.
    fn note_own(&mut self, node: NodeId, address: u64) -> Swept {
        let Some(userdata) = self.userdata(address) else {
            return Ok(());
        };
        let fields = Userdata {
            metatable: userdata.metatable,
            payload: userdata.payload,
            len: userdata.len,
        };
        if !fields.is_own_snapshot(self.memory, self.origin) {
            return Ok(());
        }
        let marker = fields.marker(self.memory);
        self.own.add(&mut self.heap, node, userdata.payload, marker)
    }
}
