//! What the global state says about a VM.

use crate::layout::puc::THREAD;
use crate::layout::{ABSENT, PucLayout};
use crate::memory::memory::Structure;
use crate::version::Version;

/// The most bytes of `LUA_EXTRASPACE` that are looked for.
pub(crate) const MOST_EXTRA_SPACE: u64 = 1024;
/// What `LUA_EXTRASPACE` is a multiple of, as it is rounded up.
pub(crate) const EXTRA_SPACE_STEP: usize = 8;

/// Bytes before each thread where a build says nothing.
pub(crate) const fn usual_extra_space(layout: &PucLayout) -> u64 {
    match layout.state.with_extra_space {
        ABSENT => 0,
        whole => (whole - layout.state.size) as u64,
    }
}

/// The VM's own count of its bytes.
pub(crate) fn total(layout: &PucLayout, global: Structure<'_>) -> u64 {
    let total = global.word(layout.global_state.total_bytes);
    match layout.version {
        Version::Lua51 => total,
        Version::Lua55 => total.wrapping_sub(global.word(layout.global_state.debt)),
        _ => total.wrapping_add(global.word(layout.global_state.debt)),
    }
}

/// Address of the main thread, given how words are read. In 5.5 it is behind the global state and
/// its own extra space, of any size.
pub(crate) fn main_thread(
    layout: &PucLayout,
    address: u64,
    global: Structure<'_>,
    word: impl Fn(u64) -> Option<u64>,
) -> u64 {
    let place = layout.global_state.main_thread;
    if layout.version != Version::Lua55 {
        return global.word(place);
    }
    let usual = address.wrapping_add(u64::from(place));
    let is_it = |thread: u64| {
        let tag = word(thread.wrapping_add(8)).map(|word| word as u8);
        tag == Some(THREAD)
            && word(thread.wrapping_add(u64::from(layout.state.global))) == Some(address)
    };
    let first = usual.wrapping_sub(usual_extra_space(layout));
    let spaces = (0..=MOST_EXTRA_SPACE).step_by(EXTRA_SPACE_STEP);
    let mut others = spaces.map(|space| first.wrapping_add(space));
    match is_it(usual) {
        true => usual,
        false => others.find(|&thread| is_it(thread)).unwrap_or(usual),
    }
}
