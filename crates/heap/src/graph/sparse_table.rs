//! Tables that keep far more slots than they use.

use crate::graph::node::NodeId;

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
    /// From this many slots on a part can be sparse: smaller ones are nearly as small as they get.
    pub const LEAST_SLOTS: u32 = 8;

    /// Whether a part is mostly empty: it has [enough](Self::LEAST_SLOTS) slots, and less than half of them in use.
    #[inline(always)]
    pub fn is_sparse(&self) -> bool {
        let is_sparse =
            |slots: u32, used: u32| slots >= Self::LEAST_SLOTS && used < slots.div_ceil(2);
        is_sparse(self.array_slots, self.array_used) || is_sparse(self.hash_slots, self.hash_used)
    }

    /// Bytes of the slots that are not in use, in both parts.
    pub fn unused_bytes(&self, sizes: SlotSizes) -> u64 {
        let unused = |slots: u32, used: u32| u64::from(slots.saturating_sub(used));
        unused(self.array_slots, self.array_used) * u64::from(sizes.array)
            + unused(self.hash_slots, self.hash_used) * u64::from(sizes.hash)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn less_than_half_of_eight_slots_is_sparse() {
        let is_sparse = |slots, used| {
            let (in_array, in_hash) = (
                SparseTable {
                    array_slots: slots,
                    array_used: used,
                    ..SparseTable::default()
                },
                SparseTable {
                    hash_slots: slots,
                    hash_used: used,
                    ..SparseTable::default()
                },
            );
            assert_eq!(in_array.is_sparse(), in_hash.is_sparse());
            in_array.is_sparse()
        };
        assert!(!is_sparse(0, 0) && !is_sparse(7, 0));
        assert!(is_sparse(8, 3) && !is_sparse(8, 4));
        assert!(is_sparse(9, 4) && !is_sparse(9, 5));
        assert!(is_sparse(u32::MAX, 1 << 30) && !is_sparse(u32::MAX, 1 << 31));
    }
}
