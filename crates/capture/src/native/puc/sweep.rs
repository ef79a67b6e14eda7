//! The sweep of PUC Lua.

use crate::layout::{self, PucLayout};
use crate::lua::numbers::Numbers;
use crate::lua::stack_slots::StackSlots;
use crate::memory::memory::{Memory, Read, Structure};
use crate::native::byte_ledger::ByteLedger;
use crate::native::foreign_objects::ForeignObject;
use crate::native::layout_mismatch::{LayoutMismatch, Swept};
use crate::native::modes::Modes;
use crate::native::origin::Origin;
use crate::native::own_snapshots::OwnSnapshots;
use crate::native::puc::global_state::{main_thread, total, usual_extra_space};
use crate::native::puc::header::{TAG, VALUE};
use crate::native::puc::known_prototype::KnownPrototype;
use crate::native::puc::number_keys::NumberKeys;
use crate::native::puc::table_slots::slot_sizes;
use crate::native::puc::tags::{self, ValueType};
use crate::native::recent_strings::RecentStrings;
use crate::native::slot_names::SlotNames;
use crate::native::sweep::{self, Parts, Sweep as _};
use crate::native::swept::SweptHeap;
use crate::version::Version;
use luasnap_heap::{Kind, Label, NodeId, Strength, SweepBuilder};
use std::ops::Range;

/// In place of a layout's number: code that looks every offset up.
pub(super) const ANY: usize = layout::PUC_COUNT;

/// Calls a method that is compiled for each layout of the newest releases, and once for all others. What most objects
/// need is: the compiler knows every offset there, and leaves out what the release does not have.
macro_rules! by_layout {
    ($sweep:ident.$method:ident($($argument:expr),*)) => {{
        const NEWEST_51: usize = layout::number_of_newest(Version::Lua51);
        const NEWEST_52: usize = layout::number_of_newest(Version::Lua52);
        const NEWEST_53: usize = layout::number_of_newest(Version::Lua53);
        const NEWEST_54: usize = layout::number_of_newest(Version::Lua54);
        const NEWEST_55: usize = layout::number_of_newest(Version::Lua55);
        match $sweep.number {
            NEWEST_51 => $sweep.$method::<NEWEST_51>($($argument),*),
            NEWEST_52 => $sweep.$method::<NEWEST_52>($($argument),*),
            NEWEST_53 => $sweep.$method::<NEWEST_53>($($argument),*),
            NEWEST_54 => $sweep.$method::<NEWEST_54>($($argument),*),
            NEWEST_55 => $sweep.$method::<NEWEST_55>($($argument),*),
            _ => $sweep.$method::<ANY>($($argument),*),
        }
    }};
}

/// A layout that the compiler knows by its number.
struct Number<const L: usize>;

impl<const L: usize> Number<L> {
    const LAYOUT: Option<&'static PucLayout> = match L {
        ANY => None,
        number => Some(layout::puc(number)),
    };
}

/// A sweep of a PUC Lua VM. Methods with a parameter `L` are compiled for each layout that counts (`by_layout`).
pub(crate) struct Sweep<'m, M> {
    number: usize,
    layout: &'static PucLayout,
    pub(super) memory: &'m M,
    pub(super) types: [ValueType; 256],
    pub(super) origin: Origin,
    pub(super) global: Structure<'m>,
    pub(super) heap: SweepBuilder,
    pub(super) ledger: ByteLedger,
    pub(super) main_thread: u64,
    /// Number of nodes once all objects on the lists have theirs.
    pub(super) listed: u32,
    /// Objects of other VMs, in the order of their nodes.
    pub(super) foreign_objects: Vec<ForeignObject>,
    /// Bytes before each thread.
    pub(super) extra_space: u64,
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
    pub(super) number_keys: NumberKeys,
    pub(super) numbers: Numbers,
    /// Whether integers were seen to have 64 bits.
    pub(super) integers_are_wide: bool,
    /// Whether there is an integer key that would be another one with 32-bit integers.
    pub(super) has_wide_key: bool,
    /// Number of strings that the string table must have.
    pub(super) short_strings: u64,
    /// Number of local variables of prototypes that begin before they end, and of those that begin
    /// after.
    pub(super) placed_locals: u64,
    pub(super) misplaced_locals: u64,
    /// Whether a userdata has user values (5.4 and later).
    pub(super) has_user_values: bool,
    /// The nodes of the objects that have a finalizer (5.2 on).
    pub(super) finalized: Range<u32>,
    pub(super) strings: RecentStrings,
    /// The prototype of the function that was met last.
    pub(super) prototype: KnownPrototype<'m>,
    pub(super) slots: StackSlots,
    pub(super) slot_names: SlotNames,
}

