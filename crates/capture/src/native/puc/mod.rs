//! The sweep of PUC Lua: from the lists of its objects, all of them and what they refer to.
//!
//! Two passes. The first goes through the lists and gives each object its node and size (`list`);
//! the second goes through the nodes and gives each its references (one file for each kind of
//! object). An address that no list named is never followed.

mod function;
mod list;
mod proof;
mod prototype;
mod root;
mod stack;
mod string;
mod table;
pub(crate) mod tags;
mod thread;
mod userdata;

use crate::native::layout::{self, PucLayout};
use crate::native::ledger::Ledger;
use crate::native::memory::{Memory, Read, Structure};
use crate::native::misfit::{Failure, Misfit, Swept};
use crate::native::modes::Modes;
use crate::native::own_snapshots::OwnSnapshots;
use crate::native::recent_strings::RecentStrings;
use crate::native::slot_names::SlotNames;
use crate::native::{Origin, Swept as SweptHeap};
use crate::stack_slots::StackSlots;
use crate::version::Version;
use luasnap_heap::{Kind, Label, NodeId, RunOrder, Strength, SweepBuilder};
use prototype::KnownPrototype;
use std::ops::Range;
use tags::ValueType;

/// What the headers of all objects share: `next`, then the tag.
const HEADER: u16 = 16;
const TAG: u16 = 8;
/// Bytes of a value, and where its tag is.
const VALUE: u16 = 16;

/// A sweep of a PUC Lua that has layout number `L`: so the compiler knows every offset, and leaves
/// out what the release does not have.
pub(crate) struct Sweep<'m, M, const L: usize> {
    memory: &'m M,
    types: [ValueType; 256],
    origin: Origin,
    global: Structure<'m>,
    heap: SweepBuilder,
    ledger: Ledger,
    main_thread: u64,
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
    /// The address of the string `maxinteger`.
    max_integer_key: u64,
    /// Integers have 64 bits, as was seen.
    integers_are_wide: bool,
    /// There is an integer key that would be another one if they had 32.
    has_wide_key: bool,
    /// How many strings the table of strings must have.
    short_strings: u64,
    /// How many local variables of prototypes begin before they end, and how many do not.
    placed_locals: u64,
    misplaced_locals: u64,
    /// A userdata has values of its own beside its payload.
    has_user_values: bool,
    /// The nodes of the objects that have a finalizer (5.2 on).
    finalized: Range<u32>,
    strings: RecentStrings,
    /// The prototype of the function that was met last.
    prototype: KnownPrototype<'m>,
    slots: StackSlots,
    slot_names: SlotNames,
}

impl<'m, M: Memory, const L: usize> Sweep<'m, M, L> {
    const LAYOUT: &'static PucLayout = layout::puc(L);
    const VERSION: Version = Self::LAYOUT.version;

    /// A sweep of the VM whose global state is at `global`.
    fn new(memory: &'m M, global_address: u64, origin: Origin) -> Swept<Self> {
        let layout = Self::LAYOUT;
        let size = layout.global_state.size;
        let global = memory
            .structure(global_address, size)
            .ok_or(Misfit::Unreadable("the global state"))?;
        let mut types = [ValueType::Other; 256];
        for (tag, value_type) in (0..=u8::MAX).zip(&mut types) {
            *value_type = tags::value_type(Self::VERSION, tag);
        }
        Ok(Sweep {
            memory,
            types,
            origin,
            global,
            heap: SweepBuilder::default(),
            ledger: Ledger::new(total(layout, global)),
            main_thread: main_thread(layout, global_address, global),
            to_be_finalized: Vec::new(),
            fixed: Vec::new(),
            own: OwnSnapshots::default(),
            long_strings: Vec::new(),
            mode_key: 0,
            modes: Modes::default(),
            userdata_metatables: Modes::default(),
            max_integer_key: 0,
            integers_are_wide: false,
            has_wide_key: false,
            short_strings: 0,
            placed_locals: 0,
            misplaced_locals: 0,
            has_user_values: false,
            finalized: 0..0,
            strings: RecentStrings::default(),
            prototype: KnownPrototype::default(),
            slots: StackSlots::default(),
            slot_names: SlotNames::default(),
        })
    }

