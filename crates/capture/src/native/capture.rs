//! Captures by the native engine, with the first layout that is verified.

use crate::layout::{self, Layout};
use crate::lua::state::State;
use crate::memory::memory::{Memory, OfOthers};
use crate::memory::own_memory::OwnMemory;
use crate::native::facts::Facts;
use crate::native::foreign_objects::counted;
use crate::native::layout_mismatch::{Failure, LayoutMismatch};
use crate::native::origin::{Origin, Root};
use crate::native::reasons::Reasons;
use crate::native::sight::sight_by;
use crate::native::swept::SweptHeap;
use crate::native::trust::Trust;
use crate::native::{jit, puc};
use crate::version::Version;
use luasnap_heap::{BuildError, Engine, Heap, Provenance, Reach, Through};
use luasnap_words::Sentence;
use std::borrow::Cow;

/// Why there is no native capture.
#[derive(Debug)]
pub(crate) enum Unavailable {
    /// The native engine is not available here; the sentence says why.
    Reason(Sentence),
    /// The heap could not be built.
    Failed(BuildError),
}

/// Captures everything that the state's VM has, or only what is reachable from `root`. `trust` is
/// what is already known of this VM; it is updated.
pub(crate) fn capture(
    state: State,
    origin: Origin,
    root: Option<Root<'_>>,
    trust: &mut Trust,
) -> Result<Heap, Unavailable> {
    let facts = Facts::of(state, origin.metatables);
    capture_by(state.version(), facts, origin, root, trust)
}

/// The same by what the API has said. Asks Lua for nothing more, so that another process can do it, which has a copy of
/// the VM.
pub(crate) fn capture_by(
    version: Version,
    facts: Facts,
    origin: Origin,
    root: Option<Root<'_>>,
    trust: &mut Trust,
) -> Result<Heap, Unavailable> {
    let memory = OwnMemory::now()
        .ok_or_else(|| Unavailable::Reason(Sentence::new("layout.no_memory_map")))?;
    let mut reasons = Reasons::default();
    for layout in trust.first(Layout::all(version)) {
        let is_trusted = trust.is(layout);
        let tried = try_layout(&memory, layout, facts, origin)
            .and_then(|(swept, vm_address)| finish(swept, layout, vm_address, root, is_trusted));
        match tried {
            Ok(mut heap) => {
                *trust = Trust::Verified(layout.name());
                if heap.provenance().shared.is_some() {
                    heap.set_state_name(name_of(&memory, layout, &heap));
                }
                return Ok(heap);
            }
            Err(failure) => reasons.note(layout, failure).map_err(Unavailable::Failed)?,
        }
    }
    *trust = Trust::None;
    let unknown = reasons.of_vm(version);
    Err(Unavailable::Reason(unknown.sentence))
}

/// Why no layout can fit, as far as the global state tells; `None` where one may. Takes microseconds.
pub(crate) fn cannot_fit(version: Version, facts: Facts) -> Option<Sentence> {
    let mut all = Layout::all(version).into_iter();
    let may_fit = all.any(|layout| facts.global_state(layout).is_some());
    (!may_fit).then(|| Reasons::default().of_vm(version).sentence)
}

/// What a state that shares objects with others is called. Its names are among these objects.
fn name_of(memory: &OwnMemory, layout: Layout, heap: &Heap) -> Option<String> {
    let main_thread = heap.root_named(b"[mainthread]")?.target;
    let places = [heap.address(main_thread), heap.provenance().vm_address];
    sight_by(&OfOthers(memory), layout, places)?.name()
}

/// Sweeps by one layout. Returns the address of the global state, too.
fn try_layout(
    memory: &OwnMemory,
    layout: Layout,
    facts: Facts,
    origin: Origin,
) -> Result<(SweptHeap, u64), Failure> {
    let global = facts
        .global_state(layout)
        .ok_or(LayoutMismatch::GlobalState)?;
    Ok((sweep(memory, layout, global, origin)?, global))
}

/// Sweeps the VM whose global state is at `global`, by one layout.
pub(super) fn sweep(
    memory: &impl Memory,
    layout: Layout,
    global: u64,
    origin: Origin,
) -> Result<SweptHeap, Failure> {
    match layout {
        Layout::Puc(number) => sweep_puc(memory, number, global, origin),
        Layout::Jit(layout) => jit::sweep::sweep(memory, layout, global, origin),
    }
}

/// The same for PUC Lua. What does not add up may do so with another `LUA_EXTRASPACE`.
fn sweep_puc(
    memory: &impl Memory,
    number: usize,
    global: u64,
    origin: Origin,
) -> Result<SweptHeap, Failure> {
    let swept = puc::sweep::sweep(memory, number, global, origin);
    let space = puc::extra_space::explained_by(memory, layout::puc(number), global, &swept);
    if space.is_none() {
        return swept;
    }
    drop(swept);
    let extra_space = space;
    puc::sweep::sweep(
        memory,
        number,
        global,
        Origin {
            extra_space,
            ..origin
        },
    )
}

/// Makes a heap of what was found, if that verifies the layout.
fn finish(
    swept: SweptHeap,
    layout: Layout,
    vm_address: u64,
    root: Option<Root<'_>>,
    is_trusted: bool,
) -> Result<Heap, Failure> {
    let (found, total) = (swept.found, swept.total);
    // With a layout that was verified before, missing bytes are memory that is on no list at the
    // moment, as while code is compiled.
    if found != total && !is_trusted {
        return Err(LayoutMismatch::sum(found, total).into());
    }
    let name = layout.names(swept.tells_apart);
    make_heap(swept, layout, name, vm_address, root)
}

/// Makes a heap of what was found, if all objects in use read as they should. `name` names the
/// releases that the VM may be.
pub(super) fn make_heap(
    mut swept: SweptHeap,
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
        shared: swept.foreign.as_deref().map(counted),
        is_whole: true,
        ..Provenance::default()
    })?;
    if !swept.doubtful.is_empty() {
        let reach = Reach::new(&heap, Through::Everything)?;
        let mut in_use = swept.doubtful.iter();
        if let Some(&(_, mismatch)) = in_use.find(|(node, _)| reach.contains(*node)) {
            return Err(mismatch.into());
        }
    }
    Ok(match node {
        Some((node, name)) => heap.rooted_at(node, name)?,
        None => heap,
    })
}
