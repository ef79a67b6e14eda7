//! The C API of the VM that called, and what both engines know of it.

pub(crate) mod api;
pub(crate) mod collector;
pub(crate) mod debug_record;
pub(crate) mod own_handle;
pub(crate) mod private_state;
pub(crate) mod resolve;
pub(crate) mod stack_slot_label;
pub(crate) mod stack_slots;
pub(crate) mod state;
pub(crate) mod weak_mode;