    /// Sweeps the heap.
    fn run(mut self) -> Swept<SweptHeap> {
        // Few objects are smaller than 48 bytes, and few references take less than 16.
        let total = usize::try_from(self.ledger.total()).unwrap_or(0);
        self.heap.expect_sizes(total / 48, total / 16);
        self.list_objects()?;
        self.list_blocks()?;
        self.recount_calls()?;
        self.heap.close_objects()?;
        self.prove()?;
        self.own.find_markers(&mut self.heap)?;
        self.heap.begin_run(RunOrder::None)?; // of what no list has
        let listed = self.heap.node_count() as u32;
        self.refer_from_root()?;
        for node in (1..listed).map(NodeId) {
            self.look_ahead(node, listed);
            self.refer_from(node)?;
        }
        self.prove_afterwards()?;
        self.name_long_strings()?;
        self.own.note_markers(&mut self.heap)?;
        Ok(self
            .ledger
            .close(self.heap, Self::SLOT_SIZES, self.has_user_values))
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
            _ => return Ok(()),
        };
        match referred {
            Err(Failure::Misfit(misfit)) => self.ledger.doubt(node, misfit)?,
            other => other?,
        }
        self.heap.end_edges(node)?;
        Ok(())
    }

    /// The node of a value that is an object, or a C function that is a plain pointer.
    #[inline(always)]
    fn target(
        &mut self,
        source: NodeId,
        value_type: ValueType,
        value: u64,
    ) -> Swept<Option<NodeId>> {
        Ok(match value_type {
            ValueType::Object => self.object(source, value)?,
            ValueType::LightFunction => Some(self.heap.light_function(value)?),
            _ => None,
        })
    }

    /// The node of the object at `address`, to which `source` refers.
    #[inline(always)]
    fn object(&mut self, source: NodeId, address: u64) -> Swept<Option<NodeId>> {
        let found = self.heap.find(address);
        if found.is_none() {
            self.ledger.doubt(source, Misfit::UnknownReference)?;
        }
        Ok(found)
    }

    /// Adds a reference to the value at `address`, where it is an object.
    fn refer_to_value_at(&mut self, source: NodeId, address: u64, label: Label) -> Swept {
        let value = self
            .memory
            .structure(address, VALUE)
            .ok_or(Misfit::Unreadable("a value"))?;
        self.refer_to_value(source, value, label)
    }

    /// Adds a reference to a value, where it is an object.
    #[inline(always)]
    fn refer_to_value(&mut self, source: NodeId, value: Structure<'_>, label: Label) -> Swept {
        let value_type = self.types[usize::from(value.byte(TAG))];
        if let Some(target) = self.target(source, value_type, value.word(0))? {
            self.heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }

    /// The node of the prototype at `address`, where there really is one.
    pub(super) fn prototype_node(&self, address: u64) -> Option<NodeId> {
        let node = self.heap.find(address)?;
        (self.heap.kind(node) == Kind::Prototype).then_some(node)
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

/// Sweeps the VM whose global state is at `global`, by layout number `number`.
pub(crate) fn sweep<M: Memory>(
    memory: &M,
    number: usize,
    global: u64,
    origin: Origin,
) -> Swept<SweptHeap> {
    macro_rules! by_number {
        ($($number:literal)*) => {
            match number {
                $($number => Sweep::<M, $number>::new(memory, global, origin)?.run(),)*
                _ => Err(Misfit::GlobalState.into()),
            }
        };
    }
    const _: () = assert!(layout::PUC_COUNT == 10, "each layout has a number here");
    by_number!(0 1 2 3 4 5 6 7 8 9)
}

/// What the VM says it holds.
pub(crate) fn total(layout: &PucLayout, global: Structure<'_>) -> u64 {
    let total = global.word(layout.global_state.total_bytes);
    match layout.version {
        Version::Lua51 => total,
        Version::Lua55 => total.wrapping_sub(global.word(layout.global_state.debt)),
        _ => total.wrapping_add(global.word(layout.global_state.debt)),
    }
}

/// The address of the main thread.
pub(crate) fn main_thread(layout: &PucLayout, address: u64, global: Structure<'_>) -> u64 {
    match layout.version {
        Version::Lua55 => address + u64::from(layout.global_state.main_thread),
        _ => global.word(layout.global_state.main_thread),
    }
}
