//! Building heaps: from a walk, from a VM's own lists, from another heap.

pub(crate) mod excerpt;
pub(crate) mod objects_view;
pub(crate) mod sweep_builder;
pub(crate) mod thread_notes;
pub(crate) mod walk_builder;
