//! Whether a layout is that of a VM: what the API says of it, and what was proved before.

use crate::native::careful_read;
use crate::native::jit;
use crate::native::layout::{self, ABSENT, JitLayout, Layout, PucLayout};
use crate::native::memory::Structure;
use crate::native::misfit::{Misfit, Swept};
use crate::native::puc::{self, tags};
use crate::collector::allocated_bytes;
use crate::state::State;
use crate::version::Version;
use luasnap_heap::{Kind, NodeId, SweepBuilder};

/// What the API says of a VM, and its structures have to say too.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// The running thread.
    state: u64,
    /// The function that allocates, and its data.
    allocator: [u64; 2],
    registry: u64,
    /// Tables with their metatables: [`Origin::metatables`](super::Origin::metatables).
    metatables: [(u64, u64); 2],
    /// `None` inside a finalizer of 5.4 and later.
    allocated: Option<u64>,
}

impl Facts {
    pub(crate) fn of(state: State, metatables: [(u64, u64); 2]) -> Facts {
        Facts {
            state: state.raw() as u64,
            allocator: state.allocator(),
            registry: state.pointer(state.registry()),
            metatables,
            allocated: allocated_bytes(state),
        }
    }

    /// The address of the global state, if a layout fits it. Everything is read so that it cannot
    /// fault.
    pub(crate) fn global_state(&self, layout: Layout) -> Option<u64> {
        match layout {
            Layout::Puc(number) => self.global_state_of_puc(layout::puc(number)),
            Layout::Jit(layout) => self.global_state_of_jit(layout),
        }
    }

    fn global_state_of_jit(&self, layout: &JitLayout) -> Option<u64> {
        let places = &layout.global_state;
        let address = jit_global_of(layout, self.state)?;
        let mut bytes = [0; 4096];
        let bytes = bytes.get_mut(..usize::from(places.to_jit_state))?;
        if !careful_read::read(address, bytes) {
            return None;
        }
        let global = Structure(bytes);
        let main_thread = address.checked_sub(u64::from(places.from_main_thread))?;
        let says_the_same = global.word(places.allocator) == self.allocator[0]
            && global.word(places.allocator + 8) == self.allocator[1]
            && jit::tags::table_of(global.word(places.registry)) == Some(self.registry)
            && global.word(places.main_thread) == main_thread
            && self
                .allocated
                .is_none_or(|allocated| jit::total(layout, global) == allocated);
        let main_thread_fits = jit_global_of(layout, main_thread) == Some(address);
        let tables_fit = self.has_metatables_at(layout.table.metatable);
        (says_the_same && main_thread_fits && tables_fit).then_some(address)
    }

    fn global_state_of_puc(&self, layout: &PucLayout) -> Option<u64> {
        let version = layout.version;
        let places = &layout.global_state;
        let address = self.global_of(layout, self.state)?;
        let mut bytes = [0; 4096];
        let bytes = bytes.get_mut(..usize::from(places.size))?;
        if !careful_read::read(address, bytes) {
            return None;
        }
        let global = Structure(bytes);
        let registry_tag = global.byte(places.registry + 8);
        let says_the_same = global.word(places.allocator) == self.allocator[0]
            && global.word(places.allocator + 8) == self.allocator[1]
            && global.word(places.registry) == self.registry
            && tags::is_table(version, registry_tag)
            && self
                .allocated
                .is_none_or(|allocated| puc::total(layout, global) == allocated);
        let main_thread = puc::main_thread(layout, address, global);
        let main_thread_fits = self.global_of(layout, main_thread) == Some(address);
        let tables_fit = self.has_metatables_at(layout.table.metatable);
        (says_the_same && main_thread_fits && tables_fit).then_some(address)
    }

    /// Whether tables have their metatables at this place. What stands there instead may look like an
    /// object too, and so neither the sum of sizes nor any reference would tell.
    fn has_metatables_at(&self, place: u16) -> bool {
        let mut known = self.metatables.iter().filter(|known| known.0 != 0);
        known.all(|&(table, metatable)| {
            let found = table.checked_add(u64::from(place));
            found.and_then(careful_read::word) == Some(metatable)
        })
    }

