//! Objects of other VMs to which a VM refers.

use luasnap_heap::{NodeId, SharedObjects};
use rustc_hash::FxHashMap;

/// An object of another VM.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) struct ForeignObject {
    pub(crate) address: u64,
    /// Its bytes, which are the other VM's.
    pub(crate) bytes: u64,
    pub(crate) node: NodeId,
}

/// Counts them.
pub(crate) fn counted(objects: &[ForeignObject]) -> SharedObjects {
    let bytes = objects.iter().map(|object| object.bytes);
    SharedObjects {
        count: objects.len() as u64,
        bytes: bytes.fold(0, u64::saturating_add),
        states: None,
    }
}

/// Returns, for each VM's objects, how many of the VMs refer to the one that most refer to; 0 for a VM without any.
pub(crate) fn sharers(objects: &[Vec<ForeignObject>]) -> Vec<u32> {
    let mut counts: FxHashMap<u64, u32> = FxHashMap::default();
    for object in objects.iter().flatten() {
        *counts.entry(object.address).or_default() += 1;
    }
    let most = |objects: &Vec<ForeignObject>| {
        let counts = objects.iter().map(|object| counts[&object.address]);
        counts.max().unwrap_or(0)
    };
    objects.iter().map(most).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_object_that_most_share_counts() {
        let object = |address| ForeignObject {
            address,
            bytes: 10,
            node: NodeId(1),
        };
        let objects = [
            vec![object(8), object(16)],
            vec![object(16)],
            vec![],
            vec![object(24)],
            vec![object(16), object(24)],
        ];
        assert_eq!(sharers(&objects), [3, 3, 0, 2, 3]);
        assert_eq!(counted(&objects[0]).bytes, 20);
        assert_eq!(counted(&[]).count, 0);
    }
}
