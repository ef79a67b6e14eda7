//! What the global state says about a VM.

use crate::layout::{ABSENT, JitLayout};
use crate::memory::memory::Structure;
use crate::native::jit::references;

/// The VM's own count of its bytes (`GCSize`, which is as wide as a reference).
pub(crate) fn total(layout: &JitLayout, global: Structure<'_>) -> u64 {
    let places = &layout.global_state;
    references::at(places.reference_size, global, places.total_bytes)
}

/// Address of the segments of light userdata; 0 while there are none, and in builds without.
pub(super) fn light_segments(layout: &JitLayout, global: Structure<'_>) -> u64 {
    let places = &layout.global_state;
    match places.light_segments {
        ABSENT => 0,
        place => references::at(places.reference_size, global, place),
    }
}

/// Number of segments of light userdata for which there is room.
pub(super) fn segment_count(layout: &JitLayout, global: Structure<'_>) -> u64 {
    if light_segments(layout, global) == 0 {
        return 0;
    }
    match global.byte(layout.global_state.light_segment_count) {
        0 => 2,
        last => 2 << last.ilog2(),
    }
}

/// Bytes of the buffer for texts that are being made (`tmpbuf`).
pub(super) fn buffer_size(layout: &JitLayout, global: Structure<'_>) -> u64 {
    let places = &layout.global_state;
    let (start, end) = (places.buffer_start, places.buffer_end);
    match start {
        // 2.0 has its size in place of its end.
        ABSENT => u64::from(global.int(end)),
        // Pointers, or references in older builds.
        start => {
            let size = start.abs_diff(end);
            let [start, end] = [start, end].map(|place| references::at(size, global, place));
            end.wrapping_sub(start)
        }
    }
}
