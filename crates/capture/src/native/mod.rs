//! The native engine: every object of a VM, read from its own structures.
//!
//! Nothing is allocated in the Lua heap, nothing is written, and no API is called that could.
//! A layout is trusted only after it proved itself on this very VM: read through the kernel, so
//! that a wrong address is no fault, its global state has to say what the API says; then the sizes
//! of all objects and fixed blocks have to add up to the VM's own total, and no object in use may
//! refer to what no list has. Otherwise the next layout is tried.

pub(crate) mod careful_read;
mod chunk_name;
mod equal_texts;
pub(crate) mod jit;
pub(crate) mod kept_bytes;
pub(crate) mod layout;
mod ledger;
pub(crate) mod main_state;
pub(crate) mod mappings;
pub(crate) mod memory;
mod misfit;
mod modes;
mod own_memory;
mod own_snapshots;
pub(crate) mod pieces;
mod prefetch;
mod proof;
pub(crate) mod puc;
mod recent_strings;
mod shared_copy;
mod slot_names;
pub(crate) mod stopped;

pub(crate) use proof::Trust;

use crate::state::State;
use layout::Layout;
use luasnap_heap::{
    BuildError, Engine, Heap, Kind, NodeId, Provenance, Reach, SlotSizes, SweepBuilder, Through,
};
use memory::Memory;
use misfit::{Failure, Misfit};
use own_memory::OwnMemory;
use std::borrow::Cow;
use std::fmt::Write;

/// From where a capture is made, which is no part of it.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Origin {
    /// The metatable by which our own snapshots are known; 0 where there is none.
    pub(crate) own_metatable: u64,
    /// Tables, each with its metatable as the API tells it, 0 where it has none. A table at 0 is none.
    pub(crate) metatables: [(u64, u64); 2],
    /// The module's function that runs; 0 where none does.
    pub(crate) own_function: u64,
    /// The thread that runs it; 0 where none does.
    pub(crate) running_thread: u64,
    /// The VM was stopped at any of its instructions, not in a call of ours: what a stack's top says
    /// may be out of date, and a slot may hold what is gone.
    pub(crate) is_stopped_anywhere: bool,
}

/// The value that a capture starts from.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Root<'a> {
    /// Its address as the API tells it.
    pub(crate) address: u64,
    pub(crate) is_userdata: bool,
    /// Whether it is a function in C.
    pub(crate) is_c_function: bool,
    /// What it is called.
    pub(crate) name: &'a [u8],
}

impl Root<'_> {
    /// Its node.
    fn node(self, heap: &mut SweepBuilder) -> Result<NodeId, Failure> {
        let found = match self.is_userdata {
            // It is known by its payload, which the map does not have.
            true => (1..heap.node_count() as u32).map(NodeId).find(|&node| {
                heap.kind(node) == Kind::Userdata && heap.address(node) == self.address
            }),
            false => heap.find(self.address),
        };
        match found {
            Some(node) => Ok(node),
            None if self.is_c_function => Ok(heap.light_function(self.address)?),
            None => Err(Misfit::UnknownReference.into()),
        }
    }
}

