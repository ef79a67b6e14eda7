//! What the global state says about a VM.

use crate::layout::PucLayout;
use crate::memory::memory::Structure;
use crate::version::Version;

/// The VM's own count of its bytes.
pub(crate) fn total(layout: &PucLayout, global: Structure<'_>) -> u64 {
    let total = global.word(layout.global_state.total_bytes);
    match layout.version {
        Version::Lua51 => total,
        Version::Lua55 => total.wrapping_sub(global.word(layout.global_state.debt)),
        _ => total.wrapping_add(global.word(layout.global_state.debt)),
    }
}

/// Address of the main thread.
pub(crate) fn main_thread(layout: &PucLayout, address: u64, global: Structure<'_>) -> u64 {
    match layout.version {
        Version::Lua55 => address + u64::from(layout.global_state.main_thread),
        _ => global.word(layout.global_state.main_thread),
    }
}
