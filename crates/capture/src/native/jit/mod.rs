//! The sweep of LuaJIT: from the lists of its objects, all of them and what they refer to.
//!
//! As with PUC Lua there are two passes: the lists give each object its node and size (`list`), then
//! each node gets its references (one file for each kind of object). An address that no list named
//! is never followed.
//!
//! Builds with 64-bit references (GC64) alone are known: 32-bit ones refuse themselves, since their
//! global state is not where these have it.

mod blocks;
mod c_types;
mod frames;
mod function;
mod list;
mod local_names;
mod proof;
mod prototype;
mod root;
mod string;
mod table;
pub(crate) mod tags;
mod thread;
mod trace;
mod userdata;

use crate::native::layout::JitLayout;
use crate::native::ledger::Ledger;
use crate::native::memory::{Memory, Read, Structure};
use crate::native::misfit::{Failure, Misfit, Swept};
use crate::native::modes::Modes;
use crate::native::own_snapshots::OwnSnapshots;
use crate::native::recent_strings::RecentStrings;
use crate::native::slot_names::SlotNames;
use crate::native::{Origin, Swept as SweptHeap};
use crate::stack_slots::StackSlots;
use c_types::CTypes;
use luasnap_heap::{Kind, Label, NodeId, Strength, SweepBuilder};
use prototype::KnownPrototype;
use tags::Value;

/// What the headers of all objects share: `nextgc`, then a byte for the collector and the type.
const HEADER: u16 = 16;
const MARKED: u16 = 8;
const TYPE: u16 = 9;
/// Bytes of a value, and of a reference.
const WORD: u16 = 8;

/// A sweep of a LuaJIT.
pub(crate) struct Sweep<'m, M> {
    memory: &'m M,
    layout: &'static JitLayout,
    origin: Origin,
    /// The global state, and what follows it.
    global: Structure<'m>,
    heap: SweepBuilder,
    ledger: Ledger,
    main_thread: u64,
    /// The string of no bytes, which lies in the global state.
    empty_string: u64,
    /// The types of cdata.
    c_types: CTypes<'m>,
    /// References to the traces, by their numbers.
    traces: &'m [u8],
    /// Of light userdata: the upper halves of their addresses, by segment.
    segments: &'m [u8],
    /// Objects that wait for their finalizer, and those that are never collected.
    to_be_finalized: Vec<NodeId>,
    fixed: Vec<NodeId>,
    own: OwnSnapshots,
    /// Strings whose text was not kept when they were listed.
    long_strings: Vec<NodeId>,
    /// The address of the string `__mode`.
    mode_key: u64,
    modes: Modes,
    /// The same of userdata, of which no mode is asked.
    userdata_metatables: Modes,
    /// How many strings the table of strings has.
    table_strings: u64,
    strings: RecentStrings,
    /// The prototype of the function that was met last.
    known: KnownPrototype<'m>,
    slots: StackSlots,
    slot_names: SlotNames,
}

impl<'m, M: Memory> Sweep<'m, M> {
    /// A sweep of the VM whose global state is at `address`.
    pub(crate) fn new(
        memory: &'m M,
        layout: &'static JitLayout,
        address: u64,
        origin: Origin,
    ) -> Swept<Self> {
        let places = &layout.global_state;
        let main_thread = address.wrapping_sub(u64::from(places.from_main_thread));
        let size = places.whole - places.from_main_thread;
        let global = memory
            .structure(address, size)
            .ok_or(Misfit::Unreadable("the global state"))?;
        let jit = places.to_jit_state;
        let count = u64::from(global.int(jit + layout.jit_state.trace_count));
        let traces = memory
            .items(global.word(jit + layout.jit_state.traces), count, WORD)
            .ok_or(Misfit::Unreadable("the list of traces"))?;
        let segments = memory
            .items(
                global.word(places.light_segments),
                segment_count(layout, global),
                4,
            )
            .ok_or(Misfit::Unreadable("the segments of light userdata"))?;
        Ok(Sweep {
            memory,
            layout,
            origin,
            global,
            heap: SweepBuilder::default(),
            ledger: Ledger::new(global.word(places.total_bytes)),
            main_thread,
            empty_string: address + u64::from(string::empty_place(layout)),
            c_types: CTypes::read(memory, &layout.c_types, global.word(places.c_types))?,
            traces,
            segments,
            to_be_finalized: Vec::new(),
            fixed: Vec::new(),
            own: OwnSnapshots::default(),
            long_strings: Vec::new(),
            mode_key: 0,
            modes: Modes::default(),
            userdata_metatables: Modes::default(),
            table_strings: 0,
            strings: RecentStrings::default(),
            known: KnownPrototype::default(),
            slots: StackSlots::default(),
            slot_names: SlotNames::default(),
        })
    }

