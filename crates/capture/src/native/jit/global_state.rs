//! What the global state says of a VM.

use crate::layout::JitLayout;
use crate::memory::memory::Structure;

/// What the VM says it holds.
pub(crate) fn total(layout: &JitLayout, global: Structure<'_>) -> u64 {
    global.word(layout.global_state.total_bytes)
}

/// How many segments of light userdata there is room for.
pub(super) fn segment_count(layout: &JitLayout, global: Structure<'_>) -> u64 {
    let places = &layout.global_state;
    let last = global.byte(places.light_segment_count);
    match (global.word(places.light_segments), last) {
        (0, _) => 0,
        (_, 0) => 2,
        (_, last) => 2 << last.ilog2(),
    }
}

/// Where the global state has the string of no bytes (`strempty`): right behind what tells the
/// segments of light userdata, the last field of `gc`.
pub(super) fn empty_place(layout: &JitLayout) -> u16 {
    layout.global_state.light_segments + 8
}
