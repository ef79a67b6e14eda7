//! `LUA_EXTRASPACE`: bytes before each thread that are the program's own. How many there are, each
//! build says for itself, and nothing in the VM tells.
//!
//! In 5.5 the main thread is where they end, behind the global state. In others what a sweep found is
//! short of the VM's total by a multiple of its threads. That alone could be an accident of the moment:
//! the C library's `malloc` has the size of a block before it, and the block of the main thread has to
//! begin that many bytes before the thread, and be that much larger.

use crate::layout::PucLayout;
use crate::memory::memory::{Memory, Read};
use crate::native::layout_mismatch::{Failure, LayoutMismatch, Swept};
use crate::native::puc::global_state::{
    EXTRA_SPACE_STEP, MOST_EXTRA_SPACE, main_thread, usual_extra_space,
};
use crate::native::swept::SweptHeap;
use crate::version::Version;
use luasnap_heap::{Kind, NodeId};

/// The extra space that explains what a sweep with the usual one found; `None` if it is the usual one,
/// or nothing confirms another.
pub(crate) fn explained_by(
    memory: &impl Memory,
    layout: &PucLayout,
    global: u64,
    swept: &Swept<SweptHeap>,
) -> Option<u64> {
    if layout.version == Version::Lua55 {
        return None;
    }
    let usual = usual_extra_space(layout);
    let space = match swept {
        Ok(swept) => {
            let nodes = (1..swept.heap.node_count() as u32).map(NodeId);
            let threads = nodes.filter(|&node| swept.heap.kind(node) == Kind::Thread);
            // 5.1 does not count that of its main thread.
            let uncounted = usize::from(layout.version == Version::Lua51);
            let threads = threads.count().saturating_sub(uncounted) as u64;
            let missing = swept.total - swept.found;
            let step = threads * EXTRA_SPACE_STEP as u64;
            let is_shared = missing != 0 && missing.checked_rem(step) == Some(0);
            usual + is_shared.then(|| missing / threads)?
        }
        Err(Failure::LayoutMismatch(LayoutMismatch::TooLarge { .. })) => 0,
        Err(_) => return None,
    };
    let words = memory.structure(global, layout.global_state.size)?;
    let thread = main_thread(layout, global, words, |address| memory.word(address));
    let is_so = |space| is_before(memory, layout, thread, space) == Some(true);
    (space != usual && space <= MOST_EXTRA_SPACE && is_so(space) && !is_so(usual)).then_some(space)
}

/// Whether the block of memory with the main thread begins this many bytes before it, as the size before
/// that block says, in which the C library keeps three bits of its own.
fn is_before(memory: &impl Memory, layout: &PucLayout, thread: u64, space: u64) -> Option<bool> {
    const BITS: u64 = 7;
    const HEADER: u64 = 8;
    const ALIGNMENT: u64 = 16;
    let states = u64::from(layout.global_state.with_main_thread) - usual_extra_space(layout);
    let size = memory.word(thread.checked_sub(space)?.checked_sub(HEADER)?)? & !BITS;
    Some(size == (space + states + HEADER).next_multiple_of(ALIGNMENT))
}
