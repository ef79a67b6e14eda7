//! A prototype, as its functions need it.

use luasnap_heap::{NameId, NodeId};

/// A prototype, as its functions need it.
#[derive(Clone, Copy, Default)]
pub(super) struct KnownPrototype<'m> {
    pub(super) address: u64,
    pub(super) node: NodeId,
    pub(super) line: u32,
    pub(super) source: NameId,
    pub(super) upvalue_count: u8,
    /// What its functions' upvalues are called: names that each end with a zero byte. None where a
    /// stripped function has none.
    pub(super) upvalue_names: &'m [u8],
}
