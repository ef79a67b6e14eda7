//! Tables that keep far more slots than they use.

use crate::node::NodeId;

/// Bytes of the slots that a VM's tables have.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SlotSizes {
    /// Of one value in an array part.
    pub array: u8,
    /// Of one entry in a hash part.
    pub hash: u8,
}

/// A table whose array or hash part is mostly empty, and what it has in each.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SparseTable {
    /// The table.
    pub node: NodeId,
    /// How many values its array part has room for; in LuaJIT the one under 0 is among them.
    pub array_slots: u32,
    /// How many of those are not nil.
    pub array_used: u32,
    /// How many entries its hash part has room for.
    pub hash_slots: u32,
    /// How many of those are in use: their value is not nil.
    pub hash_used: u32,
}

impl SparseTable {
    /// From this many slots on a part can be sparse: smaller ones are as small as they get.
    const SLOTS: u32 = 8;

    /// Whether a part of so many slots is mostly empty: at least 8, and less than half in use.
    #[inline]
    pub fn is_sparse(slots: u32, used: u32) -> bool {
        slots >= Self::SLOTS && used < slots.div_ceil(2)
    }

    /// Bytes of the slots that are not in use, in both parts.
    pub fn unused_bytes(&self, sizes: SlotSizes) -> u64 {
        let unused = |slots: u32, used: u32| u64::from(slots.saturating_sub(used));
        unused(self.array_slots, self.array_used) * u64::from(sizes.array)
            + unused(self.hash_slots, self.hash_used) * u64::from(sizes.hash)
    }
}