impl<'m, M: Memory> Sweep<'m, M> {
    pub(super) fn layout(&self) -> &'static PucLayout {
        self.layout
    }

    pub(super) fn version(&self) -> Version {
        self.layout.version
    }

    /// The layout, of which the compiler knows all numbers unless `L` is `ANY`.
    #[inline(always)]
    pub(super) fn known_layout<const L: usize>(&self) -> &'static PucLayout {
        Number::<L>::LAYOUT.unwrap_or(self.layout)
    }

    /// A sweep by layout number `number` of the VM whose global state is at `global_address`.
    fn new(memory: &'m M, number: usize, global_address: u64, origin: Origin) -> Swept<Self> {
        let layout = layout::puc(number);
        let size = layout.global_state.size;
        let global = memory
            .structure(global_address, size)
            .ok_or(LayoutMismatch::Unreadable(&"the global state"))?;
        let main_thread = main_thread(layout, global_address, global, |at| memory.word(at));
        let extra_space = match layout.version {
            Version::Lua55 => {
                let place = layout.global_state.main_thread;
                let start =
                    global_address.wrapping_add(u64::from(place) - usual_extra_space(layout));
                main_thread.wrapping_sub(start)
            }
            _ => origin.extra_space.unwrap_or(usual_extra_space(layout)),
        };
        let mut types = [ValueType::Other; 256];
        for (tag, value_type) in (0..=u8::MAX).zip(&mut types) {
            *value_type = tags::value_type(layout.version, tag);
        }
        Ok(Sweep {
            number,
            layout,
            memory,
            types,
            origin,
            global,
            heap: SweepBuilder::default(),
            ledger: ByteLedger::new(total(layout, global)),
            main_thread,
            listed: u32::MAX,
            foreign_objects: Vec::new(),
            extra_space,
            to_be_finalized: Vec::new(),
            fixed: Vec::new(),
            own: OwnSnapshots::default(),
            long_strings: Vec::new(),
            mode_key: 0,
            modes: Modes::default(),
            userdata_metatables: Modes::default(),
            number_keys: NumberKeys::default(),
            numbers: Numbers::USUAL,
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

    /// Returns the node of a value, if it is an object, or a C function that is a plain pointer.
    #[inline(always)]
    pub(super) fn target(
        &mut self,
        source: NodeId,
        value_type: ValueType,
        value: u64,
    ) -> Swept<Option<NodeId>> {
        Ok(match value_type {
            ValueType::Object => self.object(source, value)?,
            ValueType::LightFunction => Some(self.heap.light_function(value)?),
            ValueType::Other => {
                self.ledger.doubt(source, LayoutMismatch::UnknownValue)?;
                None
            }
            _ => None,
        })
    }

    /// Returns the node of the prototype at `address`, if there is one.
    pub(super) fn prototype_node(&mut self, address: u64) -> Swept<Option<NodeId>> {
        let found = self.resolve(address)?;
        Ok(found.filter(|&node| self.heap.kind(node) == Kind::Prototype))
    }

    /// Adds a reference to the value at `address`, if it is an object.
    pub(super) fn refer_to_value_at(
        &mut self,
        source: NodeId,
        address: u64,
        label: Label,
    ) -> Swept {
        let value = self
            .memory
            .structure(address, VALUE)
            .ok_or(LayoutMismatch::Unreadable(&"a value"))?;
        self.refer_to_value(source, value, label)
    }

    /// Adds a reference to a value, if it is an object.
    #[inline(always)]
    pub(super) fn refer_to_value(
        &mut self,
        source: NodeId,
        value: Structure<'_>,
        label: Label,
    ) -> Swept {
        let value_type = self.types[usize::from(value.byte(TAG))];
        if let Some(target) = self.target(source, value_type, value.word(0))? {
            self.heap.edge(target, label, Strength::Strong)?;
        }
        Ok(())
    }

    fn add_edges_of_listed_by<const L: usize>(&mut self, listed: u32) -> Swept {
        self.add_edges_of_each(
            listed,
            Self::prefetch_table_at::<L>,
            Self::add_edges_of_kind::<L>,
        )
    }

    /// Gives a node of this kind its references. Returns `None` for kinds that never have any.
    #[inline(always)]
    pub(super) fn add_edges_of_kind<const L: usize>(
        &mut self,
        kind: Kind,
        node: NodeId,
        address: u64,
    ) -> Option<Swept> {
        Some(match kind {
            Kind::Table => self.add_edges_of_table::<L>(node, address),
            Kind::LuaFunction => self.add_edges_of_lua_function::<L>(node, address),
            Kind::CFunction => self.add_edges_of_c_function(node, address),
            Kind::Upvalue => self.add_edges_of_upvalue::<L>(node, address),
            Kind::Userdata => self.add_edges_of_userdata(node, address),
            Kind::Thread => self.add_edges_of_thread(node, address),
            Kind::Prototype => self.add_edges_of_prototype(node, address),
            _ => return None,
        })
    }
}

impl<'m, M: Memory> sweep::Sweep<'m> for Sweep<'m, M> {
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
        by_layout!(self.list_objects())?;
        self.list_blocks()?;
        self.recount_calls()
    }

    fn verify_objects(&mut self) -> Swept {
        self.listed = self.heap.node_count() as u32;
        self.find_numbers();
        self.verify_meaning_of_objects()
    }

    fn verify_references(&mut self) -> Swept {
        self.verify_meaning_of_references()
    }

    fn add_edges_of_root(&mut self) -> Swept {
        self.add_edges_of_globals()
    }

    fn add_edges_of_listed(&mut self, listed: u32) -> Swept {
        by_layout!(self.add_edges_of_listed_by(listed))
    }

    #[inline(always)]
    fn resolve(&mut self, address: u64) -> Swept<Option<NodeId>> {
        match self.heap.find(address) {
            None if self.shares() => self.foreign(address),
            found => Ok(found),
        }
    }

    fn add_edges_of_unlisted(&mut self) -> Swept {
        self.add_edges_of_foreign()
    }

    fn name_long_strings(&mut self) -> Swept {
        self.name_long_texts()
    }

    fn close(self) -> SweptHeap {
        let slot_sizes = slot_sizes(self.layout);
        let foreign = self.shares().then_some(self.foreign_objects);
        self.ledger
            .close(self.heap, slot_sizes, self.has_user_values, foreign)
    }
}

/// Sweeps the VM whose global state is at `global`, by layout number `number`.
pub(crate) fn sweep<M: Memory>(
    memory: &M,
    number: usize,
    global: u64,
    origin: Origin,
) -> Swept<SweptHeap> {
    Sweep::new(memory, number, global, origin)?.run()
}
