//! The C API of the calling VM, and what both engines know about it.

pub(crate) mod api;
pub(crate) mod collector;
pub(crate) mod debug_record;
#[cfg(all(target_env = "musl", target_feature = "crt-static"))]
mod linked_functions;
mod mangled_names;
mod number_width;
pub(crate) mod numbers;
pub(crate) mod private_state;
pub(crate) mod resolve;
pub(crate) mod snapshot_handle;
pub(crate) mod stack_slot_label;
pub(crate) mod stack_slots;
pub(crate) mod state;
pub(crate) mod thread_calls;
pub(crate) mod weak_mode;