/// What a sweep found.
pub(crate) struct Swept {
    heap: SweepBuilder,
    slot_sizes: SlotSizes,
    /// Whether a userdata has values of its own beside its payload (5.4 on).
    has_user_values: bool,
    total: u64,
    found: u64,
    blocks: Vec<(Cow<'static, str>, u64)>,
    /// Objects that do not read as they should, each with what is wrong with it.
    doubtful: Vec<(NodeId, Misfit)>,
}

/// Why there is no native capture.
#[derive(Debug)]
pub(crate) enum Unavailable {
    /// It cannot be had here; the sentence says why.
    Here(String),
    /// It failed as any capture may.
    Failed(BuildError),
}

/// Captures everything that the state's VM has, or of that what is reachable from `root`. `trust` is
/// what is known of this VM already.
pub(crate) fn capture(
    state: State,
    origin: Origin,
    root: Option<Root<'_>>,
    trust: &mut Trust,
) -> Result<Heap, Unavailable> {
    let memory = OwnMemory::now().ok_or_else(|| {
        Unavailable::Here("the system does not tell which memory can be read".to_owned())
    })?;
    let facts = proof::Facts::of(state, origin.metatables);
    let mut reasons = String::new();
    for layout in trust.first(Layout::all(state.version())) {
        let is_trusted = trust.is(layout);
        let tried = try_layout(&memory, layout, facts, origin)
            .and_then(|(swept, vm_address)| finish(swept, layout, vm_address, root, is_trusted));
        match tried {
            Ok(heap) => {
                *trust = Trust::In(layout.name());
                return Ok(heap);
            }
            Err(Failure::Build(error)) => return Err(Unavailable::Failed(error)),
            Err(Failure::Misfit(misfit)) => {
                let separator = if reasons.is_empty() { "" } else { "; " };
                let _ = write!(reasons, "{separator}not {}: {misfit}", layout.name());
            }
        }
    }
    *trust = Trust::None;
    Err(Unavailable::Here(format!(
        "no structures that are known are those of this {} ({reasons})",
        state.version()
    )))
}

/// Sweeps by one layout; answers where the global state is, too.
fn try_layout(
    memory: &OwnMemory,
    layout: Layout,
    facts: proof::Facts,
    origin: Origin,
) -> Result<(Swept, u64), Failure> {
    let global = facts.global_state(layout).ok_or(Misfit::GlobalState)?;
    Ok((sweep(memory, layout, global, origin)?, global))
}

/// Sweeps the VM whose global state is at `global`, by one layout.
fn sweep(
    memory: &impl Memory,
    layout: Layout,
    global: u64,
    origin: Origin,
) -> Result<Swept, Failure> {
    match layout {
        Layout::Puc(number) => puc::sweep(memory, number, global, origin),
        Layout::Jit(layout) => jit::Sweep::new(memory, layout, global, origin)?.run(),
    }
}

/// Makes a heap of what was found, if it proves that the layout is the VM's.
fn finish(
    swept: Swept,
    layout: Layout,
    vm_address: u64,
    root: Option<Root<'_>>,
    is_trusted: bool,
) -> Result<Heap, Failure> {
    let (found, total) = (swept.found, swept.total);
    // Once it has proved itself, what is missing is memory that no list has at the moment: while
    // code is compiled, say.
    if found != total && !is_trusted {
        return Err(Misfit::Sum { found, total }.into());
    }
    let name = layout.names(swept.has_user_values);
    make_heap(swept, layout, name, vm_address, root)
}

/// Makes a heap of what was found, if all objects in use read as they should. The VM is of the releases
/// in `name`.
fn make_heap(
    mut swept: Swept,
    layout: Layout,
    name: Cow<'static, str>,
    vm_address: u64,
    root: Option<Root<'_>>,
) -> Result<Heap, Failure> {
    let total = swept.total;
    let node = match root {
        Some(root) => Some((root.node(&mut swept.heap)?, root.name)),
        None => None,
    };
    let heap = swept.heap.finish(Provenance {
        engine: Engine::Native,
        vm: layout.version().family().into(),
        layout: Some(name),
        vm_address,
        total: Some(total),
        blocks: swept.blocks,
        slot_sizes: Some(swept.slot_sizes),
        is_whole: true,
        ..Provenance::default()
    })?;
    if !swept.doubtful.is_empty() {
        let reach = Reach::new(&heap, Through::Everything)?;
        let mut in_use = swept.doubtful.iter();
        if let Some(&(_, misfit)) = in_use.find(|(node, _)| reach.contains(*node)) {
            return Err(misfit.into());
        }
    }
    Ok(match node {
        Some((node, name)) => heap.rooted_at(node, name)?,
        None => heap,
    })
}
