//! What a sweep found.

use crate::native::foreign_objects::ForeignObject;
use crate::native::layout_mismatch::LayoutMismatch;
use luasnap_heap::{NodeId, SlotSizes, SweepBuilder};
use std::borrow::Cow;

/// What a sweep found.
pub(crate) struct SweptHeap {
    pub(super) heap: SweepBuilder,
    pub(super) slot_sizes: SlotSizes,
    /// Whether there is what tells layouts apart that are alike otherwise: user values of userdata (5.4
    /// and later), traces (LuaJIT).
    pub(super) tells_apart: bool,
    pub(super) total: u64,
    pub(super) found: u64,
    pub(super) blocks: Vec<(Cow<'static, str>, u64)>,
    /// Objects of other VMs to which it refers, in the order of their nodes; `None` where no VM can.
    pub(super) foreign: Option<Vec<ForeignObject>>,
    /// Objects that do not read as they should, each with what is wrong with it.
    pub(super) doubtful: Vec<(NodeId, LayoutMismatch)>,
}