    /// Sweeps the heap.
    pub(crate) fn run(mut self) -> Swept<SweptHeap> {
        // Few objects are smaller than 48 bytes, and few references take less than 8.
        let total = usize::try_from(self.ledger.total()).unwrap_or(0);
        self.heap.expect_sizes(total / 48, total / 16);
        self.list_objects()?;
        self.list_blocks()?;
        self.heap.close_objects()?;
        self.prove()?;
        self.own.find_markers(&mut self.heap)?;
        let listed = self.heap.node_count() as u32;
        self.refer_from_root()?;
        for node in (1..listed).map(NodeId) {
            self.look_ahead(node, listed);
            self.refer_from(node)?;
        }
        self.prove_afterwards()?;
        self.name_long_strings()?;
        self.own.note_markers(&mut self.heap)?;
        Ok(self.ledger.close(self.heap, table::SLOT_SIZES, false))
    }

    /// Says what the nodes after this one will need. Their order is near that of memory, but each
    /// has parts elsewhere.
    #[inline]
    fn look_ahead(&self, node: NodeId, listed: u32) {
        const FAR: u32 = 12;
        const NEAR: u32 = 6;
        if node.0 + FAR < listed {
            self.memory.expect(self.heap.address(NodeId(node.0 + FAR)));
        }
        if node.0 + NEAR < listed {
            let near = NodeId(node.0 + NEAR);
            if self.heap.kind(near) == Kind::Table {
                self.expect_table(self.heap.address(near));
            }
        }
    }

    /// Gives a node its references. What does not fit is a reason for doubt and no more: an object
    /// that is garbage may refer to what is gone, and to what now lies in its place.
    #[inline]
    fn refer_from(&mut self, node: NodeId) -> Swept {
        let address = self.heap.address(node);
        self.heap.begin_edges();
        let referred = match self.heap.kind(node) {
            Kind::Table => self.refer_from_table(node, address),
            Kind::LuaFunction => self.refer_from_lua_function(node, address),
            Kind::CFunction => self.refer_from_c_function(node, address),
            Kind::Upvalue => self.refer_from_upvalue(node, address),
            Kind::Userdata => self.refer_from_userdata(node, address),
            Kind::Thread => self.refer_from_thread(node, address),
            Kind::Prototype => self.refer_from_prototype(node, address),
            Kind::Trace => self.refer_from_trace(node, address),
            Kind::Cdata => {
                // People know it by its payload. It holds nothing.
                self.heap.set_address(node, c_types::payload(address));
                Ok(())
            }
            _ => return Ok(()),
        };
        match referred {
            Err(Failure::Misfit(misfit)) => self.ledger.doubt(node, misfit)?,
            other => other?,
        }
        self.heap.end_edges(node)?;
        Ok(())
    }

    /// The node of the object at `address`, to which `source` refers.
    #[inline]
    fn object(&mut self, source: NodeId, address: u64) -> Swept<Option<NodeId>> {
        let found = self.heap.find(address);
        if found.is_none() {
            self.ledger.doubt(source, Misfit::UnknownReference)?;
        }
        Ok(found)
    }

    /// Adds a reference to a value, where it is an object.
    #[inline]
    fn refer_to_value(&mut self, source: NodeId, value: Value, label: Label) -> Swept {
        if let Some(address) = value.object()
            && let Some(target) = self.object(source, address)?
        {
            self.heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }

    /// The same, where what is there can only be of one kind.
    #[inline]
    fn refer_to_kind(
        &mut self,
        source: NodeId,
        address: u64,
        label: Label,
        (kind, what): (Kind, &'static str),
    ) -> Swept {
        if address != 0
            && let Some(target) = self.object(source, address)?
        {
            if self.heap.kind(target) != kind {
                self.ledger.doubt(source, Misfit::Kind(what))?;
            }
            self.heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }

    /// Adds a strong reference to the object at `address`; there is none at 0.
    #[inline]
    fn refer_to_object(&mut self, source: NodeId, address: u64, label: Label) -> Swept {
        if address != 0
            && let Some(target) = self.object(source, address)?
        {
            self.heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }
}

/// What the VM says it holds.
pub(crate) fn total(layout: &JitLayout, global: Structure<'_>) -> u64 {
    global.word(layout.global_state.total_bytes)
}

/// How many segments of light userdata there is room for.
fn segment_count(layout: &JitLayout, global: Structure<'_>) -> u64 {
    let places = &layout.global_state;
    let last = global.byte(places.light_segment_count);
    match (global.word(places.light_segments), last) {
        (0, _) => 0,
        (_, 0) => 2,
        (_, last) => 2 << last.ilog2(),
    }
}

/// The values that lie one after the other in `bytes`.
#[inline]
fn words(bytes: &[u8]) -> impl DoubleEndedIterator<Item = u64> + ExactSizeIterator + '_ {
    let words = bytes.chunks_exact(usize::from(WORD));
    words.map(|word| Structure(word).word(0))
}
