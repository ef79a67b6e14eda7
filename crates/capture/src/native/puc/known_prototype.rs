//! What functions need of their prototype.

use luasnap_heap::{CodeShape, NameId, NodeId};

/// What functions need of their prototype.
#[derive(Clone, Copy, Default)]
pub(super) struct KnownPrototype<'m> {
    pub(super) address: u64,
    pub(super) node: NodeId,
    pub(super) line: u32,
    pub(super) source: NameId,
    /// Of code that was loaded without a name.
    pub(super) shape: Option<CodeShape>,
    /// Names of its functions' upvalues: items that begin with the address of a string. Empty where
    /// a stripped function has none.
    pub(super) upvalue_names: &'m [u8],
}
