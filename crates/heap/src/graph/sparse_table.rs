//! Tables that keep far more slots than they use.

use crate::graph::node::NodeId;

/// Sizes of the slots in a VM's tables, in bytes.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SlotSizes {
    /// Of a value in an array part.
    pub array: u8,
    /// Of an entry in a hash part.
    pub hash: u8,
}

/// A table whose array or hash part is mostly empty.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Default)]
pub struct SparseTable {
    /// The table.
    pub node: NodeId,
    /// The number of slots of its array part; in LuaJIT including the one at index 0.
    pub array_slots: u32,
    /// The number of these that are not nil.
    pub array_used: u32,
    /// The number of slots of its hash part.
    pub hash_slots: u32,
    /// The number of these whose value is not nil.
    pub hash_used: u32,
}

impl SparseTable {
    /// The fewest slots of a sparse part: smaller parts could hardly shrink.
    pub const LEAST_SLOTS: u32 = 8;

    /// Whether a part has [enough](Self::LEAST_SLOTS) slots, and less than half of them in use.
    #[inline(always)]
    pub fn is_sparse(&self) -> bool {
        let is_sparse =
            |slots: u32, used: u32| slots >= Self::LEAST_SLOTS && used < slots.div_ceil(2);
        is_sparse(self.array_slots, self.array_used) || is_sparse(self.hash_slots, self.hash_used)
    }

    /// Returns the bytes of the unused slots of both parts.
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
