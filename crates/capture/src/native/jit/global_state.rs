//! What the global state says about a VM.

use crate::layout::JitLayout;
use crate::memory::memory::Structure;

/// The VM's own count of its bytes.
pub(crate) fn total(layout: &JitLayout, global: Structure<'_>) -> u64 {
    global.word(layout.global_state.total_bytes)
}

/// Number of segments of light userdata for which there is room.
pub(super) fn segment_count(layout: &JitLayout, global: Structure<'_>) -> u64 {
    let places = &layout.global_state;
    let last = global.byte(places.light_segment_count);
    match (global.word(places.light_segments), last) {
        (0, _) => 0,
        (_, 0) => 2,
        (_, last) => 2 << last.ilog2(),
    }
}

/// Offset of the empty string (`strempty`) in the global state: right behind the address of the
/// segments of light userdata, the last field of `gc`.
pub(super) fn empty_place(layout: &JitLayout) -> u16 {
    layout.global_state.light_segments + 8
}
