//! The sweep of LuaJIT.

use crate::layout::{ABSENT, JitLayout};
use crate::lua::stack_slots::StackSlots;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::byte_ledger::ByteLedger;
use crate::native::jit::c_types::CTypes;
use crate::native::jit::global_state::{light_segments, segment_count, total};
use crate::native::jit::known_prototype::KnownPrototype;
use crate::native::jit::references::{Narrow, References, Wide};
use crate::native::jit::tags::Value;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::modes::Modes;
use crate::native::origin::Origin;
use crate::native::own_snapshots::OwnSnapshots;
use crate::native::recent_strings::RecentStrings;
use crate::native::slot_names::SlotNames;
use crate::native::sweep::{self, Parts, Sweep as _};
use crate::native::swept::SweptHeap;
use luasnap_heap::{Kind, Label, NodeId, Strength, SweepBuilder};
use std::marker::PhantomData;

/// Sweeps the VM whose global state is at `global`, by one layout.
pub(crate) fn sweep(
    memory: &impl Memory,
    layout: &'static JitLayout,
    global: u64,
    origin: Origin,
) -> Swept<SweptHeap> {
    match layout.global_state.reference_size {
        Narrow::SIZE => Sweep::<_, Narrow>::new(memory, layout, global, origin)?.run(),
        _ => Sweep::<_, Wide>::new(memory, layout, global, origin)?.run(),
    }
}

/// A sweep of a LuaJIT VM.
pub(super) struct Sweep<'m, M, R> {
    pub(super) memory: &'m M,
    pub(super) layout: &'static JitLayout,
    pub(super) origin: Origin,
    /// The global state, and what follows it.
    pub(super) global: Structure<'m>,
    pub(super) heap: SweepBuilder,
    pub(super) ledger: ByteLedger,
    pub(super) main_thread: u64,
    /// Address of the empty string, which is part of the global state.
    pub(super) empty_string: u64,
    /// The types of cdata.
    pub(super) c_types: CTypes<'m>,
    /// References to the traces, by their numbers.
    pub(super) traces: &'m [u8],
    /// Upper halves of the addresses of light userdata, by segment.
    pub(super) segments: &'m [u8],
    /// Objects that wait for their finalizer, and those that are never collected.
    pub(super) to_be_finalized: Vec<NodeId>,
    pub(super) fixed: Vec<NodeId>,
    pub(super) own: OwnSnapshots,
    /// Strings whose text was not kept when they were listed.
    pub(super) long_strings: Vec<NodeId>,
    /// The address of the string `__mode`.
    pub(super) mode_key: u64,
    pub(super) modes: Modes,
    /// The metatables of userdata; their modes are not used.
    pub(super) userdata_metatables: Modes,
    /// Number of strings in the string table.
    pub(super) table_strings: u64,
    pub(super) strings: RecentStrings,
    /// The prototype of the function that was met last.
    pub(super) known: KnownPrototype<'m>,
    pub(super) slots: StackSlots,
    pub(super) slot_names: SlotNames,
    /// How wide references are.
    width: PhantomData<R>,
}

impl<'m, M: Memory, R: References> Sweep<'m, M, R> {
    /// A sweep of the VM whose global state is at `address`.
    fn new(memory: &'m M, layout: &'static JitLayout, address: u64, origin: Origin) -> Swept<Self> {
        let places = &layout.global_state;
        let main_thread = address.wrapping_sub(u64::from(places.from_main_thread));
        let size = places.whole - places.from_main_thread;
        let global = memory
            .structure(address, size)
            .ok_or(LayoutMismatch::Unreadable(&"the global state"))?;
        let traces = match places.to_jit_state {
            ABSENT => &[],
            jit => {
                let count = u64::from(global.int(jit + layout.jit_state.trace_count));
                memory
                    .items(global.word(jit + layout.jit_state.traces), count, R::SIZE)
                    .ok_or(LayoutMismatch::Unreadable(&"the list of traces"))?
            }
        };
        let segments = memory
            .items(
                light_segments(layout, global),
                segment_count(layout, global),
                4,
            )
            .ok_or(LayoutMismatch::Unreadable(
                &"the segments of light userdata",
            ))?;
        Ok(Sweep {
            memory,
            layout,
            origin,
            global,
            heap: SweepBuilder::default(),
            ledger: ByteLedger::new(total(layout, global)),
            main_thread,
            empty_string: address + u64::from(places.empty_string),
            c_types: CTypes::read(memory, &layout.c_types, R::at(global, places.c_types))?,
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
            width: PhantomData,
        })
    }

    /// The reference at an address.
    #[inline]
    pub(super) fn reference(&self, address: u64) -> Option<u64> {
        Some(R::at(self.memory.structure(address, R::SIZE)?, 0))
    }

    /// Adds a reference to a value, if it is an object.
    #[inline]
    pub(super) fn refer_to_value(&mut self, source: NodeId, value: Value, label: Label) -> Swept {
        if let Some(address) = value.object()
            && let Some(target) = self.object(source, address)?
        {
            self.heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }

    /// Gives a node of this kind its references. Returns `None` for kinds that never have any.
    #[inline(always)]
    fn add_edges_of_kind(&mut self, kind: Kind, node: NodeId, address: u64) -> Option<Swept> {
        Some(match kind {
            Kind::Table => self.add_edges_of_table(node, address),
            Kind::LuaFunction => self.add_edges_of_lua_function(node, address),
            Kind::CFunction => self.add_edges_of_c_function(node, address),
            Kind::Upvalue => self.add_edges_of_upvalue(node, address),
            Kind::Userdata => self.add_edges_of_userdata(node, address),
            Kind::Thread => self.add_edges_of_thread(node, address),
            Kind::Prototype => self.add_edges_of_prototype(node, address),
            Kind::Trace => self.add_edges_of_trace(node, address),
            Kind::Cdata => self.add_edges_of_cdata(node, address),
            _ => return None,
        })
    }
}

impl<'m, M: Memory, R: References> sweep::Sweep<'m> for Sweep<'m, M, R> {
    type Memory = M;

    #[inline(always)]
    fn memory(&self) -> &'m M {
        self.memory
    }

    #[inline(always)]
    fn heap(&self) -> &SweepBuilder {
        &self.heap
    }

    #[inline(always)]
    fn parts(&mut self) -> Parts<'_> {
        Parts {
            heap: &mut self.heap,
            ledger: &mut self.ledger,
            own: &mut self.own,
        }
    }

    fn list(&mut self) -> Swept {
        self.list_objects()?;
        self.list_blocks()
    }

    fn verify_objects(&mut self) -> Swept {
        self.verify_meaning_of_objects()
    }

    fn verify_references(&mut self) -> Swept {
        self.verify_meaning_of_references()
    }

    fn add_edges_of_root(&mut self) -> Swept {
        self.add_edges_of_globals()
    }

    fn add_edges_of_listed(&mut self, listed: u32) -> Swept {
        self.add_edges_of_each(listed, Self::prefetch_table_at, Self::add_edges_of_kind)
    }

    fn name_long_strings(&mut self) -> Swept {
        self.name_long_texts()
    }

    fn close(self) -> SweptHeap {
        let has_traces = self.has_traces();
        self.ledger
            .close(self.heap, Self::SLOT_SIZES, has_traces, None)
    }
}