    /// The global state that a thread says it belongs to.
    fn global_of(&self, layout: &PucLayout, thread: u64) -> Option<u64> {
        let is_thread = careful_read::byte(thread.checked_add(8)?)? == tags::THREAD;
        let global = careful_read::word(thread.checked_add(u64::from(layout.state.global))?)?;
        let is_aligned = global % 8 == 0 && global != 0;
        let has_main =
            layout.global_state.with_main_thread != ABSENT || layout.version == Version::Lua55;
        (is_thread && is_aligned && has_main).then_some(global)
    }
}

/// The global state that a thread of LuaJIT says it belongs to.
fn jit_global_of(layout: &JitLayout, thread: u64) -> Option<u64> {
    let is_thread = careful_read::byte(thread.checked_add(9)?)? == jit::tags::THREAD;
    let global = careful_read::word(thread.checked_add(u64::from(layout.state.global))?)?;
    (is_thread && global % 8 == 0 && global != 0).then_some(global)
}

/// Proves that the names of metamethods, strings at these addresses, read so: each begins with two
/// underscores, and those that all VMs since 5.1 have are among them. Forks have others too, in an order
/// of their own.
pub(super) fn prove_metamethods(
    heap: &SweepBuilder,
    addresses: impl Iterator<Item = u64>,
) -> Swept {
    const KNOWN: [&[u8]; 5] = [b"__index", b"__newindex", b"__gc", b"__mode", b"__call"];
    let mut found = [false; KNOWN.len()];
    for address in addresses {
        let string = heap.find(address);
        let string = string.filter(|&node| heap.kind(node) == Kind::String);
        let name = string.map_or(&b""[..], |node| heap.name(heap.source(node)));
        if !name.starts_with(b"__") {
            return Err(Misfit::Metamethods.into());
        }
        for (found, known) in found.iter_mut().zip(KNOWN) {
            *found |= name == known;
        }
    }
    match found.contains(&false) {
        true => Err(Misfit::Metamethods.into()),
        false => Ok(()),
    }
}

/// Proves that each place for a basic type's metatable has what it may have.
pub(super) fn prove_metatables(mut are_right: impl Iterator<Item = bool>) -> Swept {
    match are_right.all(|is_right| is_right) {
        true => Ok(()),
        false => Err(Misfit::Kind("the metatable of a basic type").into()),
    }
}

/// Whether a field's name is one that a metatable has for the VM or a library. Up to 5.3 the environment
/// of a file, which is no metatable, has a field `__close`.
pub(super) fn is_event(version: Version, name: &[u8]) -> bool {
    name.starts_with(b"__") && (version >= Version::Lua54 || name != b"__close")
}

/// Whether a node is one of those that are proved in full: many of the first, then some, so that it
/// does not show in a capture's time.
#[inline]
pub(super) fn is_sample(node: NodeId) -> bool {
    const ALL: u32 = 1 << 12;
    const ONE_OF: u32 = 32;
    node.0 < ALL || node.0.is_multiple_of(ONE_OF)
}

/// Whether a VM's own count is that of what was found. One that was stopped anywhere may have been
/// about to count one more or less.
pub(super) fn is_near(found: u64, counted: u64, is_stopped_anywhere: bool) -> bool {
    found.abs_diff(counted) <= u64::from(is_stopped_anywhere)
}

/// What is known of a VM already.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub(crate) enum Trust {
    /// Nothing.
    #[default]
    None,
    /// The layout of this name has proved itself.
    In(&'static str),
}

impl Trust {
    /// Whether it is this layout that has proved itself.
    pub(crate) fn is(&self, layout: Layout) -> bool {
        *self == Trust::In(layout.name())
    }

    /// The layouts in the order in which they are to be tried: what has proved itself first.
    pub(crate) fn first(self, mut layouts: Vec<Layout>) -> Vec<Layout> {
        layouts.sort_by_key(|&layout| !self.is(layout));
        layouts
    }
}
