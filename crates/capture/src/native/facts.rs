//! What the API says about a VM, which its structures have to confirm.

use crate::layout::{self, ABSENT, JitLayout, Layout, PucLayout};
use crate::lua::state::State;
use crate::memory::careful_read;
use crate::memory::memory::Structure;
use crate::native::jit::references;
use crate::native::puc::tags;
use crate::native::{jit, puc};
use crate::version::Version;

/// Bytes of a pointer.
const POINTER: u16 = 8;

/// What the API says about a VM.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Facts {
    /// The running thread.
    state: u64,
    /// The function that allocates, and its data.
    allocator: [u64; 2],
    registry: u64,
    /// Tables with their metatables: [`Origin::metatables`](crate::native::origin::Origin::metatables).
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
            allocated: state.allocated_bytes(),
        }
    }

    /// Returns the address of the global state, if it fits a layout. None of the reads can fault.
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
        let bytes = bytes.get_mut(..usize::from(places.size))?;
        if !careful_read::read(address, bytes) {
            return None;
        }
        let global = Structure(bytes);
        let main_thread = address.checked_sub(u64::from(places.from_main_thread))?;
        let size = places.reference_size;
        let registry = references::value(size, global.word(places.registry));
        let says_the_same = global.word(places.allocator) == self.allocator[0]
            && global.word(places.allocator + 8) == self.allocator[1]
            && registry.table() == Some(self.registry)
            && references::at(size, global, places.main_thread) == main_thread
            && self
                .allocated
                .is_none_or(|allocated| jit::global_state::total(layout, global) == allocated);
        let main_thread_fits = jit_global_of(layout, main_thread) == Some(address);
        let tables_fit = self.has_metatables_at(layout.table.metatable, size);
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
                .is_none_or(|allocated| puc::global_state::total(layout, global) == allocated);
        let main_thread =
            puc::global_state::main_thread(layout, address, global, careful_read::word);
        let main_thread_fits = self.global_of(layout, main_thread) == Some(address);
        let tables_fit = self.has_metatables_at(layout.table.metatable, POINTER);
        (says_the_same && main_thread_fits && tables_fit).then_some(address)
    }

    /// Whether the known tables have their metatables at this offset, in references of this size.
    /// Another field there may look like an object too, so that neither the sum of sizes nor any
    /// reference would tell.
    fn has_metatables_at(&self, place: u16, size: u16) -> bool {
        let mut known = self.metatables.iter().filter(|known| known.0 != 0);
        known.all(|&(table, metatable)| {
            let found = table.checked_add(u64::from(place));
            found.and_then(|at| careful_reference(at, size)) == Some(metatable)
        })
    }

    /// Address of the global state that a thread says it belongs to.
    fn global_of(&self, layout: &PucLayout, thread: u64) -> Option<u64> {
        let is_thread = careful_read::byte(thread.checked_add(8)?)? == layout::puc::THREAD;
        let global = careful_read::word(thread.checked_add(u64::from(layout.state.global))?)?;
        let is_aligned = global % 8 == 0 && global != 0;
        let has_main =
            layout.global_state.with_main_thread != ABSENT || layout.version == Version::Lua55;
        (is_thread && is_aligned && has_main).then_some(global)
    }
}

/// Address of the global state that a thread of LuaJIT says it belongs to.
fn jit_global_of(layout: &JitLayout, thread: u64) -> Option<u64> {
    let size = layout.global_state.reference_size;
    let type_place = thread.checked_add(u64::from(size) + 1)?;
    let is_thread = careful_read::byte(type_place)? == layout::jit::THREAD;
    let global = thread.checked_add(u64::from(layout.state.global))?;
    let global = careful_reference(global, size)?;
    (is_thread && global % 8 == 0 && global != 0).then_some(global)
}

/// Reads a reference of this size. The read cannot fault.
fn careful_reference(address: u64, size: u16) -> Option<u64> {
    let mut bytes = [0; POINTER as usize];
    let part = bytes.get_mut(..usize::from(size))?;
    careful_read::read(address, part).then_some(u64::from_le_bytes(bytes))
}
